"""What can be wrong with one event, in its two forms: a message of the bad row, and a failure entity (enrich 6.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from snowgauge.enrich.lengths import TooLong
from snowgauge.enrich.transform.parameters import Problem
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.failed import Processor
from snowgauge.events.json_text import compact, plain
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey, SelfDescribing
from snowgauge.events.timestamps import instant_text

FAILURE = SchemaKey("com.snowplowanalytics.snowplow", "failure", "jsonschema", 1, 0, 0)
ATOMIC = "iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0"
_NOT_IGLU = {
    "INVALID_SCHEMAVER": "Invalid schema version",
    "INVALID_IGLUURI": "Invalid Iglu URI",
    "INVALID_DATA_PAYLOAD": "Invalid data payload",
    "INVALID_SCHEMA": "Invalid schema",
    "INVALID_METASCHEMA": "Invalid metashema",  # sic
}


class Violation(msgspec.Struct):
    """One thing wrong with an event. ``data`` is the offending data; ``data_text`` its JSON where it is known."""

    message: dict[str, Any]
    failure_type: str
    errors: list[dict[str, Any]]
    schema: str | None = None
    data: Any = None
    data_text: str | None = None

    def entity(self, processor: Processor, at: int) -> SelfDescribing:
        """The failure entity, all seven keys of it."""
        data = {
            "failureType": self.failure_type,
            "errors": plain(self.errors),
            "schema": self.schema,
            "data": plain(self.data),
            "timestamp": instant_text(at),
            "componentName": processor.artifact,
            "componentVersion": processor.version,
        }
        shown = self.data if self.data_text is None else orjson.Fragment(self.data_text)
        return SelfDescribing(FAILURE, data, compact({**data, "data": shown}))


def not_json(source: str, text: str, error: str) -> Violation:
    return Violation(
        {"field": source, "value": text, "error": error},
        "NotJSON",
        [{"message": error, "source": source}],
        data={source: text},
    )


def not_iglu(source: str, json: Any, code: str) -> Violation:
    message = _NOT_IGLU.get(code, code)
    return Violation(
        {"json": plain(json), "error": code}, "NotIglu", [{"message": message, "source": source}], data=json
    )


def criterion_mismatch(source: str, item: SelfDescribing, criterion: SchemaCriterion) -> Violation:
    uri = item.schema.uri
    message = f"Unexpected schema: {uri} does not match the criterion"
    return Violation(
        {"schemaKey": uri, "schemaCriterion": str(criterion)},
        "CriterionMismatch",
        [{"message": message, "source": source, "criterion": str(criterion)}],
        schema=uri,
        data=item.data,
        data_text=item.literal,
    )


def iglu_error(source: str, item: SelfDescribing, error: dict[str, Any]) -> Violation:
    """``error`` is what the validator said."""
    uri = item.schema.uri
    kind = "ValidationError"
    if error["error"] == "ResolutionError":
        kind = "ResolutionError"
        message = f"Resolution error: schema {uri} not found"
        errors = [{"message": message, "source": source, "lookupHistory": error["lookupHistory"]}]
    elif "schemaIssues" in error:
        errors = [
            {"message": f"Invalid schema: {uri} - {issue['message']}", "source": source, "path": issue["path"]}
            for issue in error["schemaIssues"]
        ]
    else:
        errors = [
            {
                "message": report["message"],
                "source": source,
                "path": report["path"],
                "keyword": report["keyword"],
                "targets": report["targets"],
            }
            for report in error["dataReports"]
        ]
    return Violation({"schemaKey": uri, "error": error}, kind, errors, uri, item.data, item.literal)


def atomic_parse_errors(problems: Sequence[Problem]) -> Violation:
    """All parameters of an event that do not fit their columns."""
    return _atomic("atomic_field_parse_error", problems)


def atomic_length_errors(columns: Sequence[TooLong]) -> Violation:
    """All columns of an event that are too long."""
    return _atomic(
        "atomic_field_length_exceeded",
        [(c.column, f"Field is longer than maximum allowed size {c.limit}", c.value) for c in columns],
    )


def _atomic(keyword: str, problems: Sequence[Problem]) -> Violation:
    reports: list[dict[str, Any]] = [
        {"message": message, "path": path, "keyword": keyword, "targets": []} for path, message, _ in problems
    ]
    return Violation(
        {"schemaKey": ATOMIC, "error": {"error": "ValidationError", "dataReports": reports}},
        "ValidationError",
        [
            {"message": r["message"], "source": "atomic_field", "path": r["path"], "keyword": keyword, "targets": []}
            for r in reports
        ],
        schema=ATOMIC,
        data={path: value for path, _, value in problems},
    )


def enrichment_failure(
    failure: EnrichmentFailure, schema_key: str | None = None, identifier: str | None = None
) -> Violation:
    """A failed step of phase 2; of the core's own steps neither schema key nor identifier is known."""
    schema_key, identifier = failure.schema_key or schema_key, failure.identifier or identifier
    enrichment = None if identifier is None else {"schemaKey": schema_key, "identifier": identifier}
    message: dict[str, Any]
    if failure.field is None:
        message, errors, data = {"error": failure.message}, [{"message": failure.message}], None
    else:
        message = {"field": failure.field, "value": failure.value, "expectation": failure.message}
        errors = [{"message": f"{failure.field} - {failure.message}", "source": failure.field}]
        data = {failure.field: failure.value}
    return Violation(
        {"enrichment": enrichment, "message": message},
        f"EnrichmentError: {identifier or ''}",
        errors,
        schema=schema_key,
        data=data,
    )

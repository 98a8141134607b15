"""The failure entity of each cause, exactly as enrich 6.10 writes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowgauge.enrich import failures
from snowgauge.enrich.failures import Violation
from snowgauge.enrich.lengths import TooLong
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.failed import Processor
from snowgauge.events.json_text import parse, plain
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey, SelfDescribing

ME = Processor("snowgauge-enrich", "1.0.0")
URI = "iglu:com.acme/cart/jsonschema/1-0-0"
ITEM = SelfDescribing(SchemaKey.parse(URI), {"a": 1.1}, '{"a":1.10}')
CRITERION = SchemaCriterion.parse("iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-*")
REPORT = {"message": "$.a: string found, integer expected", "path": "$.a", "keyword": "type", "targets": ["string"]}
HISTORY = [{"repository": "Central", "errors": [{"error": "NotFound"}], "attempts": 1, "lastAttempt": "2024"}]


@pytest.mark.parametrize(
    ("violation", "kind", "errors", "schema", "data"),
    [
        (failures.not_json("unstruct", "{", "invalid json: exhausted input"), "NotJSON",
         [{"message": "invalid json: exhausted input", "source": "unstruct"}], None, {"unstruct": "{"}),
        (failures.not_iglu("contexts", {"x": 1}, "INVALID_DATA_PAYLOAD"), "NotIglu",
         [{"message": "Invalid data payload", "source": "contexts"}], None, {"x": 1}),
        (failures.not_iglu("contexts", [], "INVALID_SCHEMAVER"), "NotIglu",
         [{"message": "Invalid schema version", "source": "contexts"}], None, []),
        (failures.not_iglu("contexts", {}, "INVALID_IGLUURI"), "NotIglu",
         [{"message": "Invalid Iglu URI", "source": "contexts"}], None, {}),
        (failures.criterion_mismatch("contexts", ITEM, CRITERION), "CriterionMismatch",
         [{"message": f"Unexpected schema: {URI} does not match the criterion", "source": "contexts",
           "criterion": str(CRITERION)}], URI, {"a": 1.1}),
        (failures.iglu_error("contexts", ITEM, {"error": "ResolutionError", "lookupHistory": HISTORY}),
         "ResolutionError",
         [{"message": f"Resolution error: schema {URI} not found", "source": "contexts", "lookupHistory": HISTORY}],
         URI, {"a": 1.1}),
        (failures.iglu_error("unstruct", ITEM, {"error": "ValidationError", "dataReports": [REPORT, REPORT]}),
         "ValidationError",
         [{"message": REPORT["message"], "source": "unstruct", "path": "$.a", "keyword": "type",
           "targets": ["string"]}] * 2, URI, {"a": 1.1}),
        (failures.iglu_error("unstruct", ITEM,
                             {"error": "ValidationError", "schemaIssues": [{"path": "$", "message": "no"}]}),
         "ValidationError", [{"message": f"Invalid schema: {URI} - no", "source": "unstruct", "path": "$"}], URI,
         {"a": 1.1}),
        (failures.atomic_parse_errors([("vid", "m", "x"), ("collector_tstamp", "n", None)]), "ValidationError",
         [{"message": "m", "source": "atomic_field", "path": "vid", "keyword": "atomic_field_parse_error",
           "targets": []},
          {"message": "n", "source": "atomic_field", "path": "collector_tstamp",
           "keyword": "atomic_field_parse_error", "targets": []}],
         failures.ATOMIC, {"vid": "x", "collector_tstamp": None}),
        (failures.atomic_length_errors([TooLong("app_id", 3, "shop")]), "ValidationError",
         [{"message": "Field is longer than maximum allowed size 3", "source": "atomic_field", "path": "app_id",
           "keyword": "atomic_field_length_exceeded", "targets": []}], failures.ATOMIC, {"app_id": "shop"}),
        (failures.enrichment_failure(EnrichmentFailure("no", field="useragent", value="x"), URI, "ua-parser"),
         "EnrichmentError: ua-parser", [{"message": "useragent - no", "source": "useragent"}], URI,
         {"useragent": "x"}),
        (failures.enrichment_failure(EnrichmentFailure("no")), "EnrichmentError: ", [{"message": "no"}], None, None),
    ],
)  # fmt: skip
def test_failure_entity(violation: Violation, kind: str, errors: list[Any], schema: str | None, data: Any) -> None:
    entity = violation.entity(ME, 1_700_000_000_123)
    assert entity.schema.uri == "iglu:com.snowplowanalytics.snowplow/failure/jsonschema/1-0-0"
    assert entity.data == {
        "failureType": kind,
        "errors": errors,
        "schema": schema,
        "data": data,
        "timestamp": "2023-11-14T22:13:20.123Z",
        "componentName": "snowgauge-enrich",
        "componentVersion": "1.0.0",
    }
    assert list(entity.data) == list(json.loads(entity.json_text())["data"])
    assert json.loads(entity.json_text())["data"] == entity.data


def test_the_offending_data_keeps_its_number_literals() -> None:
    violation = failures.iglu_error("contexts", ITEM, {"error": "ValidationError", "dataReports": [REPORT]})
    assert '"data":{"a":1.10}' in violation.entity(ME, 0).json_text()
    parsed = parse('{"x":1.10}', 50).value
    violation = failures.not_iglu("contexts", parsed, "INVALID_DATA_PAYLOAD")
    assert '"data":{"x":1.10}' in violation.entity(ME, 0).json_text()
    assert plain(violation.message["json"]) == {"x": 1.1}

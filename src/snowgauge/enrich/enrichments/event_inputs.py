"""The inputs of SQL and API requests: a column of the event (``pojo``), or a place inside its JSON (``json``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from snowgauge.enrich.enrichments.base import EnrichmentSource
from snowgauge.enrich.enrichments.gatling_jsonpath import JsonPathError, Path, compile_path
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import ATOMIC_FIELD, EnrichedEvent
from snowgauge.events.selfdescribing import SchemaCriterion, SelfDescribing
from snowgauge.events.timestamps import tsv_text

_CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
_UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
JSON_FIELDS = ("unstruct_event", "contexts", "derived_contexts")

MISSING: Any = object()
"""An input that the event does not have."""


class ColumnInput:
    """The value of one column, as enrich's event object holds it: flags are 1 or 0, times, JSON and decimals are text.

    ``decimal`` tells that the text is a number.
    """

    def __init__(self, field: str) -> None:
        self.field = field
        self.known = field in ATOMIC_FIELD
        self.decimal = self.known and ATOMIC_FIELD[field].kind == "decimal"

    def find(self, event: EnrichedEvent, source: EnrichmentSource) -> str | int | float | None:
        """The value, ``None`` where the column is not set. Only for known fields."""
        if self.field in JSON_FIELDS:
            return _json_column(event, source, self.field)
        value: Any = getattr(event, self.field)
        if value is None:
            return None
        kind = ATOMIC_FIELD[self.field].kind
        if kind == "timestamp":
            return tsv_text(value)
        return int(value) if kind == "boolean" else value


class JsonInput:
    """A JSONPath into the data of the first entity, or the event, whose schema matches a criterion.

    A path that is none is kept with its error: as in enrich 6.10 it fails each event that has the input, and does not
    stop the start.
    """

    def __init__(self, field: str, criterion: SchemaCriterion, path: str) -> None:
        self.field = field
        self.criterion = criterion
        self.path: Path | None = None
        self.error = ""
        try:
            self.path = compile_path(path)
        except JsonPathError as error:
            self.error = str(error)

    def find(self, event: EnrichedEvent, source: EnrichmentSource) -> Any:
        """What the path leads to, folded; ``MISSING`` where nothing matches the criterion. Only with a path."""
        assert self.path is not None
        for item in self_describing_of(event, source, self.field):
            if self.criterion.matches(item.schema):
                return self.path.fold(item.data)
        return MISSING


def read_input(read: Parameters) -> ColumnInput | JsonInput:
    """The input that one object of ``inputs`` describes. Raises ``ValueError``."""
    if ("pojo" in read) == ("json" in read):
        raise ValueError(f"{read.path}: expected either 'pojo' or 'json', found {', '.join(read.values) or 'nothing'}")
    if "pojo" in read:
        return ColumnInput(read["pojo"].text("field", empty=True))
    json = read["json"]
    return JsonInput(
        json.choice("field", JSON_FIELDS),
        SchemaCriterion.parse(json.text("schemaCriterion")),
        json.text("jsonPath", empty=True),
    )


def self_describing_of(event: EnrichedEvent, source: EnrichmentSource, field: str) -> Sequence[SelfDescribing]:
    """What one of the three JSON columns holds at this moment."""
    if field == "unstruct_event":
        return () if event.unstruct_event is None else (event.unstruct_event,)
    return event.contexts if field == "contexts" else source.entities


def _json_column(event: EnrichedEvent, source: EnrichmentSource, field: str) -> str | None:
    items = self_describing_of(event, source, field)
    if not items:
        return None
    if field == "unstruct_event":
        return f'{{"schema":"{_UNSTRUCT}","data":{items[0].json_text()}}}'
    return f'{{"schema":"{_CONTEXTS}","data":[{",".join(item.json_text() for item in items)}]}}'

"""Events as Arrow tables: the columns of Snowplow's wide table, and one for each schema.

Instants are UTC with milliseconds, money has two decimals, ``se_value`` is a double. A schema's column has the name
that it has in the store; its value is JSON text: of ``unstruct_event_...`` the event's data, of ``contexts_...`` the
list of entities, each with ``_schema_version``. Text, since a property's type may differ from event to event, and files
of one table have to agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as arrow

from snowgauge.events.analytics_json import shredded
from snowgauge.events.enriched import ATOMIC_FIELD, ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.failed_cause import cause_of
from snowgauge.store.canonical import event_json, money

_INSTANT = arrow.timestamp("ms", tz="UTC")
_TYPES = {
    "timestamp": _INSTANT, "int": arrow.int32(), "boolean": arrow.bool_(), "float": arrow.float64(),
    "decimal": arrow.decimal128(18, 2),
}  # fmt: skip
_ATOMIC = tuple(field for field in ATOMIC_FIELDS if field.kind not in ("entities", "event"))
_COLUMNS = [
    (field.name, arrow.float64() if field.name == "se_value" else _TYPES.get(field.kind, arrow.string()))
    for field in _ATOMIC
]
_FAILED = arrow.schema(
    [("id", arrow.string()), ("failure_type", arrow.string()), ("failed_at", _INSTANT), ("app_id", arrow.string()),
     ("platform", arrow.string()), ("event_id", arrow.string()), ("event_name", arrow.string()),
     ("tracker", arrow.string()), ("collector_tstamp", _INSTANT), ("schema", arrow.string()),
     ("message", arrow.string()), ("cause", arrow.string()), ("bad_row", arrow.string())]
)  # fmt: skip


def events_table(events: Sequence[EnrichedEvent]) -> Any:
    """Columns of the schemas that these events have, after the atomic ones, by name."""
    rows = [_row(event) for event in events]
    schemas = sorted({name for row in rows for name in row if name not in ATOMIC_FIELD})
    schema = arrow.schema([*_COLUMNS, *((name, arrow.string()) for name in schemas)])
    return arrow.Table.from_pylist(rows, schema)


def failed_table(failures: Sequence[FailedEvent]) -> Any:
    rows = [
        {
            **{name: _text(getattr(failed, name)) for name in _FAILED.names if name not in ("cause", "bad_row")},
            "cause": cause_of(failed),
            "bad_row": _text(failed.bad_row_json().decode("utf-8", "replace")),
        }
        for failed in failures
    ]
    return arrow.Table.from_pylist(rows, _FAILED)


def _row(event: EnrichedEvent) -> Mapping[str, Any]:
    """``None`` for what is empty, as a database that has no empty texts would hold it."""
    row: dict[str, Any] = {}
    for field in _ATOMIC:
        value = getattr(event, field.name)
        if value is None or value == "":
            continue
        if field.kind == "decimal":
            value = float(value) if field.name == "se_value" else Decimal(money(value))
        row[field.name] = _text(value)
    for name, value in shredded(event_json(event)).items():
        if name not in ATOMIC_FIELD and name != "geo_location":
            row[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
    return row


def _text(value: Any) -> Any:
    """Text that UTF-8 can hold: lone surrogates become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

"""Events made again from what a database holds of them, with their self-describing text as it was received."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import read_entities, read_event
from snowgauge.events.failed import FailedEvent
from snowgauge.events.json_text import stored
from snowgauge.store.canonical import NO_UUID, decimal_text

FAILED_COLUMNS = (*(name for name in FailedEvent.__struct_fields__ if name != "data"), "bad_row")
"""The order that ``rebuilt_failed`` takes."""


def rebuilt_event(values: Sequence[Any]) -> EnrichedEvent:
    """From values in the order of the columns: instants in ms, decimals as text, self-describing columns as text."""
    columns: list[Any] = []
    for field, given in zip(ATOMIC_FIELDS, values, strict=True):
        value = given
        if field.kind == "entities":
            value = read_entities(value) if value else []
        elif value is None or value == "":
            value = None
        elif field.kind == "event":
            value = read_event(value)
        elif field.kind == "decimal":
            value = decimal_text(field, str(value))
        elif (field.kind == "uuid" and value == NO_UUID) or (field.name == "collector_tstamp" and value == 0):
            value = None
        columns.append(value)
    return EnrichedEvent(*columns)


def rebuilt_failed(values: Sequence[Any]) -> FailedEvent:
    """From values in the order of ``FAILED_COLUMNS``: instants in ms, the record in base64, the bad row as text."""
    row: dict[str, Any] = dict(zip(FAILED_COLUMNS, (None if v == "" else v for v in values), strict=True))
    bad_row = stored(row.pop("bad_row"))
    if row["record"] is not None:
        row["record"] = base64.b64decode(row["record"])
    return FailedEvent(**{**row, "message": row["message"] or "", "data": bad_row["data"]})

"""Stored events as plain JSON values, the same from every store: what ``Reader.events`` answers.

Integers and booleans as they are; timestamps as in the enriched TSV; decimals as text; the three self-describing
columns as JSON objects with their wrapper; ``None`` for what is not set. Columns that a warehouse types tighter than
Snowplow's text are brought to the tighter form here, so that all stores agree: money has two decimals, ``se_value``
is a double.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from math import isfinite
from operator import attrgetter
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from snowgauge import __version__
from snowgauge.events.enriched import ATOMIC_FIELDS, AtomicField, EnrichedEvent
from snowgauge.events.failed import FailedEvent, Processor, bad_row_data
from snowgauge.events.failed_cause import cause_of
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.timestamps import instant_text, tsv_text
from snowgauge.store.base import FailedUpdate

CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
UNSTRUCT_EVENT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
NO_UUID = "00000000-0000-0000-0000-000000000000"
_CENT = Decimal("0.01")

FAILED_FIELDS = (
    "id",
    "failure_type",
    "failed_at",
    "app_id",
    "platform",
    "event_id",
    "event_name",
    "tracker",
    "collector_tstamp",
    "schema",
    "message",
    "record",
    "event_index",
    "seed",
    "cause",
    "status",
    "attempts",
    "attempted_at",
    "attempt_message",
    "recovered_at",
    "recovery_run",
    "recovered_into",
)
"""Columns of failed events that can be read beside ``data`` and ``bad_row``.

``status`` starts as ``open``. ``cause`` is the id of its group. ``attempts`` counts replays; ``attempted_at``,
``attempt_message`` and ``recovery_run`` tell of the last one. ``recovered_into`` are event ids, with spaces between.
"""


class Recovery(msgspec.Struct):
    """What is known of the recovery of a failed event; times in ms."""

    status: str = "open"
    attempts: int = 0
    attempted_at: int | None = None
    attempt_message: str | None = None
    recovered_at: int | None = None
    recovery_run: str | None = None
    recovered_into: str | None = None

    def after(self, update: FailedUpdate) -> Recovery:
        """One attempt later."""
        done = update.status != "open"
        return Recovery(
            update.status,
            self.attempts + 1,
            update.at,
            update.note or None,
            update.at if done else None,
            update.run,
            " ".join(update.into) or None,
        )


def money(text: str) -> str:
    """A decimal as money columns hold it: two decimals, rounded half up. What is no number stays as it is."""
    try:
        value = Decimal(text)
        return f"{value.quantize(_CENT, ROUND_HALF_UP):f}" if abs(value) < Decimal(10) ** 24 else text
    except InvalidOperation:
        return text


def double(text: str) -> str:
    """A decimal as a double holds it, written shortest."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not isfinite(value):
        return text
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def decimal_text(field: AtomicField, text: str) -> str:
    return double(text) if field.name == "se_value" else money(text)


def contexts_text(entities: list[SelfDescribing]) -> str:
    """Entities in their wrapper, byte for byte as they were received; empty when there are none."""
    if not entities:
        return ""
    return f'{{"schema":"{CONTEXTS}","data":[{",".join([entity.json_text() for entity in entities])}]}}'


def unstruct_text(event: SelfDescribing | None) -> str:
    return "" if event is None else f'{{"schema":"{UNSTRUCT_EVENT}","data":{event.json_text()}}}'


def event_json(event: EnrichedEvent) -> dict[str, Any]:
    """The whole event: every column, in the order of the TSV."""
    out: dict[str, Any] = {}
    for field in ATOMIC_FIELDS:
        value = getattr(event, field.name)
        if field.kind == "entities":
            value = {"schema": CONTEXTS, "data": [e.as_json() for e in value]} if value else None
        elif field.kind == "event":
            value = {"schema": UNSTRUCT_EVENT, "data": value.as_json()} if value is not None else None
        elif value is not None and field.kind == "timestamp":
            value = tsv_text(value)
        elif value is not None and field.kind == "decimal":
            value = decimal_text(field, value)
        out[field.name] = value
    return out


def failed_json(failed: FailedEvent, recovery: Recovery | None = None) -> dict[str, Any]:
    """A failed event's columns, its bad row, and its record in base64."""
    known = recovery or Recovery()
    return {
        "id": failed.id,
        "failure_type": failed.failure_type,
        "failed_at": tsv_text(failed.failed_at),
        "app_id": failed.app_id or None,
        "platform": failed.platform or None,
        "event_id": failed.event_id or None,
        "event_name": failed.event_name or None,
        "tracker": failed.tracker or None,
        "collector_tstamp": None if failed.collector_tstamp is None else tsv_text(failed.collector_tstamp),
        "schema": failed.schema or None,
        "message": failed.message or None,
        "record": None if failed.record is None else base64.b64encode(failed.record).decode(),
        "event_index": failed.event_index,
        "seed": failed.seed,
        "cause": cause_of(failed),
        "status": known.status,
        "attempts": known.attempts,
        "attempted_at": None if known.attempted_at is None else tsv_text(known.attempted_at),
        "attempt_message": known.attempt_message,
        "recovered_at": None if known.recovered_at is None else tsv_text(known.recovered_at),
        "recovery_run": known.recovery_run,
        "recovered_into": known.recovered_into,
        "data": failed.data,
        "bad_row": failed.bad_row(),
    }


def failed_time(failed: FailedEvent) -> int:
    """The instant by which failed events are selected: when they were collected, else when they failed."""
    return failed.failed_at if failed.collector_tstamp is None else failed.collector_tstamp


_INTS = tuple(field.name for field in ATOMIC_FIELDS if field.kind == "int")
_DECIMALS = tuple(field.name for field in ATOMIC_FIELDS if field.kind == "decimal")
_ints = attrgetter(*_INTS)
_decimals = attrgetter(*_DECIMALS)
_MAX_MONEY = 10**16


def refusal(event: EnrichedEvent) -> str | None:
    """Why typed columns cannot hold this event's numbers; ``None``: they can.

    Asked before a row is sent, because databases disagree: ClickHouse cuts a large integer to 32 bits in silence.
    """
    for name, value in zip(_INTS, _ints(event), strict=True):
        if value is not None and not -2147483648 <= value <= 2147483647:
            return f"{name}: {value} does not fit 32 bits"
    for name, text in zip(_DECIMALS, _decimals(event), strict=True):
        if text is not None:
            try:
                number = abs(float(text))
            except ValueError:
                return f"{name}: {text[:100]!r} is not a number"
            if not isfinite(number):
                return f"{name}: {text[:40]} is beyond a double"
            if name != "se_value" and not number < _MAX_MONEY:
                return f"{name}: {text[:40]} has more than 16 digits before the point"
    return None


def _loader_payload(event: EnrichedEvent) -> dict[str, Any]:
    """The event as loaders write it into their bad rows: ISO instants, numbers for money, every column."""
    out = event_json(event)
    for field in ATOMIC_FIELDS:
        value = getattr(event, field.name)
        if value is not None and field.kind == "timestamp":
            out[field.name] = instant_text(value)
        elif value is not None and field.kind == "decimal":
            with suppress(ValueError):  # what is no number, or none that JSON has, stays text
                number = float(value)
                out[field.name] = number if isfinite(number) else value
    return out


def refused_event(event: EnrichedEvent, reason: str) -> FailedEvent:
    """The failed event of a row that the database refused: ``loader_runtime_error`` (bad rows 2.3).

    Its id is made of the event's, so that a retry makes the same one.
    """
    payload = msgspec.to_builtins(_loader_payload(event))
    failed_at = event.etl_tstamp or event.collector_tstamp or 0
    return FailedEvent(
        id=str(uuid5(NAMESPACE_URL, f"snowgauge:refused:{event.event_id}:{event.collector_tstamp}")),
        failure_type="loader_runtime_error",
        failed_at=failed_at,
        data=bad_row_data(Processor("snowgauge-loader", __version__), reason, payload),
        app_id=event.app_id,
        platform=event.platform,
        event_id=event.event_id if _is_uuid(event.event_id) else None,
        event_name=event.event_name,
        tracker=event.v_tracker,
        collector_tstamp=event.collector_tstamp,
        message=reason.split("\n", 1)[0][:1000],
    )


def _is_uuid(text: str | None) -> bool:
    try:
        # UUID alone would take a blank for a digit
        return text is not None and str(UUID(text)) == text.lower()
    except ValueError:
        return False

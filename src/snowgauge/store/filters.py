"""Checking filters, the same for every store: the column exists, the operation suits it, the values have its type."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

from snowgauge.errors import QueryRefused
from snowgauge.events.enriched import ATOMIC_FIELD
from snowgauge.store.base import EventKind, Filter
from snowgauge.store.canonical import FAILED_FIELDS, money

ColumnKind = Literal["text", "uuid", "timestamp", "int", "boolean", "double", "money"]
_KINDS: dict[str, ColumnKind] = {
    "string": "text", "entities": "text", "event": "text", "uuid": "uuid", "timestamp": "timestamp", "int": "int",
    "boolean": "boolean", "float": "double", "decimal": "money",
}  # fmt: skip
_FAILED_KINDS: dict[str, ColumnKind] = {
    "id": "uuid", "event_id": "uuid", "failed_at": "timestamp", "collector_tstamp": "timestamp", "event_index": "int",
    "attempts": "int", "attempted_at": "timestamp", "recovered_at": "timestamp",
}  # fmt: skip


SIGNS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
"""What compares values in their order, and how it is written in SQL and by people."""


def column_kind(kind: EventKind, column: str) -> ColumnKind:
    """What a column holds. Raises ``QueryRefused`` for a name that is none."""
    if kind == "failed":
        if column not in FAILED_FIELDS:
            raise QueryRefused(f"failed events have no column {column!r}: use one of {', '.join(FAILED_FIELDS)}")
        return _FAILED_KINDS.get(column, "text")
    field = ATOMIC_FIELD.get(column)
    if field is None:
        raise QueryRefused(f"events have no column {column!r}: see the canonical event for their names")
    return "double" if column == "se_value" else _KINDS[field.kind]


def filter_values(one: Filter, kind: ColumnKind) -> list[Any]:
    """The values in the column's type: text as text, instants as ms, money as text with two decimals."""
    if one.op == "contains" and kind != "text":
        raise QueryRefused(f"filter {one.column} contains: the column holds no text (it is {kind})")
    if one.op in SIGNS:
        if len(one.values) != 1:
            raise QueryRefused(f"filter {one.column} {one.op} takes one value, found {len(one.values)}")
        if kind in ("boolean", "uuid"):
            raise QueryRefused(f"filter {one.column} {one.op}: values of this column have no order ({kind})")
    return [_value(one, kind, value) for value in one.values]


def _value(one: Filter, kind: ColumnKind, value: Any) -> Any:
    try:
        if kind == "text":
            return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        if kind == "uuid":
            return str(UUID(str(value)))
        if kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        if kind == "timestamp" and isinstance(value, str) and not value.lstrip("-").isdigit():
            at = datetime.fromisoformat(value)
            return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
        if kind in ("int", "timestamp"):
            if isinstance(value, float) and not value.is_integer():
                raise ValueError
            number = int(value)
            if not -(2**63) <= number < 2**63:
                raise ValueError
            return number
        if kind == "money":
            return money(str(Decimal(str(value))))
        return float(value)
    except (ValueError, KeyError, InvalidOperation, OverflowError):
        wanted = {"uuid": "a UUID", "boolean": "true or false", "timestamp": "milliseconds since 1970"}
        raise QueryRefused(
            f"filter {one.column} {one.op}: {str(value)[:100]!r} is not {wanted.get(kind, 'a number')}"
        ) from None

"""Whether one event meets filters: the same answers in Python that the databases give in SQL."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from snowgauge.events.enriched import ATOMIC_FIELD, EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.failed_cause import cause_of
from snowgauge.store.base import EventKind, Filter, Selection
from snowgauge.store.canonical import (
    Recovery,
    contexts_text,
    double,
    event_json,
    failed_json,
    failed_time,
    money,
    unstruct_text,
)
from snowgauge.store.filters import SIGNS, ColumnKind, column_kind, filter_values
from snowgauge.store.nested import (
    NestedColumn,
    found_in,
    nested_bound,
    nested_of,
    nested_values,
    number_in,
    texts,
)


class StoredFailure(FailedEvent, kw_only=True):
    """A failed event with what is known of its recovery."""

    recovery: Recovery


Row = EnrichedEvent | FailedEvent
"""Of a failed event that is no ``StoredFailure``, nothing is known of its recovery yet."""


def selector(kind: EventKind, selection: Selection) -> Callable[[Row], bool]:
    """What tells whether an event of this kind is selected. Raises ``QueryRefused`` for filters that cannot be."""
    tests = [_test(kind, one) for one in selection.filters]
    alternatives = [_test(kind, one) for one in selection.any_of]

    def selected(row: Row) -> bool:
        return (
            (selection.since is None or time_of(row) >= selection.since)
            and (selection.until is None or time_of(row) < selection.until)
            and all(one(row) for one in tests)
            and (not alternatives or any(one(row) for one in alternatives))
        )

    return selected


def time_of(row: Row) -> int:
    """The instant by which an event is selected, in ms."""
    return failed_time(row) if isinstance(row, FailedEvent) else row.collector_tstamp or 0


def json_of(row: Row) -> dict[str, Any]:
    """The event as ``Reader.events`` answers it."""
    return failed_json(row, _recovery(row)) if isinstance(row, FailedEvent) else event_json(row)


def _recovery(row: FailedEvent) -> Recovery:
    return row.recovery if isinstance(row, StoredFailure) else Recovery()


def value_of(row: Row, column: str) -> Any:
    """A column's value for comparing: instants in ms, self-describing columns as their text; ``None`` where it is not
    set, or is no number where a number belongs."""
    if isinstance(row, FailedEvent):
        if column == "cause":
            return cause_of(row)
        if column == "record":
            return failed_json(row)["record"]
    on = _recovery(row) if isinstance(row, FailedEvent) and column in Recovery.__struct_fields__ else row
    value = getattr(on, column)
    if isinstance(row, EnrichedEvent):
        field = ATOMIC_FIELD[column]
        if field.kind == "entities":
            return contexts_text(value) or None
        if field.kind == "event":
            return unstruct_text(value) or None
        if field.kind == "decimal" and value is not None:
            try:
                return float(double(value)) if column == "se_value" else _number(money(value))
            except (ValueError, InvalidOperation):
                return None
    return None if value == "" else value


def _number(text: str) -> str:
    Decimal(text)
    return text


def nested_of_row(row: Row, column: NestedColumn) -> list[str]:
    """The texts of an event in a column inside of its self-describing data."""
    return texts(found_in(json_of(row), column))


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt,
}  # fmt: skip


def _nested_test(one: Filter, column: NestedColumn) -> Callable[[Row], bool]:
    if one.op in ("none", "some"):
        return lambda row: bool(nested_of_row(row, column)) is (one.op == "some")
    if one.op in SIGNS:
        meets, bound = _ORDERS[one.op], nested_bound(one)
        return lambda row: any(
            number is not None and meets(number, bound) for number in map(number_in, nested_of_row(row, column))
        )
    values = nested_values(one)
    if one.op == "contains":
        needles = [value.lower() for value in values]
        return lambda row: any(needle in text.lower() for text in nested_of_row(row, column) for needle in needles)
    return lambda row: (not set(values).isdisjoint(nested_of_row(row, column))) is (one.op == "in")


def _test(kind: EventKind, one: Filter) -> Callable[[Row], bool]:
    nested = nested_of(kind, one.column)
    if nested is not None:
        return _nested_test(one, nested)
    column, column_type = one.column, column_kind(kind, one.column)
    if one.op == "none":
        return lambda row: value_of(row, column) is None
    if one.op == "some":
        return lambda row: value_of(row, column) is not None
    values = [_comparable(value, column_type) for value in filter_values(one, column_type)]
    if one.op == "contains":
        needles = [value.lower() for value in values]
        return lambda row: any(needle in (value_of(row, column) or "").lower() for needle in needles)
    if one.op in SIGNS:
        meets = _ORDERS[one.op]

        def compare(row: Row) -> bool:
            value = _comparable(value_of(row, column), column_type)
            return value is not None and bool(meets(value, values[0]))

        return compare
    wanted = one.op == "in"
    return lambda row: (_comparable(value_of(row, column), column_type) in values) is wanted


def _comparable(value: Any, kind: ColumnKind) -> Any:
    if value is None:
        return None
    if kind == "money":
        return Decimal(value)
    if kind == "double":
        return float(value)
    return value.lower() if kind == "uuid" else value

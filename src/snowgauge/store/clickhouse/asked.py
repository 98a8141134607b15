"""A selection as the WHERE clause of ClickHouse SQL. Every value goes in as a bound parameter."""

from __future__ import annotations

from typing import Any

from snowgauge.store.base import EventKind, Filter, Selection
from snowgauge.store.canonical import NO_UUID
from snowgauge.store.clickhouse.nested import has_entity, in_text_only, nested_condition
from snowgauge.store.filters import SIGNS, column_kind, filter_values
from snowgauge.store.nested import NestedColumn, nested_of


class Asked:
    """A selection's conditions: ``where`` all of them, ``quick`` those that take no self-describing data apart.

    ``quick`` selects what ``where`` does and perhaps more. ``reads_text``: data are taken apart, so that many rows at
    once would not fit the memory of a small engine.
    """

    def __init__(self, kind: EventKind, selection: Selection) -> None:
        self.kind = kind
        self.key = "id" if kind == "failed" else "event_id"
        self.time = "tstamp" if kind == "failed" else "collector_tstamp"
        self.distinct = f"uniqExact({self.key})"
        self.parameters: dict[str, Any] = {}
        quick: list[str] = []
        slow: list[str] = []
        if selection.since is not None:
            quick.append(f"{self.time} >= {self._instant(selection.since)}")
        if selection.until is not None:
            quick.append(f"{self.time} < {self._instant(selection.until)}")
        for one in selection.filters:
            nested = self._taken_apart(one)
            (quick if nested is None else slow).append(self._condition(one))
            # on its own, so that the engine looks here first, and at the text only where it must
            if nested is not None and (first := has_entity(one, nested, self.bind)):
                quick.append(first)
        if selection.any_of:
            some = f"({' OR '.join(self._condition(one) for one in selection.any_of)})"
            (slow if any(map(self._taken_apart, selection.any_of)) else quick).append(some)
        self.reads_text = bool(slow)
        self.quick = " AND ".join(quick) or "1"
        self.where = " AND ".join([*quick, *slow]) or "1"

    def _taken_apart(self, one: Filter) -> NestedColumn | None:
        """The column inside of data that the filter takes apart."""
        nested = nested_of(self.kind, one.column)
        return nested if nested is not None and in_text_only(nested) else None

    def bind(self, value: Any, kind: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def _instant(self, ms: int) -> str:
        return f"fromUnixTimestamp64Milli({self.bind(ms, 'Int64')}, 'UTC')"

    def _condition(self, one: Filter) -> str:
        nested = nested_of(self.kind, one.column)
        if nested is not None:
            return nested_condition(one, nested, self.bind)
        kind = column_kind(self.kind, one.column)
        column = f"`{one.column}`"
        is_unset = unset(self.kind, one.column, kind)
        if one.op == "none":
            return is_unset
        if one.op == "some":
            return f"NOT ({is_unset})"
        values = filter_values(one, kind)
        if one.op == "contains":
            needles = " OR ".join(
                f"positionCaseInsensitiveUTF8({column}, {self.bind(value, 'String')}) > 0" for value in values
            )
            return f"({needles})" if needles else "0"
        if one.op in SIGNS:
            sign = SIGNS[one.op]
            return f"ifNull({column} {sign} {self._value(values[0], kind)}, 0) AND NOT ({is_unset})"
        if not values:
            return "0" if one.op == "in" else "1"
        within = f"ifNull({column} IN ({', '.join(self._value(value, kind) for value in values)}), 0)"
        return within if one.op == "in" else f"NOT {within}"

    def _value(self, value: Any, kind: str) -> str:
        if kind == "timestamp":
            return self._instant(value)
        if kind == "boolean":
            return "true" if value else "false"
        if kind == "uuid":
            return self.bind(value, "UUID")
        if kind == "int":
            return self.bind(value, "Int64")
        if kind == "double":
            return self.bind(value, "Float64")
        if kind == "money":
            return f"toDecimal64({self.bind(value, 'String')}, 2)"
        return self.bind(value, "String")


def unset(kind: EventKind, column: str, column_type: str) -> str:
    """The condition that a column is not set; ``column_type`` as ``column_kind`` names it."""
    if column_type == "text":
        return f"`{column}` = ''"
    if column_type == "uuid" and not (kind == "failed" and column == "event_id"):
        return f"`{column}` = toUUID('{NO_UUID}')"
    if column in ("collector_tstamp", "failed_at") and kind != "failed":
        return f"toUnixTimestamp64Milli(`{column}`) = 0"
    return f"`{column}` IS NULL"

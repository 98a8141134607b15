"""Filters as people write them: in a view's URL, in an API call, and in the settings of a sink."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote

from snowgauge.errors import QueryRefused
from snowgauge.events.enriched import ATOMIC_FIELD
from snowgauge.store.base import EventKind, Filter
from snowgauge.store.canonical import FAILED_FIELDS
from snowgauge.store.nested import nested_column


def filters(texts: Iterable[str], kind: EventKind) -> list[Filter]:
    """``column:a~b`` (any of), ``column:!a`` (none of), ``column:*a`` (contains), ``column:-`` (not set),
    ``column:+`` (set), ``column:>=a`` (at least), ``column:>a`` (above), ``column:<=a`` (at most), ``column:<a``
    (below), ``column:>=a~b`` (at least a and below b).
    Values are percent-encoded where they hold ``~`` or ``%``, and numbers, times and texts are compared as such.

    A column can be one inside of self-describing data, such as ``contexts/com.acme/cart/1/total`` (``store.nested``).
    A column that this kind of event does not have makes a condition that nothing meets, so that one view can show
    good and failed events side by side; ``QueryRefused`` for a column that no kind has.
    """
    return [one for text in texts if text for one in _filters(text, kind)]


def _filters(text: str, kind: EventKind) -> list[Filter]:
    column, colon, rest = text.partition(":")
    if not colon or (column not in ATOMIC_FIELD and column not in FAILED_FIELDS and nested_column(column) is None):
        raise QueryRefused(f"filter {text[:80]!r}: write column:value with a column of the events")
    column = column_of(column, kind) or column
    if rest == "-":
        return [Filter(column, "none")]
    if rest == "+":
        return [Filter(column, "some")]
    if rest.startswith((">", "<")):
        return _compared(text, column, rest)
    sign = rest[:1]
    op = _SIGNS.get(sign, "in")
    values = [unquote(value) for value in (rest[1:] if op != "in" else rest).split("~")]
    return [Filter(column, op, [value for value in values if value])]


_SIGNS: dict[str, Literal["in", "not_in", "contains"]] = {"!": "not_in", "*": "contains"}


_Order = Literal["gte", "gt", "lte", "lt"]
_ORDER: dict[_Order, str] = {"gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}
"""The longer signs first."""


def _compared(text: str, column: str, rest: str) -> list[Filter]:
    op, sign = next((name, sign) for name, sign in _ORDER.items() if rest.startswith(sign))
    first, tilde, second = rest[len(sign) :].partition("~")
    bounds: list[tuple[_Order, str]] = [(op, first)]
    if op == "gte" and second:
        bounds.append(("lt", second))
    elif op != "gte":
        bounds = [(op, first + tilde + second)]
    if not all(value for _, value in bounds):
        raise QueryRefused(f"filter {text[:80]!r}: write a value to compare with")
    return [Filter(column, name, [unquote(value)]) for name, value in bounds]


_FAILED_NAME = {"v_tracker": "tracker"}
_GOOD_NAME = {"tracker": "v_tracker"}


def column_of(column: str, kind: EventKind) -> str | None:
    """The name of a column in one kind of event; ``None`` where it has no such column."""
    if nested_column(column) is not None:
        return None if kind == "failed" else column
    if kind == "failed":
        name = _FAILED_NAME.get(column, column)
        return name if name in FAILED_FIELDS else None
    name = _GOOD_NAME.get(column, column)
    return name if name in ATOMIC_FIELD else None

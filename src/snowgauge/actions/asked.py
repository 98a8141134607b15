"""Reading what people ask for: a time range and filters, from the texts that also stand in a view's URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from snowgauge.errors import ActionRefused
from snowgauge.events.enriched import ATOMIC_FIELD
from snowgauge.store.base import EventKind, Filter, Selection
from snowgauge.store.canonical import FAILED_FIELDS
from snowgauge.store.nested import nested_column

_RELATIVE = re.compile(r"(\d{1,5})([mhd])")
_UNIT = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def time_range(text: str | None, now: int) -> tuple[int | None, int | None]:
    """``30m``, ``24h``, ``7d`` (until now), ``<ISO>~<ISO>`` with either side empty, ``all``: since and until, ms."""
    if not text or text == "all":
        return None, None
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return now - int(relative[1]) * _UNIT[relative[2]], None
    start, tilde, end = text.partition("~")
    if not tilde:
        raise ActionRefused(f"range {text[:60]!r}: write 30m, 24h, 7d, all, or two times with ~ between", status=422)
    return _instant(start), _instant(end)


def _instant(text: str) -> int | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ActionRefused(f"range: {text[:60]!r} is not a time such as 2026-01-31T12:00:00Z", status=422) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def filters(texts: Iterable[str], kind: EventKind) -> list[Filter]:
    """``column:a~b`` (any of), ``column:!a`` (none of), ``column:*a`` (contains), ``column:-`` (not set),
    ``column:+`` (set). Values are percent-encoded where they hold ``~`` or ``%``.

    A column can be one inside of self-describing data, such as ``contexts/com.acme/cart/1/total`` (``store.nested``).
    A column that this kind of event does not have makes a condition that nothing meets, so that one view can show
    good and failed events side by side; a column that no kind has is refused.
    """
    return [_filter(text, kind) for text in texts if text]


def _filter(text: str, kind: EventKind) -> Filter:
    from urllib.parse import unquote

    column, colon, rest = text.partition(":")
    if not colon or (column not in ATOMIC_FIELD and column not in FAILED_FIELDS and nested_column(column) is None):
        raise ActionRefused(f"filter {text[:80]!r}: write column:value with a column of the events", status=422)
    column = column_of(column, kind) or column
    if rest == "-":
        return Filter(column, "none")
    if rest == "+":
        return Filter(column, "some")
    sign = rest[:1]
    op = {"!": "not_in", "*": "contains"}.get(sign, "in")
    values = [unquote(value) for value in (rest[1:] if op != "in" else rest).split("~")]
    return Filter(column, op, [value for value in values if value])  # type: ignore[arg-type]


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


def selection(kind: EventKind, range_text: str | None, filter_texts: Iterable[str], now: int) -> Selection | None:
    """What to select; ``None`` when a filter names a column that this kind does not have: nothing meets it."""
    since, until = time_range(range_text, now)
    wanted = filters(filter_texts, kind)
    if any(column_of(one.column, kind) is None for one in wanted):
        return None
    return Selection(since, until, wanted)

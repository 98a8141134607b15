"""Reading what people ask for: a time range and filters, from the texts that also stand in a view's URL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from snowgauge.errors import ActionRefused, QueryRefused
from snowgauge.store import filter_texts
from snowgauge.store.base import EventKind, Filter, Selection
from snowgauge.store.filter_texts import column_of

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
    """Filters as ``store.filter_texts`` reads them."""
    try:
        return filter_texts.filters(texts, kind)
    except QueryRefused as refused:
        raise ActionRefused(str(refused), status=422) from None


Apps = Sequence[str] | None
"""The only applications whose events someone may see; ``None``: all."""


def of_apps(apps: Apps) -> list[Filter]:
    return [] if apps is None else [Filter("app_id", "in", list(apps))]


def selection(
    kind: EventKind, range_text: str | None, filter_texts: Iterable[str], now: int, apps: Apps = None
) -> Selection | None:
    """What to select; ``None`` when a filter names a column that this kind does not have: nothing meets it."""
    since, until = time_range(range_text, now)
    wanted = filters(filter_texts, kind)
    if any(column_of(one.column, kind) is None for one in wanted):
        return None
    return Selection(since, until, [*wanted, *of_apps(apps)])

"""Who is there now, from the events as they come in: nothing waits for the modeller.

Visitors of the last five minutes is one number wherever it is shown. An event counts by the time it was collected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.sql.bases import EVENTS
from snowgauge.analytics.sql.events import event_visitor
from snowgauge.analytics.sql.expressions import BucketStart, EpochMs, Instant
from snowgauge.analytics.sql.rows import DAY, Columns, Selected, Span, rows
from snowgauge.store.figures import Figures

MINUTES = 30
VISITOR_MINUTES = 5
_MINUTE = 60_000
_VIEWS = ("page_view", "screen_view")
_LISTS = {"pages": "page_urlpath", "referrers": "refr_urlhost", "countries": "geo_country"}
_ROWS = 10
_MOST = 100


@dataclass(frozen=True)
class LiveMinute:
    """``start`` in ms since 1970."""

    start: int
    visitors: int
    pageviews: int


@dataclass(frozen=True)
class LiveRow:
    """``value``: ``None``: not set."""

    value: str | None
    visitors: int


@dataclass(frozen=True)
class Live:
    """``visitors``: distinct ones of the last five minutes, with any event. The rest is of the last thirty."""

    at: int
    visitors: int
    minutes: list[LiveMinute]
    pages: list[LiveRow]
    referrers: list[LiveRow]
    countries: list[LiveRow]


def live(figures: Figures, apps: tuple[str, ...], now: int, *, seconds: float = 20) -> Live:
    """Bots and own traffic are left out once their visit has been modelled."""
    window = _Window(figures, apps, now - now % _MINUTE + _MINUTE, seconds)
    recent = window.rows(now - VISITOR_MINUTES * _MINUTE, lambda _: [])
    return Live(now, int(recent[0][0]), window.minutes(), *(window.top(column) for column in _LISTS.values()))


class _Window:
    """Events that were collected before ``end``."""

    def __init__(self, figures: Figures, apps: tuple[str, ...], end: int, seconds: float) -> None:
        self._figures = figures
        self._apps = apps
        self._end = end
        self._since = end - MINUTES * _MINUTE
        self._seconds = seconds

    def rows(
        self, since: int, keys: Callable[[Columns], list[sa.ColumnElement[Any]]], *, views_only: bool = False
    ) -> Sequence[Sequence[Any]]:
        """The keys, distinct visitors and page views, with most visitors first."""
        # an event may tell another time than that at which it was collected
        span = Span(since - 30 * DAY, self._end + DAY, self._apps, "people")
        made: list[sa.ColumnElement[Any]] = []

        def build(columns: Columns) -> Selected:
            made[:] = [key.label(f"d{at}") for at, key in enumerate(keys(columns))]
            visitor = sa.func.nullif(event_visitor(lambda name: columns("events", name)), "")
            is_view = columns("events", "event_name").in_(_VIEWS)
            views = sa.func.count(sa.distinct(sa.case((is_view, columns("events", "event_id")))))
            collected = columns("events", "collector_tstamp")
            within = sa.and_(collected >= Instant(since), collected < Instant(self._end))
            people = sa.func.count(sa.distinct(visitor)).label("visitors")
            return Selected([*made, people, views], sa.and_(within, is_view if views_only else sa.true()))

        statement = rows(EVENTS, span, self._figures, build)
        names: list[sa.ColumnElement[Any]] = [sa.literal_column(f"d{at}") for at in range(len(made))]
        if names:
            statement = statement.group_by(*names).order_by(sa.literal_column("visitors").desc(), *names).limit(_MOST)
        return self._figures.answer(statement, seconds=self._seconds).rows

    def minutes(self) -> list[LiveMinute]:
        starts = range(self._since, self._end, _MINUTE)
        found = self.rows(
            self._since, lambda columns: [BucketStart(EpochMs(columns("events", "collector_tstamp")), starts)]
        )
        by_start = {int(start): (int(visitors), int(views)) for start, visitors, views in found}
        return [LiveMinute(start, *by_start.get(start, (0, 0))) for start in starts]

    def top(self, column: str) -> list[LiveRow]:
        """The values with most visitors, of page views."""
        found = self.rows(
            self._since, lambda columns: [sa.func.coalesce(columns("events", column), "")], views_only=True
        )
        return [LiveRow(str(value) or None, int(visitors)) for value, visitors, _ in found[:_ROWS]]

"""The rows that a part of an answer is made of: a base with its period, application and traffic, and what it leads to.

A statement is built twice: the first time to see which columns of which tables it reads, the second time over a FROM
that has just these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import sqlalchemy as sa

from snowgauge.analytics.sql import tables
from snowgauge.analytics.sql.bases import EVENTS, LONGEST_VISIT_DAYS, Base, Home
from snowgauge.analytics.sql.events import event_session, event_time
from snowgauge.analytics.sql.expressions import Instant
from snowgauge.store.figures import Figures

Traffic = Literal["people", "bots", "internal", "all"]
TRAFFIC: dict[Traffic, str] = {
    "people": "visits of people, without bots and own traffic",
    "bots": "bots and crawlers",
    "internal": "own traffic, by the application's rules",
    "all": "all of it",
}
"""Whose visits are meant, in words."""

DAY = 86_400_000
_TABLES: dict[Home, sa.Table] = {
    "sessions": tables.SESSIONS,
    "page_views": tables.PAGE_VIEWS,
    "conversions": tables.CONVERSIONS,
    "web_vitals": tables.WEB_VITALS,
    "ecommerce_actions": tables.ECOMMERCE_ACTIONS,
    "app_errors": tables.APP_ERRORS,
}
_TIMES: dict[Home, str] = {"sessions": "start_tstamp", "page_views": "start_tstamp"}


class Columns(Protocol):
    """Gives the column of a table that the rows lead to."""

    def __call__(self, home: Home, name: str) -> sa.ColumnElement[Any]: ...


@dataclass(frozen=True)
class Span:
    """From ``start`` to ``end`` (ms, not included); of ``apps``, or of all where there are none."""

    start: int
    end: int
    apps: tuple[str, ...]
    traffic: Traffic

    def widened(self, days: int) -> Span:
        """With room for whole visits, of any traffic: for what another condition narrows."""
        return Span(self.start - days * DAY, self.end + days * DAY, self.apps, "all")


@dataclass(frozen=True)
class Selected:
    """What a statement takes of the rows: named columns, and a condition."""

    columns: Sequence[sa.ColumnElement[Any]]
    where: sa.ColumnElement[bool]


class _Seen:
    """Writes down which columns are read."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.columns: dict[Home, dict[str, None]] = {}

    def __call__(self, home: Home, name: str) -> sa.ColumnElement[Any]:
        self.columns.setdefault(home, {})[name] = None
        return table(home, self._figures).c[name] if name not in ("t", "session_id") or home != "events" else sa.null()


def table(home: Home, figures: Figures) -> sa.Table:
    """The table itself."""
    return figures.events if home == "events" else _TABLES[home]


def rows(base: Base, span: Span, figures: Figures, build: Callable[[Columns], Selected]) -> sa.Select[Any]:
    """``build``'s columns over the base's rows in the span."""

    def whole(columns: Columns) -> Selected:
        selected = build(columns)
        return Selected(selected.columns, sa.and_(*_within(base, span, columns), selected.where))

    seen = _Seen(figures)
    whole(seen)
    own = table(base.home, figures).alias(base.name)
    joined: dict[Home, sa.FromClause] = {}
    source: sa.FromClause = own

    def columns(home: Home, name: str) -> sa.ColumnElement[Any]:
        if home != base.home:
            return joined[home].c[name]
        return _own(base, own, name)

    for home, keys in base.joins.items():
        if home not in seen.columns:
            continue
        names = dict.fromkeys((*(other for _, other in keys), *seen.columns[home]))
        joined[home] = _others(home, tuple(names), base, span, figures)
        met = [sa.func.coalesce(_own(base, own, mine), "") == sa.func.coalesce(joined[home].c[other], "")
               for mine, other in keys]  # fmt: skip
        source = source.join(joined[home], sa.and_(*met), isouter=True)
    selected = whole(columns)
    statement = sa.select(*selected.columns).select_from(source).where(selected.where)
    return statement if base.home == "events" else figures.counted(statement, own)


def _own(base: Base, own: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    if base is EVENTS and name == "t":
        return event_time(own)
    if base is EVENTS and name == "session_id":
        return event_session(own)
    return own.c[name]


def _others(home: Home, names: Sequence[str], base: Base, span: Span, figures: Figures) -> sa.FromClause:
    """The rows of another table that rows in the span may lead to, with the columns that are read."""
    other = table(home, figures).alias(f"{home}_rows")
    time = other.c[_TIMES.get(home, "t")]
    near = [time >= Instant(span.start - base.days_back * DAY), time < Instant(span.end + LONGEST_VISIT_DAYS * DAY)]
    keys = [sa.func.coalesce(other.c[column], "") != "" for _, column in base.joins[home][:1]]
    statement = sa.select(*(other.c[name] for name in names)).where(*near, *_of_apps(other.c["app_id"], span), *keys)
    return figures.counted(statement, other).subquery(f"its_{home}")


def _of_apps(app: sa.ColumnElement[Any], span: Span) -> list[sa.ColumnElement[bool]]:
    if not span.apps:
        return []
    return [app.in_([sa.bindparam(None, one, sa.String()) for one in span.apps])]


def _within(base: Base, span: Span, columns: Columns) -> list[sa.ColumnElement[bool]]:
    time = columns(base.home, base.time)
    met = [time >= Instant(span.start), time < Instant(span.end)]
    if base is EVENTS:
        # the time of an event is at most 30 days before it was collected, and a day after: this finds the months to
        # read
        collected = columns("events", "collector_tstamp")
        met += [collected >= Instant(span.start - DAY), collected < Instant(span.end + 31 * DAY)]
    met += _of_apps(columns(base.home, "app_id"), span)
    if span.traffic != "all":
        is_bot = sa.func.coalesce(columns(*base.bot), sa.false())
        internal_home: Home = "page_views" if base.home == "page_views" else "sessions"
        is_internal = sa.func.coalesce(columns(internal_home, "is_internal"), sa.false())
        whose: dict[Traffic, list[sa.ColumnElement[bool]]] = {
            "people": [sa.not_(is_bot), sa.not_(is_internal)],
            "bots": [is_bot],
            "internal": [is_internal],
        }
        met += whose[span.traffic]
    return met

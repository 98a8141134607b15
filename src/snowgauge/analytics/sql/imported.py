"""Imported days beside what was tracked: which of them a question may count, and their rows in its statement.

They are daily sums by one report each, so they answer what one report is divided by, over whole days. A day on which an
application has page views of its own is never taken from an import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.buckets import INTERVALS, offsets
from snowgauge.analytics.conditions import conditions
from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.measures import Measure, share
from snowgauge.analytics.question import Along, Question
from snowgauge.analytics.sql import tables
from snowgauge.analytics.sql.bases import Base, Home
from snowgauge.analytics.sql.expressions import BucketStart, DayMs, Nothing, NothingText, Ratio, Total
from snowgauge.analytics.sql.filters import carries, holds
from snowgauge.modelling.tables.imported import REPORTS
from snowgauge.store.figures import Figures

BASE = Base("imported", "imported days", "sessions", "day", {"page_views": (), "events": ()}, people=False)
"""Its rows have columns that are called as in these tables."""

_HALF_DAY = 43_200_000
_Sums = Callable[[str], sa.ColumnElement[Any]]
_FIGURES: dict[str, tuple[tuple[str, ...], Callable[[_Sums], sa.ColumnElement[Any]]]] = {
    "visitors": (("visitors",), lambda total: total("visitors")),
    "visits": (("visits",), lambda total: total("visits")),
    "pageviews": (("views",), lambda total: total("views")),
    "views_per_visit": (("views", "visits"), lambda total: Ratio(total("views"), total("visits"))),
    "bounce_rate": (("bounces", "visits"), lambda total: share(total("bounces"), total("visits"))),
    "visit_duration": (("duration_s", "visits"), lambda total: Ratio(total("duration_s"), total("visits"))),
    "events": (("events",), lambda total: total("events")),
}
"""What imported sums tell of a measure, and of which figures it is made."""


@dataclass(frozen=True)
class Counted:
    """What of the imports counts: one report of these, without the days (since 1970) that an application has of its
    own."""

    report: str
    imports: tuple[str, ...]
    own_days: Mapping[str, tuple[int, ...]]


class LeftOut(Exception):
    """No imported figure can be given; says why."""


def fitting(question: Question, reports: Iterable[str]) -> str:
    """The report of these that answers a question. Raises ``LeftOut``."""
    along = question.along
    if question.traffic not in ("people", "all"):
        raise LeftOut("imported days do not tell bots and own traffic")
    if question.period.first is None:
        raise LeftOut("imported days are whole days, and the period is not made of them")
    if along is not None and (along.dimension.clock is not None or _is_short(along)):
        raise LeftOut("imported days have no hours")
    dimensions = [one for one in question.dimensions if isinstance(one, Dimension)]
    asked = [*dimensions, *(one.dimension for each in question.filters for one in conditions(each))]
    if not all(carries(BASE, each) for each in question.filters):
        raise LeftOut("imported days have nothing that the filters ask for")
    columns = {name for one in asked for name in _read(one)} - {"app_id"}
    named = ", ".join(dict.fromkeys(one.name for one in asked))
    fit = [name for name in REPORTS if name in set(reports) and columns <= set(REPORTS[name].columns)]
    if not fit:
        raise LeftOut(
            f"no imported report has {named} together" if columns else "there is no imported report of visits"
        )
    for name in fit:
        if any(told(question, name)):
            return name
    raise LeftOut("imported days have none of these figures")


def told(question: Question, report: str) -> list[bool]:
    """For each measure: does the report tell it?"""
    held = REPORTS[report]
    divided = {name for one in question.dimensions if isinstance(one, Dimension) for name in _read(one)}
    known = {*held.figures, *(held.each if held.by in divided else ())}
    return [one.name in _FIGURES and set(_FIGURES[one.name][0]) <= known for one in question.measures]


def with_imported(
    question: Question, own: sa.Select[Any], counted: Counted, figures: Figures
) -> tuple[sa.Select[Any], list[sa.ColumnElement[Any]]]:
    """``own``, a statement with ``d…``, ``m…`` and ``c…``, with the rows of imported days, and their figures as
    ``i…``; and what to order by a measure: both together."""
    mine = own.subquery("own")
    other = _days(question, counted, figures).subquery("imported")
    dimensions = [f"d{at}" for at in range(len(question.dimensions))]
    measures = [f"m{at}" for at in range(len(question.measures))]
    currencies = [name for name in mine.c.keys() if name.startswith("c")]  # noqa: SIM118 - columns, not a dict
    added = [f"i{at}" for at in range(len(question.measures))]
    nothing = [Nothing().label(name) for name in added]
    first = sa.select(*(mine.c[name] for name in (*dimensions, *measures, *currencies)), *nothing)
    second = sa.select(
        *(other.c[name] for name in dimensions),
        *(Nothing().label(name) for name in measures),
        *((NothingText()).label(name) for name in currencies),
        *(other.c[name] for name in added),
    )
    every = sa.union_all(first, second).subquery("both")
    keys = [every.c[name] for name in dimensions]

    def most(name: str) -> sa.ColumnElement[Any]:
        return sa.func.max(every.c[name])

    values = [
        (sa.func.coalesce(most(name), 0.0) if one.is_count else most(name)).label(name)
        for name, one in zip(measures, question.measures, strict=True)
    ]
    groups = sa.select(
        *keys, *values, *(most(name).label(name) for name in currencies), *(most(name).label(name) for name in added)
    )
    folded = groups.group_by(*keys).subquery("groups_with_imported")
    order = [_together(one, folded.c[f"m{at}"], folded.c[f"i{at}"]) for at, one in enumerate(question.measures)]
    return sa.select(*folded.c).select_from(folded), order


def _together(one: Measure, mine: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if one.is_count:
        return sa.func.coalesce(mine, 0.0) + sa.func.coalesce(other, 0.0)
    return sa.func.coalesce(mine, other)


def _days(question: Question, counted: Counted, figures: Figures) -> sa.Select[Any]:
    """The rows ``d…`` and ``i…`` of the days that count."""
    own = tables.IMPORTED_DAYS.alias("imported_days")
    known = told(question, counted.report)

    def columns(home: Home, name: str) -> sa.ColumnElement[Any]:
        assert home in BASE.reach
        return own.c[name]

    # noon of the local day, which a clock change does not move out of the day
    at = DayMs(own.c["day"]) + sa.literal_column(str(_HALF_DAY - offsets(question.period)[0][1]), sa.BigInteger())
    start, end = (sa.literal_column(str(ms), sa.BigInteger()) for ms in (question.period.start, question.period.end))
    met = [
        own.c["import_id"].in_([sa.bindparam(None, one, sa.String()) for one in counted.imports]),
        own.c["report"] == counted.report,
        at >= start,
        at < end,
        *(
            sa.not_(sa.and_(own.c["app_id"] == sa.bindparam(None, app, sa.String()), _on(own.c["day"], days)))
            for app, days in counted.own_days.items()
        ),
        *(holds(one, BASE, columns, figures) for one in question.filters),
    ]
    if question.apps:
        met.append(own.c["app_id"].in_([sa.bindparam(None, one, sa.String()) for one in question.apps]))
    names, divided = [], []
    for number, one in enumerate(question.dimensions):
        names.append(f"d{number}")
        if isinstance(one, Along):
            divided.append(BucketStart(at, [bucket.start for bucket in one.buckets]).label(names[-1]))
            continue
        found = one.place(BASE)
        assert found is not None
        divided.append(found[1](lambda name: own.c[name]).label(names[-1]))
    taken = [
        (_FIGURES[one.name][1](lambda name: Total(own.c[name])) if known[at_measure] else Nothing()).label(
            f"i{at_measure}"
        )
        for at_measure, one in enumerate(question.measures)
    ]
    statement = sa.select(*divided, *taken).where(*met)
    if names:
        statement = statement.group_by(*map(sa.literal_column, names))
    return figures.counted(statement, own)


def _on(day: sa.ColumnElement[Any], days: Sequence[int]) -> sa.ColumnElement[bool]:
    ms = DayMs(day)
    return ms.in_([sa.literal_column(str(one * 86_400_000), sa.BigInteger()) for one in days])


def _read(one: Dimension) -> list[str]:
    """The columns that a dimension reads."""
    found = one.place(BASE)
    names: list[str] = []

    def get(name: str) -> sa.ColumnElement[Any]:
        names.append(name)
        return sa.column(name, sa.String())

    if found is None:
        return [one.name]
    found[1](get)
    return names


def _is_short(along: Along) -> bool:
    return any(bucket.end - bucket.start < INTERVALS["day"] - INTERVALS["hour"] and not bucket.partial
               for bucket in along.buckets)  # fmt: skip

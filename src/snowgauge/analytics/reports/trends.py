"""Trends: any events over time, one series each: how often, by how many people, and figures of a number they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.answer import Figure
from snowgauge.analytics.buckets import INTERVALS, Bucket, buckets, offered
from snowgauge.analytics.dimensions import Dimension, dimension
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.answers import Reporter, ReportMeta
from snowgauge.analytics.reports.asked import Happening, choice, happening, scope, shown
from snowgauge.analytics.reports.moments import Decimal
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.reports.values import value_of
from snowgauge.analytics.sql.expressions import BucketStart, Mean, Number, Quantile, Ratio, Total

Measured = Literal["count", "people", "per_person", "sum", "mean", "median", "p90", "p99"]
MEASURES: dict[Measured, str] = {
    "count": "distinct events",
    "people": "distinct people",
    "per_person": "events per person",
    "sum": "sum of the property",
    "mean": "mean of the property",
    "median": "median of the property",
    "p90": "90th percentile of the property",
    "p99": "99th percentile of the property",
}
_OF_EVENTS: tuple[Measured, ...] = ("count", "people", "per_person")
_LEVELS = {"median": 0.5, "p90": 0.9, "p99": 0.99}
FIELDS = ("series", "interval")
MOST_SERIES = 10


@dataclass(frozen=True)
class Series:
    """``of``: the number that is measured, a property of the event; ``None`` where events or people are counted."""

    event: Happening
    measure: Measured
    of: Dimension | None


@dataclass(frozen=True)
class Trends:
    question: Question
    series: tuple[Series, ...]
    intervals: Sequence[Bucket]


@dataclass(frozen=True)
class TrendLine:
    """``values``: one for each label; ``None``: nothing to measure, or it lies in the future. ``total``: of the whole
    period, which for people is less than the sum."""

    label: str
    measure: str
    values: list[Figure]
    total: Figure


@dataclass(frozen=True)
class TrendsAnswer:
    """``labels``: the beginnings of the intervals."""

    labels: list[str]
    results: list[TrendLine]
    meta: ReportMeta
    query: dict[str, object]


def read_trends(given: Mapping[str, Any], around: Surroundings) -> Trends:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS, breakdown=False, compared=False)
    listed = given.get("series")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_SERIES:
        raise QuestionRefused("series", f"expected a list of 1 to {MOST_SERIES}, found {shown(listed)}")
    series = tuple(_series(one, f"series[{at}]", around) for at, one in enumerate(listed))
    interval = choice(given.get("interval"), tuple(INTERVALS), offered(question.period)[0], "interval")
    return Trends(question, series, buckets(question.period, interval, question.now, where="interval"))


def _series(given: Any, where: str, around: Surroundings) -> Series:
    if not isinstance(given, dict):
        raise QuestionRefused(where, f"expected an object with kind, name and measure, found {shown(given)}")
    measure = choice(given.get("measure"), tuple(MEASURES), "count", f"{where}.measure")
    own = ("measure", "property")
    event = happening({name: value for name, value in given.items() if name not in own}, where, around)
    name = given.get("property")
    if measure in _OF_EVENTS:
        if name is not None:
            raise QuestionRefused(f"{where}.property", f"{measure} is of events and people, not of a property")
        return Series(event, measure, None)
    if not isinstance(name, str):
        raise QuestionRefused(f"{where}.property", f"{measure} needs the name of a property, found {shown(name)}")
    of = dimension(name, f"{where}.property")
    if (of.kind != "number" and of.nested is None) or of.place(event.base) is None:
        raise QuestionRefused(f"{where}.property", f"{name[:200]} is no number of a {event.kind}")
    return Series(event, measure, of)


def answer(asked: Trends, reporter: Reporter, query: dict[str, object]) -> TrendsAnswer:
    """Raises ``QueryRefused``, ``StoreUnavailable``."""
    lines = [_line(asked, one, reporter) for one in asked.series]
    definitions: dict[str, str] = {one.measure: f"{MEASURES[one.measure].capitalize()}." for one in asked.series}
    return TrendsAnswer(
        [one.label for one in asked.intervals], lines, reporter.meta(asked.question, definitions), query
    )


def _line(asked: Trends, one: Series, reporter: Reporter) -> TrendLine:
    period = asked.question.period
    taken = Taken(one.event.base, one.event.filters, 1, (period.start, period.end), bool(one.event.name))
    value = None if one.of is None else value_of(one.of)
    stream = Stream("event", (taken,), asked.question.span, asked.question.filters, value)
    c = select(stream, reporter.figures).c
    reporter.note(stream.apart)
    # an event counts once, however often it is stored
    once = (
        sa.select(c["id"], c["ms"], *(sa.func.max(c[name]).label(name) for name in ("person", "value")))
        .group_by(c["id"], c["ms"])
        .subquery("once")
    )
    figure = _figure(one.measure, once)
    p = BucketStart(once.c["ms"], [bucket.start for bucket in asked.intervals]).label("p")
    rows = reporter.run(sa.select(p, figure).group_by(sa.literal_column("p")), show=True)
    found = {int(start): _rounded(number) for start, number in rows}
    nothing = 0 if one.measure in ("count", "people") else None
    values = [None if bucket.future else found.get(bucket.start, nothing) for bucket in asked.intervals]
    total = _rounded(reporter.run(sa.select(figure).select_from(once))[0][0])
    return TrendLine(one.event.label, one.measure, values, total)


def _figure(measure: Measured, once: sa.Subquery) -> sa.ColumnElement[Any]:
    people = sa.func.count(sa.distinct(sa.func.nullif(once.c["person"], "")))
    number = Decimal(once.c["value"])
    if measure == "count":
        return sa.func.count()
    if measure == "people":
        return people
    if measure == "per_person":
        known = sa.func.count(sa.func.nullif(once.c["person"], ""))
        return Ratio(Number(known), people)
    if measure == "sum":
        return Total(number)
    return Mean(number) if measure == "mean" else Quantile(_LEVELS[measure], number)


def _rounded(value: Any) -> Figure:
    return None if value is None else round(float(value), 6)

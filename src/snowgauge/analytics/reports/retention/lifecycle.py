"""Lifecycle: who is new, comes again, comes back after a while or stays out; and stickiness: on how many days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.buckets import Bucket, buckets, widened
from snowgauge.analytics.periods import Period
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.reports.answers import Reporter, ReportMeta
from snowgauge.analytics.reports.asked import Happening, happening, scope
from snowgauge.analytics.reports.moments import Whole as WholeNumber
from snowgauge.analytics.reports.retention.periods import DEFINITION, Whole, intervals
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.sql.expressions import BucketStart

FIELDS = ("event", "interval")
_BEFORE = 1
"""The start of the time before the report's first intervals, in ms."""


@dataclass(frozen=True)
class Activity:
    """Who does ``event`` in which of the ``intervals``; ``question`` is over these."""

    question: Question
    event: Happening
    interval: Whole
    intervals: Sequence[Bucket]


@dataclass(frozen=True)
class LifecyclePoint:
    """People of one interval. ``active`` is the sum of the first three; ``dormant`` were active in the interval before
    and are not now; ``None``: the interval is not over."""

    label: str
    new: int
    returning: int
    resurrecting: int
    dormant: int | None
    active: int
    running: bool


@dataclass(frozen=True)
class LifecycleAnswer:
    """One result for each interval that has begun."""

    results: list[LifecyclePoint]
    meta: ReportMeta
    query: dict[str, object]


@dataclass(frozen=True)
class StickinessRow:
    """``people`` who were active in exactly ``intervals`` of them; ``at_least``: in as many or more."""

    intervals: int
    people: int
    at_least: int


@dataclass(frozen=True)
class StickinessAnswer:
    """One result for each number of intervals, from 1 to all of the period's."""

    results: list[StickinessRow]
    meta: ReportMeta
    query: dict[str, object]


def read_activity(given: Mapping[str, Any], around: Surroundings, usual: Whole) -> Activity:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS, breakdown=False, compared=False)
    question, interval, cut = intervals(given, question, usual)
    return Activity(question, happening(given.get("event"), "event", around), interval, cut)


def lifecycle(asked: Activity, reporter: Reporter, query: dict[str, object]) -> LifecycleAnswer:
    """Raises ``QueryRefused``, ``StoreUnavailable``."""
    before = _interval_before(asked)
    edges = [_BEFORE, before.start, *(one.start for one in asked.intervals)]
    active = _active(asked, reporter, edges, since=_BEFORE)
    last, following = (_beside(active, by).label(name) for by, name in ((-1, "last"), (1, "following")))
    rows_of = sa.select(active.c["unit"], active.c["p"], last, following).subquery("sides")
    c = rows_of.c
    found = reporter.run(
        sa.select(c["p"], c["last"], c["following"], sa.func.count())
        .where(c["p"] > _BEFORE)
        .group_by(c["p"], c["last"], c["following"]),
        show=True,
    )
    counts: dict[tuple[int, str], int] = {}
    place = {start: at for at, start in enumerate(edges)}
    for p, before_it, after_it, count in found:
        at = place[int(p)]
        if not before_it:
            state = "new"
        else:
            state = "returning" if place[int(before_it)] == at - 1 and at > 1 else "resurrecting"
        counts[at, state] = counts.get((at, state), 0) + int(count)
        if place.get(int(after_it)) != at + 1:
            counts[at + 1, "dormant"] = counts.get((at + 1, "dormant"), 0) + int(count)
    results = []
    for at, one in enumerate(asked.intervals, 2):
        if one.future:
            continue
        new, returning, resurrecting, dormant = (
            counts.get((at, state), 0) for state in ("new", "returning", "resurrecting", "dormant")
        )
        results.append(
            LifecyclePoint(
                one.label, new, returning, resurrecting, None if one.running else dormant,
                new + returning + resurrecting, one.running,
            )
        )  # fmt: skip
    definitions = {
        "new": "Active for the first time in all history.",
        "returning": f"Active in the {asked.interval} before, too.",
        "resurrecting": f"Active earlier, but not in the {asked.interval} before.",
        "dormant": f"Active in the {asked.interval} before, and not in this one.",
        "period": DEFINITION,
    }
    return LifecycleAnswer(results, reporter.meta(asked.question, definitions), query)


def stickiness(asked: Activity, reporter: Reporter, query: dict[str, object]) -> StickinessAnswer:
    """Raises ``QueryRefused``, ``StoreUnavailable``."""
    active = _active(asked, reporter, [one.start for one in asked.intervals], since=asked.question.period.start)
    each = sa.select(active.c["unit"], sa.func.count().label("n")).group_by(active.c["unit"]).subquery("each")
    found = reporter.run(sa.select(each.c["n"], sa.func.count()).group_by(each.c["n"]), show=True)
    people = {int(number): int(count) for number, count in found}
    most = sum(not one.future for one in asked.intervals)
    results = [
        StickinessRow(number, people.get(number, 0), sum(count for n, count in people.items() if n >= number))
        for number in range(1, most + 1)
    ]
    definitions = {
        "people": f"Distinct people by the number of distinct {asked.interval}s with the event: {asked.event.label}.",
        "period": DEFINITION,
    }
    return StickinessAnswer(results, reporter.meta(asked.question, definitions), query)


def _interval_before(asked: Activity) -> Bucket:
    period = asked.question.period
    just = replace(period, start=period.start - 1, end=period.start, first=None, last=None)
    earlier: Period = widened(just, asked.interval)
    return buckets(earlier, asked.interval, asked.question.now, where="interval")[0]


def _active(asked: Activity, reporter: Reporter, edges: Sequence[int], *, since: int) -> sa.Subquery:
    """Columns ``unit`` and ``p``, each pair once."""
    taken = Taken(asked.event.base, asked.event.filters, 1, (since, asked.question.period.end), bool(asked.event.name))
    stream = Stream("person", (taken,), asked.question.span, asked.question.filters, links=True)
    c = select(stream, reporter.figures).c
    reporter.note(stream.apart)
    return sa.select(c["unit"], BucketStart(c["ms"], edges).label("p")).distinct().subquery("active")


def _beside(rows_of: sa.Subquery, by: int) -> sa.ColumnElement[Any]:
    """The interval so many before or after of the same person; 0: there is none."""
    found = sa.func.max(rows_of.c["p"]).over(partition_by=rows_of.c["unit"], order_by=rows_of.c["p"], rows=(by, by))
    return WholeNumber(sa.func.coalesce(found, 0))

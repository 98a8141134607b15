"""Retention: of the people who did something in a day, week or month, how many came back in the ones after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.answer import Cell
from snowgauge.analytics.buckets import Bucket
from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.reports.answers import Reporter, ReportMeta
from snowgauge.analytics.reports.asked import Happening, choice, divided, happening, scope, whole
from snowgauge.analytics.reports.moments import FirstText
from snowgauge.analytics.reports.retention.periods import DEFINITION, Whole, intervals
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.reports.values import value_of
from snowgauge.analytics.sql.expressions import BucketStart

Mode = Literal["first", "recurring"]
MODES: dict[Mode, str] = {
    "first": "people belong to the interval of their first start event ever",
    "recurring": "people belong to every interval in which they have a start event",
}
Returning = Literal["on", "on_or_after"]
RETURNING: dict[Returning, str] = {
    "on": "in exactly the interval that is told",
    "on_or_after": "in the interval that is told or in a later one",
}
FIELDS = ("start", "back", "interval", "mode", "returning", "limit")
MOST_GROUPS = 20
_KEPT, _OTHER = "kept", "other"


@dataclass(frozen=True)
class Retention:
    """``question`` is over the whole ``intervals``."""

    question: Question
    start: Happening
    back: Happening
    interval: Whole
    intervals: Sequence[Bucket]
    mode: Mode
    returning: Returning
    limit: int

    @property
    def breakdown(self) -> Dimension | None:
        return divided(self.question, self.start.base)


@dataclass(frozen=True)
class Cohort:
    """People who began in the interval ``label``: ``size`` of them. ``counts``: how many came back in that interval and
    in each after it; ``None``: it has not begun. ``running``: those of ``counts`` whose interval is not over."""

    label: str
    size: int
    counts: list[int | None]
    rates: list[float | None]
    running: int | None


@dataclass(frozen=True)
class RetentionGroup:
    """``value`` of the breakdown, as in a funnel. ``mean``: in per cent, over the cohorts that have had the whole
    interval, weighted by their sizes."""

    value: Cell
    other: bool
    cohorts: list[Cohort]
    mean: list[float | None]


@dataclass(frozen=True)
class RetentionAnswer:
    """``results``: all together first, then the values of the breakdown, largest first."""

    results: list[RetentionGroup]
    meta: ReportMeta
    query: dict[str, object]


def read_retention(given: Mapping[str, Any], around: Surroundings) -> Retention:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS, compared=False)
    question, interval, cut = intervals(given, question)
    start = happening(given.get("start"), "start", around)
    back = start if given.get("back") is None else happening(given["back"], "back", around)
    mode = choice(given.get("mode"), tuple(MODES), "first", "mode")
    returning = choice(given.get("returning"), tuple(RETURNING), "on", "returning")
    limit = whole(given.get("limit"), 1, MOST_GROUPS, 10, "limit")
    found = Retention(question, start, back, interval, cut, mode, returning, limit)
    _ = found.breakdown
    return found


def answer(asked: Retention, reporter: Reporter, query: dict[str, object]) -> RetentionAnswer:
    """Raises ``QueryRefused``, ``StoreUnavailable``."""
    cohorts = _cohorts(asked, reporter)
    value = cohorts.c["value"]
    values: list[str] = []
    if asked.breakdown is not None:
        count = sa.func.count().label("n")
        found = sa.select(value, count).group_by(value).order_by(count.desc(), value).limit(asked.limit)
        values = [str(one) for one, _ in reporter.run(found)]
    kept = value.in_([sa.bindparam(None, one, sa.String()) for one in values]) if values else sa.false()
    kind = sa.case((kept, _KEPT), else_=_OTHER).label("kind")
    name = sa.case((kept, value), else_="").label("name")
    began = cohorts.c["p"].label("began")
    sizes = reporter.run(sa.select(kind, name, began, sa.func.count()).group_by(kind, name, began))
    back = _returns(asked, reporter)
    both = cohorts.join(back, cohorts.c["unit"] == back.c["unit"])
    later = sa.or_(
        back.c["p"] > cohorts.c["p"],
        # in the same interval one has to come back at or after the beginning
        sa.and_(back.c["p"] == cohorts.c["p"], back.c["last_ms"] >= cohorts.c["first_ms"]),
    )
    came = back.c["p"].label("came")
    if asked.returning == "on_or_after":
        came = sa.func.max(back.c["p"]).label("came")
    pairs = sa.select(cohorts.c["unit"].label("who"), kind, name, began, came).select_from(both).where(later)
    if asked.returning == "on_or_after":
        pairs = pairs.group_by(*(sa.literal_column(column) for column in ("who", "kind", "name", "began")))
    rows_of = pairs.subquery("pairs")
    groups = [rows_of.c[column] for column in ("kind", "name", "began")]
    arrived = rows_of.c["came"]
    cells = reporter.run(sa.select(*groups, arrived, sa.func.count()).group_by(*groups, arrived), show=True)
    table = _Table(asked, sizes, cells)
    results = [table.group(None, [(_KEPT, one) for one in values] + [(_OTHER, "")], None)]
    results += [table.group(one, [(_KEPT, one)], False) for one in values]
    if asked.breakdown is not None and table.has(_OTHER, ""):
        results.append(table.group("", [(_OTHER, "")], True))
    definitions = {
        "size": f"Distinct people; {MODES[asked.mode]}. People who are known for one day at a time are left out.",
        "counts": f"Those of them who came back {RETURNING[asked.returning]}: {asked.back.label}. In the first "
        "interval at or after they began.",
        "mean": "In per cent, weighted by the sizes of the cohorts that have had the whole interval.",
        "period": DEFINITION,
    }
    return RetentionAnswer(results, reporter.meta(asked.question, definitions), query)


def _cohorts(asked: Retention, reporter: Reporter) -> sa.Subquery:
    """Columns ``unit``, ``p`` (start of the interval), ``first_ms``, ``value``."""
    period = asked.question.period
    since = 1 if asked.mode == "first" else period.start
    breakdown = asked.breakdown
    taken = Taken(asked.start.base, asked.start.filters, 1, (since, period.end), bool(asked.start.name))
    stream = Stream(
        "person", (taken,), asked.question.span, asked.question.filters,
        None if breakdown is None else value_of(breakdown), links=True,
    )  # fmt: skip
    rows_of = select(stream, reporter.figures)
    reporter.note(stream.apart)
    c = rows_of.c
    edges = [*([since] if since < period.start else []), *(one.start for one in asked.intervals)]
    first = sa.func.min(c["ms"]).label("first_ms")
    value = FirstText(c["value"], c["ms"], c["id"], c["is_1"]).label("value")
    if asked.mode == "first":
        each = sa.select(c["unit"], first, value).group_by(c["unit"]).subquery("each")
        place = BucketStart(each.c["first_ms"], edges).label("p")
        return (
            sa.select(each.c["unit"], place, each.c["first_ms"], each.c["value"])
            .where(each.c["first_ms"] >= period.start)
            .subquery("cohorts")
        )
    p = BucketStart(c["ms"], edges).label("p")
    return sa.select(c["unit"], p, first, value).group_by(c["unit"], sa.literal_column("p")).subquery("cohorts")


def _returns(asked: Retention, reporter: Reporter) -> sa.Subquery:
    """Columns ``unit``, ``p``, ``last_ms``."""
    period = asked.question.period
    taken = Taken(asked.back.base, asked.back.filters, 1, (period.start, period.end), bool(asked.back.name))
    stream = Stream("person", (taken,), asked.question.span, asked.question.filters, links=True)
    c = select(stream, reporter.figures).c
    p = BucketStart(c["ms"], [one.start for one in asked.intervals]).label("p")
    last = sa.func.max(c["ms"]).label("last_ms")
    return sa.select(c["unit"], p, last).group_by(c["unit"], sa.literal_column("p")).subquery("returns")


class _Table:
    """Sizes and cells by the value of the breakdown and the numbers of intervals."""

    def __init__(self, asked: Retention, sizes: Sequence[Sequence[Any]], cells: Sequence[Sequence[Any]]) -> None:
        self._asked = asked
        place = {one.start: at for at, one in enumerate(asked.intervals)}
        self._sizes: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self._cells: dict[tuple[str, str], dict[tuple[int, int], int]] = defaultdict(dict)
        for kind, name, began, count in sizes:
            self._sizes[str(kind), str(name)][place[int(began)]] = int(count)
        for kind, name, began, came, count in cells:
            self._cells[str(kind), str(name)][place[int(began)], place[int(came)]] = int(count)

    def has(self, kind: str, name: str) -> bool:
        return bool(self._sizes.get((kind, name)))

    def group(self, value: str | None, keys: Sequence[tuple[str, str]], other: bool | None) -> RetentionGroup:
        cut = self._asked.intervals
        cohorts = []
        for at, one in enumerate(cut):
            size = sum(self._sizes.get(key, {}).get(at, 0) for key in keys)
            came = [sum(self._cells.get(key, {}).get((at, then), 0) for key in keys) for then in range(at, len(cut))]
            if self._asked.returning == "on_or_after":
                came = [sum(came[then:]) for then in range(len(came))]
            counts = [None if cut[at + k].future else count for k, count in enumerate(came)]
            rates = [None if count is None or not size else round(100 * count / size, 2) for count in counts]
            running = next((k for k in range(len(counts)) if cut[at + k].running), None)
            cohorts.append(Cohort(one.label, size, counts, rates, running))
        return RetentionGroup(value or None, bool(other), cohorts, self._mean(cohorts))

    def _mean(self, cohorts: Sequence[Cohort]) -> list[float | None]:
        found: list[float | None] = []
        for k in range(len(self._asked.intervals)):
            over = [one for one in cohorts if k < len(one.counts) and one.counts[k] is not None and one.running != k]
            size = sum(one.size for one in over)
            found.append(round(100 * sum(one.counts[k] or 0 for one in over) / size, 2) if size else None)
        return found

"""Answers funnels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.funnel.answer import (
    EDGES,
    FunnelAnswer,
    FunnelGroup,
    FunnelStep,
    Stopped,
    TimeBin,
    TimeToConvert,
)
from snowgauge.analytics.reports.funnel.following import following
from snowgauge.analytics.reports.funnel.question import ORDERS, Funnel
from snowgauge.analytics.reports.funnel.statement import attempts
from snowgauge.analytics.sql.expressions import Mean, Quantile

_OTHER = "other"
_KEPT = "kept"


def answer(funnel: Funnel, reporter: Reporter, asked: dict[str, object]) -> FunnelAnswer:
    """Raises ``QuestionRefused``, ``QueryRefused``, ``StoreUnavailable``."""
    found = _Groups(funnel, reporter)
    values = found.most_frequent() if funnel.breakdown is not None else []
    results = found.groups(values)
    comparison = None
    if funnel.question.comparison is not None:
        other = funnel.over(funnel.question.over(funnel.question.comparison.period, None))
        by_key = {
            (one.value, one.other, at == 0): one for at, one in enumerate(_Groups(other, reporter).groups(values))
        }
        comparison = [by_key.get((one.value, one.other, at == 0)) for at, one in enumerate(results)]
    who = "people" if funnel.unit == "person" else "visits"
    definitions = {
        "count": f"Distinct {who} that reached the step, {ORDERS[funnel.order]}, within "
        f"{funnel.window // 1000:,} seconds of the first. The first step is in the period, later ones may come after "
        "it. Of several attempts the one that got furthest counts, of equal ones the first.",
        "of_first": "In per cent of the first step.",
        "of_before": "In per cent of the step before.",
        "dropped": f"{who.capitalize()} that reached the step before and not this one.",
        "median_s": "Median of the seconds since the step before.",
        "open": f"{who.capitalize()} that have not reached the last step and still have time to.",
    }
    return FunnelAnswer(results, comparison, reporter.meta(funnel.question, definitions), asked)


def stopped(funnel: Funnel, step: int, reporter: Reporter, *, limit: int, offset: int, reached: bool) -> list[Stopped]:
    """Who got to the step and no further (``reached``: or further), the latest first."""
    rows, times, met = _at(funnel, step, reporter, reached=reached)
    statement = (
        sa.select(rows.c["unit"], rows.c["person"], times[0], times[step - 1])
        .where(*met)
        .order_by(times[0].desc(), rows.c["unit"])
        .limit(limit)
        .offset(offset)
    )
    found = reporter.run(statement)
    after = following(funnel, {str(unit): int(at) for unit, _, _, at in found}, reporter)
    return [
        Stopped(str(unit), str(person), int(began), int(at), after.get(str(unit))) for unit, person, began, at in found
    ]


def everyone(funnel: Funnel, step: int, reporter: Reporter, *, most: int, reached: bool) -> list[str]:
    """The person IDs of all of them. Raises ``QuestionRefused`` for more than ``most``."""
    rows, _, met = _at(funnel, step, reporter, reached=reached)
    person = rows.c["person"]
    statement = sa.select(person).where(*met, person != "").group_by(person).order_by(person).limit(most + 1)
    found = [str(one) for (one,) in reporter.run(statement)]
    if len(found) > most:
        raise QuestionRefused("step", f"there are more than {most:,} people at this step")
    return found


def _at(
    funnel: Funnel, step: int, reporter: Reporter, *, reached: bool
) -> tuple[sa.Subquery, list[sa.ColumnElement[Any]], list[sa.ColumnElement[bool]]]:
    """The attempts, their times, and the condition on one that it got to the step."""
    rows, _ = attempts(funnel, reporter.figures)
    times: list[sa.ColumnElement[Any]] = [rows.c[f"t{number}"] for number in range(1, len(funnel.steps) + 1)]
    met: list[sa.ColumnElement[bool]] = [times[step - 1] > 0]
    if not reached and step < len(times):
        met.append(times[step] == 0)
    return rows, times, met


class _Groups:
    def __init__(self, funnel: Funnel, reporter: Reporter) -> None:
        self._funnel = funnel
        self._reporter = reporter
        self._rows, stream = attempts(funnel, reporter.figures)
        reporter.note(stream.apart)
        self._times = [self._rows.c[f"t{number}"] for number in range(1, len(funnel.steps) + 1)]

    def most_frequent(self) -> list[str]:
        """Values of the breakdown with most who began."""
        value = self._rows.c["value"]
        count = sa.func.count().label("n")
        found = sa.select(value, count).group_by(value).order_by(count.desc(), value).limit(self._funnel.limit)
        return [str(one) for one, _ in self._reporter.run(found)]

    def groups(self, values: Sequence[str]) -> list[FunnelGroup]:
        """All together, then each value, then all others."""
        total = self._reporter.run(sa.select(*self._figures()), show=True)[0]
        found = [self._group(None, False, total)]
        if self._funnel.breakdown is None:
            return found
        value = self._rows.c["value"]
        kept = value.in_([sa.bindparam(None, one, sa.String()) for one in values])
        kind = sa.case((kept, _KEPT), else_=_OTHER).label("kind")
        name = sa.case((kept, value), else_="").label("name")
        rows = self._reporter.run(sa.select(kind, name, *self._figures()).group_by(kind, name))
        by_name = {(str(row[0]), str(row[1])): row[2:] for row in rows}
        for one in values:
            if (row := by_name.get((_KEPT, one))) is not None:
                found.append(self._group(one or None, False, row))
        if (row := by_name.get((_OTHER, ""))) is not None:
            found.append(self._group(None, True, row))
        return found

    def _figures(self) -> list[sa.ColumnElement[Any]]:
        times = self._times
        first, last = times[0], times[-1]
        converted = sa.case((last > 0, last - first))
        found: list[sa.ColumnElement[Any]] = [_count(time > 0) for time in times]
        for before, time in itertools.pairwise(times):
            since = sa.case((time > 0, time - before))
            found += [Quantile(0.5, since), Quantile(0.9, since)]
        found += [Mean(converted), Quantile(0.5, converted), Quantile(0.9, converted)]
        found += [_count(sa.and_(last > 0, converted >= edge * 1000)) for edge in EDGES]
        found.append(_count(sa.and_(last == 0, first + self._funnel.window > self._funnel.question.now)))
        return [one.label(f"f{at}") for at, one in enumerate(found)]

    def _group(self, value: str | None, other: bool, row: Sequence[Any]) -> FunnelGroup:
        count = len(self._times)
        counts = [int(number or 0) for number in row[:count]]
        pairs = [(_seconds(row[at]), _seconds(row[at + 1])) for at in range(count, count + 2 * (count - 1), 2)]
        rest = row[count + 2 * (count - 1) :]
        at_least = [int(number or 0) for number in rest[3 : 3 + len(EDGES)]]
        bins = [
            TimeBin(
                edge, EDGES[at + 1] if at + 1 < len(EDGES) else None,
                at_least[at] - (at_least[at + 1] if at + 1 < len(EDGES) else 0),
            )
            for at, edge in enumerate(EDGES)
        ]  # fmt: skip
        time = TimeToConvert(_seconds(rest[0]), _seconds(rest[1]), _seconds(rest[2]), bins)
        steps = [
            FunnelStep(
                step.label, counts[at], _percent(counts[at], counts[0]), _percent(counts[at], counts[max(at - 1, 0)]),
                counts[at - 1] - counts[at] if at else 0, *(pairs[at - 1] if at else (None, None)),
            )
            for at, step in enumerate(self._funnel.steps)
        ]  # fmt: skip
        return FunnelGroup(value, other, steps, int(rest[-1] or 0), time)


def _count(met: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.func.count(sa.case((met, 1)))


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _seconds(ms: Any) -> float | None:
    return None if ms is None else round(float(ms) / 1000, 3)

"""Funnels as statements: a row per person or visit with the times at which the best attempt reached the steps."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.reports.funnel.question import Funnel
from snowgauge.analytics.reports.moments import BestTry, Element, FirstText, Moments, Sorted, Whole
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.reports.values import value_of
from snowgauge.analytics.sql.bases import EVENTS
from snowgauge.store.figures import Figures

_ORDERED_BY = ("ms", "id")
_ONCE = ("OFFSET 0", "postgresql")
"""Keeps PostgreSQL from working out an attempt once for each of its steps."""


def attempts(funnel: Funnel, figures: Figures) -> tuple[sa.Subquery, Stream]:
    """Columns ``unit``, ``person``, ``value``, and ``t1`` … ``tn`` (ms; 0: not reached). With any order ``tk`` is when
    the k-th of the steps was reached, whichever it was."""
    stream = _stream(funnel)
    source = select(stream, figures)
    made = {"ordered": _in_order, "strict": _strictly, "any": _in_any_order}[funnel.order]
    return made(funnel, source), stream


def _stream(funnel: Funnel) -> Stream:
    period = funnel.question.period
    until = period.end + funnel.window
    taken = [
        Taken(one.base, one.filters, number, (period.start, period.end if number == 1 and funnel.order == "ordered"
                                              else until), bool(one.name))
        for number, one in enumerate(funnel.steps, 1)
    ]  # fmt: skip
    if funnel.order == "strict":
        taken.append(Taken(EVENTS, (), 0, (period.start, until), named=False))
    breakdown = funnel.breakdown
    value = None if breakdown is None else value_of(breakdown)
    return Stream(funnel.unit, tuple(taken), funnel.question.span, funnel.question.filters, value)


def _in_order(funnel: Funnel, stream: sa.Subquery) -> sa.Subquery:
    c = stream.c
    first = c["is_1"]
    steps = [Moments(c["ms"], c["id"], c[f"is_{number}"]).label(f"m{number}") for number in _numbers(funnel)]
    value = FirstText(c["value"], c["ms"], c["id"], first).label("value")
    gathered = (
        sa.select(c["unit"], sa.func.max(c["person"]).label("person"), value, *steps)
        .group_by(c["unit"])
        .having(sa.func.max(first) == 1)
        .subquery("gathered")
    )
    best = BestTry([gathered.c[f"m{number}"] for number in _numbers(funnel)], funnel.window).label("best")
    found = (
        sa.select(gathered.c["unit"], gathered.c["person"], gathered.c["value"], best)
        .with_statement_hint(*_ONCE)
        .subquery("found")
    )
    times = [Element(found.c["best"], number).label(f"t{number}") for number in _numbers(funnel)]
    return sa.select(found.c["unit"], found.c["person"], found.c["value"], *times).subquery("attempts")


def _steps_of(funnel: Funnel, stream: sa.Subquery) -> sa.Subquery:
    """One row per event, with the number of the first step that it meets, else 0."""
    c = stream.c
    met = sa.case(*((sa.func.max(c[f"is_{number}"]) == 1, number) for number in _numbers(funnel)), else_=0)
    keys = [c["unit"], c["ms"], c["id"]]
    return (
        sa.select(*keys, sa.func.max(c["person"]).label("person"), sa.func.max(c["value"]).label("value"),
                  Whole(met).label("step")).group_by(*keys).subquery("events_of_it")
    )  # fmt: skip


def _strictly(funnel: Funnel, stream: sa.Subquery) -> sa.Subquery:
    events = _steps_of(funnel, stream)
    c = events.c
    before, after = _beside(events, c["step"], -1), _beside(events, c["step"], 1)
    sides = sa.select(
        *c, before.label("step_before"), after.label("step_after"), _beside(events, c["ms"], 1).label("ms_after")
    ).subquery("sides")
    # of repeats the last first step of the period counts, and the first of every other step
    end = funnel.question.period.end
    s = sides.c
    repeated = sa.and_(s["step_after"] == 1, s["ms_after"] < end)
    keeps = sa.case((sa.and_(s["step"] == 1, s["ms"] < end), sa.not_(repeated)), else_=s["step_before"] != s["step"])
    kept = (
        sa.select(*(s[name] for name in ("unit", "ms", "id", "person", "value", "step"))).where(keeps).subquery("kept")
    )
    ahead = []
    for number in range(2, len(funnel.steps) + 1):
        ahead.append(_beside(kept, kept.c["step"], number - 1).label(f"s{number}"))
        ahead.append(_beside(kept, kept.c["ms"], number - 1).label(f"ms{number}"))
    chains = sa.select(*kept.c, *ahead).subquery("chains")
    times: list[sa.ColumnElement[Any]] = [chains.c["ms"].label("t1")]
    met: sa.ColumnElement[bool] = sa.true()
    for number in range(2, len(funnel.steps) + 1):
        near = chains.c[f"ms{number}"] <= chains.c["ms"] + funnel.window
        met = sa.and_(met, chains.c[f"s{number}"] == number, near)
        times.append(Whole(sa.case((met, chains.c[f"ms{number}"]), else_=0)).label(f"t{number}"))
    starts = sa.and_(chains.c["step"] == 1, chains.c["ms"] < funnel.question.period.end)
    tries = (
        sa.select(chains.c["unit"], chains.c["person"], chains.c["value"], chains.c["ms"], chains.c["id"], *times)
        .where(starts)
        .subquery("tries")
    )
    return _best(funnel, tries)


def _in_any_order(funnel: Funnel, stream: sa.Subquery) -> sa.Subquery:
    events = _steps_of(funnel, stream)
    c = events.c
    ahead = [
        Whole(
            sa.func.coalesce(
                sa.func.min(sa.case((c["step"] == number, c["ms"]))).over(
                    partition_by=c["unit"], order_by=c["ms"], range_=(0, funnel.window)
                ),
                0,
            )
        ).label(f"first{number}")
        for number in _numbers(funnel)
    ]
    reached = sa.select(*c, *ahead).subquery("ahead")
    firsts = [reached.c[f"first{number}"] for number in _numbers(funnel)]
    tries = (
        sa.select(*(reached.c[name] for name in ("unit", "person", "value", "ms", "id")),
                  Sorted(firsts).label("reached"))
        .where(reached.c["ms"] < funnel.question.period.end)
        .with_statement_hint(*_ONCE)
        .subquery("tries_in_any_order")
    )  # fmt: skip
    times = [Element(tries.c["reached"], number).label(f"t{number}") for number in _numbers(funnel)]
    laid = sa.select(*(tries.c[name] for name in ("unit", "person", "value", "ms", "id")), *times).subquery("tries")
    return _best(funnel, laid)


def _best(funnel: Funnel, tries: sa.Subquery) -> sa.Subquery:
    """Of each unit the deepest attempt, of equally deep ones the first; with the value of its first one."""
    times = [tries.c[f"t{number}"] for number in _numbers(funnel)]
    depth: sa.ColumnElement[Any] = sum((sa.case((time > 0, 1), else_=0) for time in times), sa.literal_column("0"))
    moment = [tries.c["ms"], tries.c["id"]]
    place = sa.func.row_number().over(partition_by=tries.c["unit"], order_by=[depth.desc(), *moment]).label("place")
    turn = sa.func.row_number().over(partition_by=tries.c["unit"], order_by=moment).label("turn")
    ranked = sa.select(*tries.c, place, turn).subquery("ranked")
    first = sa.func.max(sa.case((ranked.c["turn"] == 1, ranked.c["value"]), else_="")).label("value")
    best = [
        Whole(sa.func.max(sa.case((ranked.c["place"] == 1, ranked.c[f"t{number}"]), else_=0))).label(f"t{number}")
        for number in _numbers(funnel)
    ]
    return (
        sa.select(ranked.c["unit"], sa.func.max(ranked.c["person"]).label("person"), first, *best)
        .group_by(ranked.c["unit"])
        .subquery("attempts")
    )


def _beside(rows: sa.Subquery, column: sa.ColumnElement[Any], by: int) -> sa.ColumnElement[Any]:
    """The value so many rows after (before: negative) of the same unit, -1 where there is none."""
    found = sa.func.max(column + 1).over(
        partition_by=rows.c["unit"], order_by=[rows.c[name] for name in _ORDERED_BY], rows=(by, by)
    )
    return Whole(sa.func.coalesce(found, 0)) - 1


def _numbers(funnel: Funnel) -> range:
    return range(1, len(funnel.steps) + 1)

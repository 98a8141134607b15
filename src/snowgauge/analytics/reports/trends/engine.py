"""Answers trends: how often events occurred, by how many people, and figures of a number that they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.answer import Cell, Figure
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.moments import Decimal
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.reports.trends.answer import TrendLine, TrendsAnswer
from snowgauge.analytics.reports.trends.formula import letter
from snowgauge.analytics.reports.trends.question import MEASURES, Measured, Series, Trends
from snowgauge.analytics.reports.values import value_of
from snowgauge.analytics.sql.expressions import BucketStart, Mean, Number, Quantile, Ratio, Total

_LEVELS = {"median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_KEPT, _OTHER = "kept", "other"
_Key = tuple[str, str]
"""A kind (kept or other) and the value of the breakdown."""
_ALL: _Key = (_KEPT, "")


@dataclass(frozen=True)
class _Line:
    values: list[Figure]
    total: Figure


def answer(asked: Trends, reporter: Reporter, query: dict[str, object]) -> TrendsAnswer:
    """Raises ``QueryRefused``, ``StoreUnavailable``."""
    keys = [_ALL] if asked.by is None else _keys(asked, reporter)
    lines = _lines(asked, reporter, keys)
    other = None if asked.question.comparison is None else asked.over(asked.question.comparison.period)
    before = None if other is None else _lines(other, reporter, keys)
    # what nothing is like is told only where there is something
    some = [key for key in keys if key[0] == _KEPT or any(line.total for line in lines[key])]
    results = [_told(asked, at, key, lines, before) for at in range(len(lines[keys[0]])) for key in some]
    running = next((at for at, one in enumerate(asked.intervals) if one.running), None)
    definitions: dict[str, str] = {one.measure: f"{MEASURES[one.measure].capitalize()}." for one in asked.series}
    for formula in asked.formulas:
        definitions[formula.label] = f"{formula.text}, interval by interval; the total is that of the series' totals."
    return TrendsAnswer(
        [one.label for one in asked.intervals], None if other is None else [one.label for one in other.intervals],
        running, results, reporter.meta(asked.question, definitions), query,
    )  # fmt: skip


def _told(
    asked: Trends, at: int, key: _Key, lines: dict[_Key, list[_Line]], before: dict[_Key, list[_Line]] | None
) -> TrendLine:
    now, then = lines[key][at], None if before is None else before[key][at]
    count = len(asked.series)
    formula = asked.formulas[at - count] if at >= count else None
    name = asked.series[at].event.label if formula is None else formula.label
    value: Cell = key[1] or None
    words = "(other)" if key[0] == _OTHER else key[1] or "(not set)"
    alone = count + len(asked.formulas) == 1
    return TrendLine(
        name if asked.by is None else words if alone else f"{name}: {words}",
        asked.series[at].measure if formula is None else "formula",
        at if formula is None else None, value, key[0] == _OTHER, now.values, now.total,
        None if then is None else then.values, None if then is None else then.total,
    )  # fmt: skip


def _keys(asked: Trends, reporter: Reporter) -> list[_Key]:
    """The values with most events of the first series, then all others."""
    by = _once(asked, asked.series[0], reporter).c["by"]
    count = sa.func.count().label("n")
    found = reporter.run(sa.select(by, count).group_by(by).order_by(count.desc(), by).limit(asked.limit))
    return [*((_KEPT, str(value)) for value, _ in found), (_OTHER, "")]


def _lines(asked: Trends, reporter: Reporter, keys: Sequence[_Key]) -> dict[_Key, list[_Line]]:
    """By key: the lines of all series, then those of the formulas."""
    series = [_series(asked, one, reporter, keys) for one in asked.series]
    found = {key: [one[key] for one in series] for key in keys}
    for lines in found.values():
        plain = list(lines)
        for formula in asked.formulas:
            values = [
                formula.of({letter(at): line.values[place] for at, line in enumerate(plain)})
                for place in range(len(asked.intervals))
            ]
            lines.append(_Line(values, formula.of({letter(at): line.total for at, line in enumerate(plain)})))
    return found


def _series(asked: Trends, one: Series, reporter: Reporter, keys: Sequence[_Key]) -> dict[_Key, _Line]:
    once = _once(asked, one, reporter)
    figure = _figure(one.measure, once)
    kept = once.c["by"].in_([sa.bindparam(None, name, sa.String()) for kind, name in keys if kind == _KEPT])
    kind, name = (
        (sa.literal_column(f"'{_KEPT}'"), sa.literal_column("''"))
        if asked.by is None
        else (sa.case((kept, _KEPT), else_=_OTHER), sa.case((kept, once.c["by"]), else_=""))
    )
    p = BucketStart(once.c["ms"], [bucket.start for bucket in asked.intervals]).label("p")
    named = [kind.label("kind"), name.label("name")]
    columns: list[sa.ColumnElement[Any]] = [sa.literal_column(column) for column in ("kind", "name")]
    rows = reporter.run(
        sa.select(*named, p, figure.label("figure")).group_by(*columns, sa.literal_column("p")), show=True
    )
    totals = reporter.run(sa.select(*named, figure.label("figure")).select_from(once).group_by(*columns))
    by_key = {(str(row[0]), str(row[1])): _rounded(row[2]) for row in totals}
    cells = {(str(row[0]), str(row[1]), int(row[2])): _rounded(row[3]) for row in rows}
    nothing = 0 if one.measure in ("count", "people") else None
    empty = 0 if one.measure in ("count", "people", "sum") else None
    return {
        key: _Line(
            [None if bucket.future else cells.get((*key, bucket.start), nothing) for bucket in asked.intervals],
            by_key.get(key, empty),
        )
        for key in keys
    }


def _once(asked: Trends, one: Series, reporter: Reporter) -> sa.Subquery:
    """Columns ``id``, ``ms``, ``person``, ``value``, ``by``: an event counts once, however often it is stored."""
    period = asked.question.period
    taken = Taken(one.event.base, one.event.filters, 1, (period.start, period.end), bool(one.event.name))
    stream = Stream(
        "event", (taken,), asked.question.span, asked.question.filters, None if one.of is None else value_of(one.of),
        None if asked.by is None else value_of(asked.by),
    )  # fmt: skip
    c = select(stream, reporter.figures).c
    reporter.note(stream.apart)
    once = sa.select(c["id"], c["ms"], *(sa.func.max(c[name]).label(name) for name in ("person", "value", "by")))
    return once.group_by(c["id"], c["ms"]).subquery("once")


def _figure(measure: Measured, once: sa.Subquery) -> sa.ColumnElement[Any]:
    person = sa.func.nullif(once.c["person"], "")
    people = sa.func.count(sa.distinct(person))
    number = Decimal(once.c["value"])
    match measure:
        case "count":
            return sa.func.count()
        case "people":
            return people
        case "per_person":
            return Ratio(Number(sa.func.count(person)), people)
        case "sum":
            return Total(number)
        case "mean":
            return Mean(number)
        case "min":
            return sa.func.min(number)
        case "max":
            return sa.func.max(number)
        case "sum_per_person":
            having = sa.case((number.is_not(None), person))
            return Ratio(Total(sa.case((person.is_not(None), number))), sa.func.count(sa.distinct(having)))
    return Quantile(_LEVELS[measure], number)


def _rounded(value: Any) -> Figure:
    return None if value is None else round(float(value), 6)

"""Answers questions: runs their statements, lays the rows over the buckets of time and beside another period's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.answer import (
    AnalyticsAnswer,
    Cell,
    Compared,
    Coverage,
    Figure,
    ImportsAnswered,
    Meta,
    ResultRow,
    TimeLabel,
    Warned,
)
from snowgauge.analytics.buckets import Bucket, Interval, buckets, offered
from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.imports import imports_of
from snowgauge.analytics.instants import answered, instant, modelled_until
from snowgauge.analytics.measures import CURRENCIES, Measure
from snowgauge.analytics.periods import Period, local
from snowgauge.analytics.question import Along, Question
from snowgauge.analytics.sql.bases import VIEWS
from snowgauge.analytics.sql.expressions import EpochMs
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.analytics.sql.statements import Key, Statement, statement
from snowgauge.store.figures import Figures

_DAY = 86_400_000


@dataclass(frozen=True)
class _Found:
    """Rows by their keys, in their order; times are the starts of buckets."""

    rows: dict[Key, list[Figure]]
    imported: dict[Key, list[Figure]]
    currencies: tuple[str, ...]
    mixed: bool
    total: int
    statement: Statement
    imports: ImportsAnswered | None

    def added(self, question: Question, key: Key) -> list[Figure] | None:
        """What imported days add to a row."""
        if self.imports is None or self.imports.left_out:
            return None
        values = self.imported.get(key, [None] * len(question.measures))
        return [_rounded(one, value) for one, value in zip(question.measures, values, strict=True)]


class Engine:
    """``figures``: the store's, asked for with each question, as it may not be there at first. ``seconds``: the most
    that one statement may take."""

    def __init__(
        self,
        figures: Callable[[], Figures],
        *,
        seconds: float = 60,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._figures = figures
        self._seconds = seconds
        self.clock = clock

    def earliest(self, apps: tuple[str, ...]) -> int | None:
        """When the first page view was (ms)."""
        span = Span(0, self.clock() + _DAY, apps, "all")

        def build(columns: Columns) -> Selected:
            return Selected([EpochMs(sa.func.min(columns("page_views", "start_tstamp"))), sa.func.count()], sa.true())

        figures = self._figures()
        first, count = figures.answer(rows(VIEWS, span, figures, build), seconds=self._seconds).rows[0]
        return int(first) if count else None

    def ask(self, question: Question, asked: dict[str, object]) -> AnalyticsAnswer:
        """``asked`` is the question as it came, for the answer to repeat. Raises ``QuestionRefused`` for what makes no
        sense, ``QueryRefused`` for what takes too long, ``StoreUnavailable``."""
        figures = self._figures()
        warnings: list[Warned] = []
        found = self._run(question, figures, None)
        warnings += _warnings(question, found)
        keys = _keys(question, found)
        compared = self._compare(question, figures, keys, found, warnings)
        results = [
            ResultRow(
                _cells(question, key),
                _figures(question, found, key),
                None if compared is None else compared.of(key),
                found.added(question, key),
            )
            for key in keys
        ]
        coverage, cookieless = self._coverage(question, figures) if question.include.coverage else (None, False)
        if cookieless:
            warnings.append(
                Warned("cookieless", "Some visitors are known without cookies, for one day at a time: each of "
                "their days "
                       "counts as a visitor.")
            )  # fmt: skip
        until = modelled_until(figures, seconds=self._seconds)
        if until is None:
            warnings.append(Warned("not_modelled", "Nothing has been modelled yet: figures are complete once it has."))
        return AnalyticsAnswer(
            results, self._meta(question, found, compared, coverage, cookieless, until, warnings, figures), asked
        )

    def text(self, question: Question) -> str:
        """The SQL that answers a question, with its values in it."""
        figures = self._figures()
        counted, _ = imports_of(question, figures, seconds=self._seconds)
        return figures.text(statement(question, figures, imported=counted).sql)

    def _run(self, question: Question, figures: Figures, only: Sequence[Key] | None) -> _Found:
        counted, imports = imports_of(question, figures, seconds=self._seconds)
        made = statement(question, figures, only=only, imported=counted)
        result = figures.answer(made.sql, seconds=self._seconds)
        width, count = len(question.dimensions), len(question.measures)
        by_key: dict[Key, list[Figure]] = {}
        imported: dict[Key, list[Figure]] = {}
        currencies: dict[str, None] = {}
        mixed = False
        total = 0
        for row in result.rows:
            key = tuple(_key(one, value) for one, value in zip(question.dimensions, row, strict=False))
            by_key[key] = [_figure(value) for value in row[width : width + count]]
            ends = row[width + count : width + count + made.currencies]
            currencies |= dict.fromkeys(str(end) for end in ends if end)
            mixed = mixed or any(first != last for first, last in zip(ends[::2], ends[1::2], strict=True))
            if counted is not None:
                imported[key] = [_figure(value) for value in row[-1 - count : -1]]
            total = int(row[-1])
        return _Found(by_key, imported, tuple(currencies), mixed, total, made, imports)

    def _compare(
        self,
        question: Question,
        figures: Figures,
        keys: Sequence[Key],
        found: _Found,
        warnings: list[Warned],
    ) -> _Comparison | None:
        if question.comparison is None:
            return None
        period = question.comparison.period
        along = question.along
        cut: tuple[Bucket, ...] | None = None
        if along is not None and along.dimension.clock is None:
            interval: Interval = along.dimension.interval or offered(question.period)[0]
            cut = tuple(buckets(period, interval, question.now, where="include.comparisons"))
        other = question.over(period, cut)
        only = None if along is not None or not question.dimensions else keys
        if not question.dimensions or only is None:
            other = other.unlimited()
        then = self._run(other, figures, only)
        if then.currencies and found.currencies and set(then.currencies) != set(found.currencies):
            warnings.append(Warned("currencies", "The two periods have different currencies."))
        lengths = _lengths(question, period)
        if lengths is not None:
            warnings.append(
                Warned("lengths", f"The periods have {lengths[0]:g} and {lengths[1]:g} days: changes of sums "
                f"are those of their "
                       "means per day, and distinct counts are not compared.")
            )  # fmt: skip
        return _Comparison(question, other, found, then, lengths)

    def _coverage(self, question: Question, figures: Figures) -> tuple[Coverage, bool]:
        def build(columns: Columns) -> Selected:
            visit = sa.func.coalesce(columns("page_views", "session_id"), "")
            none = sa.func.count(sa.case((visit == "", 1)))
            cookieless = sa.func.count(sa.case((visit.like("c:%"), 1)))
            return Selected([sa.func.count(), none, cookieless], sa.true())

        found = figures.answer(rows(VIEWS, question.span, figures, build), seconds=self._seconds).rows[0]
        views, without, cookieless = (int(value) for value in found)
        many_days = question.period.end - question.period.start > _DAY + 3_600_000
        return Coverage(views, without), bool(cookieless) and many_days

    def _meta(
        self,
        question: Question,
        found: _Found,
        compared: _Comparison | None,
        coverage: Coverage | None,
        cookieless: bool,
        until: int | None,
        warnings: list[Warned],
        figures: Figures,
    ) -> Meta:
        along = question.along
        bucketed = along is not None and along.dimension.clock is None
        total = found.total if found.rows else self._total(question, figures)
        return Meta(
            modelled_until=None if until is None else instant(until, "UTC"),
            period=answered(question.period, question.now),
            definitions={one.name: one.definition for one in question.measures},
            approximate=cookieless,
            coverage=coverage,
            comparison=None if compared is None else answered(compared.other.period, question.now),
            time_labels=_labels(question) if bucketed else None,
            comparison_time_labels=_labels(compared.other) if bucketed and compared is not None else None,
            intervals=list(offered(question.period)),
            total_rows=total if question.include.total_rows else None,
            currencies=sorted(found.currencies),
            warnings=warnings,
            sql=figures.text(found.statement.sql) if question.include.explain else None,
            imports=found.imports,
        )

    def _total(self, question: Question, figures: Figures) -> int:
        """All rows, where the page is beyond the last."""
        if not question.include.total_rows or not question.offset:
            return 0
        return self._run(question.first_row(), figures, None).total


class _Comparison:
    """Rows of another period beside those of the first."""

    def __init__(
        self, question: Question, other: Question, now: _Found, then: _Found, lengths: tuple[float, float] | None
    ) -> None:
        self.other = other
        self._question = question
        self._now = now
        self._then = then
        self._lengths = lengths
        self._nothing = [0.0 if one.is_count else None for one in question.measures]
        along = question.along
        self._moved = dict[Cell, Cell]()
        if along is not None and along.dimension.clock is None and other.along is not None:
            self._moved = {
                float(mine.start): float(its.start)
                for mine, its in zip(along.buckets, other.along.buckets, strict=False)
            }

    def of(self, key: Key) -> Compared | None:
        """The row beside that of this key; ``None`` where time has no counterpart."""
        moved: list[Cell] = []
        for one, value in zip(self._question.dimensions, key, strict=True):
            bucketed = isinstance(one, Along) and one.dimension.clock is None
            if bucketed and value not in self._moved:
                return None
            moved.append(self._moved[value] if bucketed else value)
        there = tuple(moved)
        values = self._then.rows.get(there, self._nothing)
        mine = self._now.rows.get(key, self._nothing)
        change = [
            self._change(one, now, then) for one, now, then in zip(self._question.measures, mine, values, strict=True)
        ]
        return Compared(
            _cells(self.other, there),
            [_rounded(one, value) for one, value in zip(self._question.measures, values, strict=True)],
            change,
            self._then.added(self.other, there),
        )

    def _change(self, measure: Measure, now: Figure, then: Figure) -> Figure:
        if now is None or then is None:
            return None
        if measure.change == "points":
            return round(now - then, 2)
        if self._lengths is not None and not self._question.along:
            if measure.adds:
                now, then = now / self._lengths[0], then / self._lengths[1]
            elif measure.is_count:
                return None
        return round(100 * (now - then) / abs(then), 1) if then else (0.0 if now == then else None)


def _keys(question: Question, found: _Found) -> list[Key]:
    """The rows to give: those that were found, or, along time alone, one for each bucket."""
    along = question.along
    if len(question.dimensions) != 1 or along is None or along.dimension.clock is not None or question.offset:
        return list(found.rows)
    if any(order.name != along.name for order in question.order):
        return list(found.rows)
    starts: list[Key] = [(float(bucket.start),) for bucket in along.buckets]
    if question.order and question.order[0].descending:
        starts.reverse()
    return starts[: question.limit]


def _figures(question: Question, found: _Found, key: Key) -> list[Figure]:
    values = found.rows.get(key)
    if values is None:
        bucket = _bucket(question, key)
        future = bucket is not None and bucket.future
        values = [0.0 if one.is_count and not future else None for one in question.measures]
    return [_rounded(one, value) for one, value in zip(question.measures, values, strict=True)]


def _rounded(measure: Measure, value: Figure) -> Figure:
    if value is None:
        return None
    number = round(value, measure.decimals)
    return int(number) if measure.decimals == 0 else number


def _bucket(question: Question, key: Key) -> Bucket | None:
    along = question.along
    if along is None:
        return None
    start = key[question.dimensions.index(along)]
    return next((one for one in along.buckets if one.start == start), None)


def _cells(question: Question, key: Key) -> list[Cell]:
    found: list[Cell] = []
    for one, value in zip(question.dimensions, key, strict=True):
        if isinstance(one, Along) and one.dimension.clock is None:
            found.append(next(bucket.label for bucket in one.buckets if bucket.start == value))
        elif isinstance(one, Along) or one.kind == "number":
            number = None if value is None else float(value)
            found.append(int(number) if number is not None and number.is_integer() else number)
        else:
            found.append(value or None)
    return found


def _key(one: Dimension | Along, value: Any) -> str | float | None:
    if value is None:
        return None
    return float(value) if isinstance(one, Along) or one.kind == "number" else str(value)


def _figure(value: Any) -> Figure:
    return None if value is None else float(value)


def _warnings(question: Question, found: _Found) -> list[Warned]:
    warnings = [
        Warned("same_visit", f"No single event has {names}: the conditions are asked of events of the same visit.")
        for names in found.statement.apart
    ]
    if found.mixed:
        kinds = [kind for kind in CURRENCIES if any(one.currency == kind for one in question.measures)]
        names = " or ".join("event:currency" if kind == "goal" else "shop:currency" for kind in kinds)
        warnings.append(
            Warned("currencies", f"There are values in several currencies ({', '.join(found.currencies)}), "
            f"which are not "
                   f"added up: divide by {names}, or filter by it.")
        )  # fmt: skip
    return warnings


def _lengths(question: Question, other: Period) -> tuple[float, float] | None:
    """The days of both periods, where they differ by more than a clock change."""
    mine = question.period.end - question.period.start
    if question.period.running(question.now):
        mine = min(mine, max(question.now - question.period.start, 1))
        if other.days is not None and question.period.first is not None:
            today = local(question.now, question.period.zone).date()
            if (today - question.period.first).days + 1 == other.days or other.days == question.period.days:
                return None
    its = other.end - other.start
    return None if abs(mine - its) <= 2 * 3_600_000 else (mine / _DAY, its / _DAY)


def _labels(question: Question) -> list[TimeLabel]:
    along = question.along
    assert along is not None
    zone = question.period.zone
    return [
        TimeLabel(
            one.label, instant(one.start, zone), instant(one.end, zone),
            "future" if one.future else "running" if one.running else "partial" if one.partial else "whole",
        )
        for one in along.buckets
    ]  # fmt: skip

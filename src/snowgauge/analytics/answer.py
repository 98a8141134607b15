"""The answer, as values: rows, and what one has to know to read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Cell = str | int | float | None
"""The value of a dimension; ``None``: not set."""

Figure = float | None
"""The value of a measure; ``None``: there is nothing to measure, or it lies in the future."""


@dataclass(frozen=True)
class Compared:
    """The same row in the other period. ``change``: in per cent, or in points (see the measure); ``None`` where there
    was nothing before. ``dimensions``: its own time, where the row has one."""

    dimensions: list[Cell]
    metrics: list[Figure]
    change: list[Figure]
    imported: list[Figure] | None = None


@dataclass(frozen=True)
class ResultRow:
    """In the order of the question's dimensions and metrics. ``imported``: what imported days add, which ``metrics``
    leave out."""

    dimensions: list[Cell]
    metrics: list[Figure]
    comparison: Compared | None = None
    imported: list[Figure] | None = None


@dataclass(frozen=True)
class PeriodAnswered:
    """``start`` is in it, ``end`` is not; both with the offset of the zone. ``days``: how many, if they are whole."""

    start: str
    end: str
    zone: str
    days: int | None
    running: bool


@dataclass(frozen=True)
class TimeLabel:
    """One interval. ``state``: ``running`` holds now, ``future`` has not begun, ``partial`` is cut by the period."""

    label: str
    start: str
    end: str
    state: Literal["whole", "partial", "running", "future"]


@dataclass(frozen=True)
class Coverage:
    """Page views of the period and applications, and how many of them belong to no visit and are in no other figure."""

    pageviews: int
    without_visit: int


@dataclass(frozen=True)
class ImportsAnswered:
    """Imports with days in the period. ``first``, ``last``: their days, as far as they lie in it; ``metrics``: those of
    which rows have imported figures; ``left_out``: why no row has any; empty: they have."""

    products: list[str]
    first: str
    last: str
    metrics: list[str]
    left_out: str


WarningCode = Literal["not_modelled", "same_visit", "currencies", "lengths", "cookieless", "not_compared"]


@dataclass(frozen=True)
class Warned:
    """Something to know before the figures are used. ``code`` is for programs."""

    code: WarningCode
    text: str


@dataclass(frozen=True)
class Meta:
    """``modelled_until``: what was stored before is counted; ``None``: nothing is modelled yet. ``approximate``:
    visitors without cookies are counted once a day. ``definitions``: what each metric is. ``currencies``: of sums of
    money. ``intervals``: those that suit the period, the usual one first. ``sql``: what answers it, where asked for."""

    modelled_until: str | None
    period: PeriodAnswered
    definitions: dict[str, str]
    approximate: bool = False
    coverage: Coverage | None = None
    comparison: PeriodAnswered | None = None
    time_labels: list[TimeLabel] | None = None
    comparison_time_labels: list[TimeLabel] | None = None
    intervals: list[str] = field(default_factory=list)
    total_rows: int | None = None
    currencies: list[str] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    sql: str | None = None
    imports: ImportsAnswered | None = None


@dataclass(frozen=True)
class AnalyticsAnswer:
    """``query``: what was asked, with everything that was left out filled in."""

    results: list[ResultRow]
    meta: Meta
    query: dict[str, object]

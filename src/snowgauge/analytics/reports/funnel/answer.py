"""A funnel, answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snowgauge.analytics.answer import Cell
from snowgauge.analytics.reports.answers import ReportMeta


@dataclass(frozen=True)
class FunnelStep:
    """``count``: people (or visits) who reached it. ``of_first`` and ``of_before``: in per cent of the first step and
    of the one before; ``None`` of nobody. ``dropped``: who reached the step before and not this one. ``median_s`` and
    ``p90_s``: seconds since the step before, of those who reached it."""

    label: str
    count: int
    of_first: float | None
    of_before: float | None
    dropped: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True)
class TimeBin:
    """From ``start`` to ``end`` seconds (``None``: or more), and how many took that long."""

    start: int
    end: int | None
    count: int


@dataclass(frozen=True)
class TimeToConvert:
    """Seconds from the first step to the last, of those who reached it."""

    mean_s: float | None
    median_s: float | None
    p90_s: float | None
    distribution: list[TimeBin]


@dataclass(frozen=True)
class FunnelGroup:
    """``value``: of the breakdown; ``None``: not set, or there is no breakdown. ``other``: all values that are not told
    one by one. ``open``: who has not reached the last step and still has time to."""

    value: Cell
    other: bool
    steps: list[FunnelStep]
    open: int
    time: TimeToConvert


@dataclass(frozen=True)
class FunnelAnswer:
    """``results``: all together first, then the values of the breakdown, most frequent first. ``comparison``: the same
    of the other period, in the order of ``results``; ``None`` where a value is not in it."""

    results: list[FunnelGroup]
    comparison: list[FunnelGroup | None] | None
    meta: ReportMeta
    query: dict[str, object]


@dataclass(frozen=True)
class Stopped:
    """Someone who reached a step, and when (ms since 1970) they began and reached it. ``unit``: the person, or the
    visit. ``next``: the page or the event that came next within 30 days; ``None``: nothing."""

    unit: str
    person: str
    began: int
    reached: int
    next: str | None


EDGES: Sequence[int] = (
    0, 10, 60, 300, 1_800, 3_600, 6 * 3_600, 86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400, 30 * 86_400,
)  # fmt: skip
"""Where the bins of the distribution begin, in seconds."""

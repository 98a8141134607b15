"""Trends, answered."""

from __future__ import annotations

from dataclasses import dataclass

from snowgauge.analytics.answer import Cell, Figure
from snowgauge.analytics.reports.answers import ReportMeta


@dataclass(frozen=True)
class TrendLine:
    """``series``: the number of the series from 0; ``None``: a formula. ``value``: of the breakdown; ``None``: not
    set, or there is no breakdown; ``other``: all values that are not told one by one. ``values``: one for each label;
    ``None``: nothing to measure, or it lies in the future. ``total``: of the whole period, which for people is less
    than the sum. ``before`` and ``total_before``: of the period that is compared with."""

    label: str
    measure: str
    series: int | None
    value: Cell
    other: bool
    values: list[Figure]
    total: Figure
    before: list[Figure] | None
    total_before: Figure | None


@dataclass(frozen=True)
class TrendsAnswer:
    """``labels``: the beginnings of the intervals; ``labels_before``: those of the period that is compared with.
    ``running``: the place of the interval that is not over."""

    labels: list[str]
    labels_before: list[str] | None
    running: int | None
    results: list[TrendLine]
    meta: ReportMeta
    query: dict[str, object]

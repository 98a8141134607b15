"""The question, as values. ``reading`` makes it from JSON and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from snowgauge.analytics.buckets import Bucket
from snowgauge.analytics.conditions import Filter
from snowgauge.analytics.dimensions import Dimension, TimeDimension
from snowgauge.analytics.measures import Measure
from snowgauge.analytics.periods import Period
from snowgauge.analytics.sql.rows import Span, Traffic


@dataclass(frozen=True)
class Order:
    """By the measure or dimension of this name."""

    name: str
    descending: bool


@dataclass(frozen=True)
class Along:
    """A dimension of time with the buckets of the period; around the clock it has none."""

    dimension: TimeDimension
    buckets: tuple[Bucket, ...]

    @property
    def name(self) -> str:
        return self.dimension.name


@dataclass(frozen=True)
class Include:
    """What is told besides the rows."""

    total_rows: bool = False
    coverage: bool = True
    explain: bool = False
    imports: bool = False


@dataclass(frozen=True)
class Comparison:
    """Another period to compare with. ``mode`` is how it was asked for."""

    mode: Literal["previous_period", "year_over_year", "custom"]
    period: Period


@dataclass(frozen=True)
class Question:
    """``apps``: empty: all. ``now``: ms, when it was asked."""

    measures: tuple[Measure, ...]
    dimensions: tuple[Dimension | Along, ...]
    filters: tuple[Filter, ...]
    period: Period
    apps: tuple[str, ...]
    traffic: Traffic
    order: tuple[Order, ...]
    limit: int
    offset: int
    include: Include
    comparison: Comparison | None
    now: int

    @property
    def span(self) -> Span:
        return Span(self.period.start, self.period.end, self.apps, self.traffic)

    @property
    def along(self) -> Along | None:
        """Its dimension of time."""
        return next((one for one in self.dimensions if isinstance(one, Along)), None)

    def over(self, period: Period, buckets: tuple[Bucket, ...] | None) -> Question:
        """The same of another period, with its buckets."""
        dimensions = tuple(
            replace(one, buckets=buckets) if isinstance(one, Along) and buckets is not None else one
            for one in self.dimensions
        )
        return replace(self, period=period, dimensions=dimensions, comparison=None)

    def unlimited(self) -> Question:
        """All rows of it."""
        return replace(self, limit=2**31 - 1, offset=0)

    def first_row(self) -> Question:
        """The first of its rows."""
        return replace(self, limit=1, offset=0)

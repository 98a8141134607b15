"""Attribution, answered."""

from __future__ import annotations

from dataclasses import dataclass

from snowgauge.analytics.answer import Cell
from snowgauge.analytics.reports.answers import ReportMeta


@dataclass(frozen=True)
class Credit:
    """What one model owes to a value. ``roas``: revenue per unit of spend; ``cpa``: spend per conversion; ``None``
    without spend, or without conversions."""

    conversions: float
    revenue: float
    roas: float | None
    cpa: float | None


@dataclass(frozen=True)
class AttributionRow:
    """``value`` of what is divided by; ``None``: not set. ``other``: all values that are not told one by one.
    ``none``: conversions without a touch. ``spend``: ``None``: nothing is known of it."""

    value: Cell
    other: bool
    none: bool
    spend: float | None
    models: dict[str, Credit]


@dataclass(frozen=True)
class AttributionAnswer:
    """``revenue`` is in ``currency``. The conversions and the revenue of each model add up to these, but for
    rounding."""

    conversions: int
    revenue: float
    currency: str
    results: list[AttributionRow]
    meta: ReportMeta
    query: dict[str, object]

"""Everything that a report can be asked with, as values: what menus are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snowgauge.analytics.definitions import Named
from snowgauge.analytics.dimensions import DIMENSIONS
from snowgauge.analytics.reports.asked import KINDS, UNITS
from snowgauge.analytics.reports.attribution import question as attribution
from snowgauge.analytics.reports.funnel import question as funnel
from snowgauge.analytics.reports.journeys import journeys
from snowgauge.analytics.reports.retention import retention
from snowgauge.analytics.reports.retention.periods import WHOLE
from snowgauge.analytics.reports.trends import question as trends


@dataclass(frozen=True)
class KindDefinition:
    """``dimension``: what names one. ``breakdowns``: dimensions that its events have."""

    name: str
    label: str
    dimension: str
    breakdowns: list[str]


@dataclass(frozen=True)
class TrendMeasure:
    """``property``: it is of a number that the event carries."""

    name: str
    label: str
    property: bool


@dataclass(frozen=True)
class ReportDefinitions:
    """Choices of each report, with words for people; the first of each is the usual one."""

    kinds: list[KindDefinition]
    units: list[Named]
    intervals: list[str]
    measures: list[TrendMeasure]
    orders: list[Named]
    modes: list[Named]
    returning: list[Named]
    directions: list[Named]
    groupings: list[Named]
    models: list[Named]
    divided_by: list[Named]
    direct: list[Named]
    most_steps: int
    most_series: int


def report_definitions() -> ReportDefinitions:
    """All of them."""
    return ReportDefinitions(
        [
            KindDefinition(kind, label, named, [one.name for one in DIMENSIONS.values() if one.place(base) is not None])
            for kind, (base, named, label) in KINDS.items()
        ],
        [Named(unit, {"person": "people", "visit": "visits"}[unit]) for unit in UNITS],
        list(WHOLE),
        [TrendMeasure(name, label, name not in trends.OF_EVENTS) for name, label in trends.MEASURES.items()],
        _named(funnel.ORDERS), _named(retention.MODES), _named(retention.RETURNING),
        _named(journeys.DIRECTIONS), _named(journeys.GROUPINGS),
        _named(attribution.MODELS), [Named(name, label) for name, (_, label) in attribution.DIVIDED_BY.items()],
        _named(attribution.DIRECT), funnel.MOST_STEPS, trends.MOST_SERIES,
    )  # fmt: skip


def _named(words: Mapping[Any, str]) -> list[Named]:
    return [Named(name, label) for name, label in words.items()]

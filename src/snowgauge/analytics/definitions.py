"""Everything that can be asked for, as values: what menus, checks and the reference are made from."""

from __future__ import annotations

from dataclasses import dataclass

from snowgauge.analytics.buckets import INTERVALS
from snowgauge.analytics.dimensions import DIMENSIONS, PROPERTY, TIMES, Dimension
from snowgauge.analytics.measures import MEASURES, Measure
from snowgauge.analytics.operators import GROUPS, OPERATORS
from snowgauge.analytics.periods import PERIODS
from snowgauge.analytics.sql.rows import TRAFFIC


@dataclass(frozen=True)
class MeasureDefinition:
    """``unit``: count, percent, number, seconds, milliseconds, money or score. ``change``: percent or points.
    ``better``: up, down or nothing. ``dimensions``: those that it can be divided by (properties of events: where
    ``properties``)."""

    name: str
    label: str
    group: str
    unit: str
    decimals: int
    definition: str
    change: str
    better: str
    adds: bool
    dimensions: list[str]
    properties: bool


@dataclass(frozen=True)
class DimensionDefinition:
    """``kind``: text, number or flag. ``of``: visit or event. ``unset``: what to show for ``null``. ``operators``:
    those that suit it."""

    name: str
    label: str
    group: str
    of: str
    kind: str
    help: str
    unset: str
    operators: list[str]


@dataclass(frozen=True)
class TimeDefinition:
    name: str
    label: str
    help: str


@dataclass(frozen=True)
class OperatorDefinition:
    """``values``: some, one or none."""

    name: str
    label: str
    kinds: list[str]
    values: str
    ignores_case: bool


@dataclass(frozen=True)
class Named:
    name: str
    label: str


@dataclass(frozen=True)
class Definitions:
    """``properties``: how the names of properties of events and entities begin."""

    measures: list[MeasureDefinition]
    dimensions: list[DimensionDefinition]
    times: list[TimeDefinition]
    operators: list[OperatorDefinition]
    groups: list[Named]
    periods: list[Named]
    intervals: list[str]
    traffic: list[Named]
    properties: str


def definitions() -> Definitions:
    """All of it."""
    return Definitions(
        [_measure(one) for one in MEASURES.values()],
        [_dimension(one) for one in DIMENSIONS.values()],
        [TimeDefinition(one.name, one.label, one.help) for one in TIMES.values()],
        [OperatorDefinition(one.name, one.label, list(one.kinds), one.values, one.folds) for one in OPERATORS.values()],
        [Named(name, label) for name, label in GROUPS.items()],
        [Named(name, label) for name, label in PERIODS.items()],
        list(INTERVALS),
        [Named(name, label) for name, label in TRAFFIC.items()],
        PROPERTY,
    )


def divides(measure: Measure, dimension: Dimension) -> bool:
    """Can the measure be divided by the dimension?"""
    return all(
        bool(part.reference) or any(dimension.place(base) is not None for base in part.bases) for part in measure.parts
    )


def _measure(one: Measure) -> MeasureDefinition:
    return MeasureDefinition(
        one.name, one.label, one.group, one.unit, one.decimals, one.definition, one.change, one.better, one.adds,
        [dimension.name for dimension in DIMENSIONS.values() if divides(one, dimension)],
        any(base.home == "events" for part in one.parts for base in part.bases),
    )  # fmt: skip


def _dimension(one: Dimension) -> DimensionDefinition:
    fit = [operator.name for operator in OPERATORS.values() if one.kind in operator.kinds]
    return DimensionDefinition(one.name, one.label, one.group, one.of, one.kind, one.help, one.unset, fit)

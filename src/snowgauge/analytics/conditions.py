"""Filters as values: conditions on dimensions, and what joins them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import sqlalchemy as sa

from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.operators import Operator, Value
from snowgauge.store.figures import Figures


@dataclass(frozen=True)
class Condition:
    """One comparison. ``where`` is its place in the question."""

    dimension: Dimension
    operator: Operator
    values: tuple[Value, ...]
    case_sensitive: bool
    where: str


@dataclass(frozen=True)
class Both:
    """``and``: all. ``or``: at least one. ``same_event``: all, of one event. ``same_visit``: all, each of any event."""

    kind: Literal["and", "or", "same_event", "same_visit"]
    parts: tuple[Filter, ...]
    where: str


@dataclass(frozen=True)
class Turned:
    """``not``: it does not hold. ``has_done``, ``has_not_done``: the visit has, or has not, an event that meets it."""

    kind: Literal["not", "has_done", "has_not_done"]
    part: Filter
    where: str


class Members(Protocol):
    """The people of a cohort, whatever makes them its members."""

    def select(self, figures: Figures) -> sa.Select[Any]:
        """One column: their person IDs."""


@dataclass(frozen=True)
class Belongs:
    """The person of the row is in a cohort."""

    cohort: Members
    where: str


Filter = Condition | Both | Turned | Belongs


def conditions(one: Filter) -> Iterator[Condition]:
    """All conditions in it."""
    match one:
        case Condition():
            yield one
        case Both():
            for part in one.parts:
                yield from conditions(part)
        case Turned():
            yield from conditions(one.part)
        case Belongs():
            return

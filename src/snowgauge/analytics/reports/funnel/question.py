"""Funnels: how many people, or visits, reach one step after another, how long it takes them, and who stops where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.asked import (
    UNITS,
    Happening,
    Unit,
    choice,
    divided,
    happenings,
    scope,
    shown,
    whole,
)

Order = Literal["ordered", "strict", "any"]
ORDERS: dict[Order, str] = {
    "ordered": "one after another, with anything between",
    "strict": "one after another, with nothing between but repeats of a step",
    "any": "in any order",
}
MOST_STEPS = 20
_MINUTE = 60
_LONGEST = 90 * 86_400
FIELDS = ("steps", "order", "unit", "window_seconds", "limit")
MOST_GROUPS = 50


@dataclass(frozen=True)
class Funnel:
    """``window``: ms from the first step in which the others have to follow. ``limit``: how many values of the
    breakdown are told; the rest is taken together."""

    question: Question
    steps: tuple[Happening, ...]
    order: Order
    unit: Unit
    window: int
    limit: int

    @property
    def breakdown(self) -> Dimension | None:
        return divided(self.question, self.steps[0].base)

    def over(self, question: Question) -> Funnel:
        """The same of another period."""
        return replace(self, question=question)


def read_funnel(given: Mapping[str, Any], around: Surroundings) -> Funnel:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS)
    steps = happenings(given.get("steps"), "steps", around, least=2, most=MOST_STEPS)
    order = choice(given.get("order"), tuple(ORDERS), "ordered", "order")
    unit = choice(given.get("unit"), UNITS, "person", "unit")
    window = whole(given.get("window_seconds"), _MINUTE, _LONGEST, 7 * 86_400, "window_seconds") * 1000
    if order != "ordered":
        _told_apart(steps, order)
    funnel = Funnel(question, steps, order, unit, window, whole(given.get("limit"), 1, MOST_GROUPS, 10, "limit"))
    breakdown = funnel.breakdown
    if breakdown is not None and order == "any" and any(breakdown.place(one.base) is None for one in steps):
        raise QuestionRefused(
            "breakdown",
            f"in any order a funnel may begin with each of its steps, and not all of them have {breakdown.name}",
        )
    return funnel


def _told_apart(steps: Sequence[Happening], order: Order) -> None:
    for at, one in enumerate(steps):
        if any(other.same == one.same for other in steps[:at]):
            raise QuestionRefused(
                f"steps[{at}]",
                f"{shown(one.label)} is there twice: with order {order} an event counts for the first step that it "
                "meets, so nobody would get further",
            )

"""Trends as they are asked for: series, formulas of them, and a breakdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from snowgauge.analytics.buckets import INTERVALS, Bucket, Interval, buckets, offered
from snowgauge.analytics.dimensions import Dimension, dimension
from snowgauge.analytics.periods import Period
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.asked import Happening, choice, divided, happening, scope, shown, whole
from snowgauge.analytics.reports.trends.formula import Formula, letter, read_formula

Measured = Literal[
    "count", "people", "per_person", "sum", "mean", "min", "max", "median", "p75", "p90", "p95", "p99", "sum_per_person"
]
MEASURES: dict[Measured, str] = {
    "count": "distinct events",
    "people": "distinct people",
    "per_person": "events per person",
    "sum": "sum of the property",
    "mean": "mean of the property",
    "min": "least value of the property",
    "max": "greatest value of the property",
    "median": "median of the property",
    "p75": "75th percentile of the property",
    "p90": "90th percentile of the property",
    "p95": "95th percentile of the property",
    "p99": "99th percentile of the property",
    "sum_per_person": "sum of the property per person who has it",
}
OF_EVENTS: tuple[Measured, ...] = ("count", "people", "per_person")
FIELDS = ("series", "formulas", "interval", "limit")
MOST_SERIES = 10
MOST_FORMULAS = 5
MOST_GROUPS = 25


@dataclass(frozen=True)
class Series:
    """``of``: the number that is measured, a property of the event; ``None`` where events or people are counted."""

    event: Happening
    measure: Measured
    of: Dimension | None


@dataclass(frozen=True)
class Trends:
    """``by``: what every series is divided by, ``limit`` values of it and the rest together."""

    question: Question
    series: tuple[Series, ...]
    formulas: tuple[Formula, ...]
    interval: Interval
    intervals: Sequence[Bucket]
    by: Dimension | None
    limit: int

    def over(self, period: Period) -> Trends:
        """The same of another period."""
        cut = buckets(period, self.interval, self.question.now, where="interval")
        return replace(self, question=self.question.over(period, None), intervals=cut)


def read_trends(given: Mapping[str, Any], around: Surroundings) -> Trends:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS)
    listed = given.get("series")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_SERIES:
        raise QuestionRefused("series", f"expected a list of 1 to {MOST_SERIES}, found {shown(listed)}")
    series = tuple(_series(one, f"series[{at}]", around) for at, one in enumerate(listed))
    by = None
    for at, one in enumerate(series):
        by = divided(question, one.event.base, f"breakdown of series[{at}]")
    interval = choice(given.get("interval"), tuple(INTERVALS), offered(question.period)[0], "interval")
    return Trends(
        question, series, _formulas(given.get("formulas"), len(series)), interval,
        buckets(question.period, interval, question.now, where="interval"), by,
        whole(given.get("limit"), 1, MOST_GROUPS, 5, "limit"),
    )  # fmt: skip


def _series(given: Any, where: str, around: Surroundings) -> Series:
    if not isinstance(given, dict):
        raise QuestionRefused(where, f"expected an object with kind, name and measure, found {shown(given)}")
    measure = choice(given.get("measure"), tuple(MEASURES), "count", f"{where}.measure")
    own = ("measure", "property")
    event = happening({name: value for name, value in given.items() if name not in own}, where, around)
    name = given.get("property")
    if measure in OF_EVENTS:
        if name is not None:
            raise QuestionRefused(f"{where}.property", f"{measure} is of events and people, not of a property")
        return Series(event, measure, None)
    if not isinstance(name, str):
        raise QuestionRefused(f"{where}.property", f"{measure} needs the name of a property, found {shown(name)}")
    of = dimension(name, f"{where}.property")
    if (of.kind != "number" and of.nested is None) or of.place(event.base) is None:
        raise QuestionRefused(f"{where}.property", f"{name[:200]} is no number of a {event.kind}")
    return Series(event, measure, of)


def _formulas(given: Any, series: int) -> tuple[Formula, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_FORMULAS:
        raise QuestionRefused("formulas", f"expected a list of at most {MOST_FORMULAS}, found {shown(given)}")
    found = []
    for at, one in enumerate(given):
        where = f"formulas[{at}]"
        fields = {"formula": one} if isinstance(one, str) else one
        known = isinstance(fields, dict) and set(fields) <= {"formula", "label"}
        if not known or not all(isinstance(text, str) for text in fields.values()) or "formula" not in fields:
            raise QuestionRefused(
                where, f'expected an object such as {{"formula": "{letter(0)} * 2", "label": "Twice"}}, '
                f"found {shown(one)}",
            )  # fmt: skip
        found.append(read_formula(fields["formula"], fields.get("label", "")[:500], series, f"{where}.formula"))
    return tuple(found)

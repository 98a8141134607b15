"""What makes people members of a cohort, from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from snowgauge.analytics.dimensions import unknown
from snowgauge.analytics.periods import Period
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.asked import Happening, choice, happening, shown, whole
from snowgauge.analytics.sql.rows import Span

Match = Literal["all", "any"]
MATCHES: tuple[Match, ...] = ("all", "any")
TIMES = ("at_least", "at_most", "exactly")
MOST_RULES = 10
MOST_TIMES = 100_000
_FIELDS = ("app", "timezone", "match", "rules")
_DAY = 86_400_000


@dataclass(frozen=True)
class Did:
    """Someone did it at least ``least`` times in the period, and at most ``most`` (``None``: without a limit)."""

    event: Happening
    period: Period
    least: int
    most: int | None


@dataclass(frozen=True)
class Rule:
    """``known``: of whom one can say that they did not do something: people with a visit in the applications, bots and
    own traffic left out."""

    match: Match
    rules: tuple[Did, ...]
    apps: tuple[str, ...]
    known: Span


def read_rule(given: Mapping[str, Any], around: Surroundings) -> Rule:
    """Raises ``QuestionRefused`` with the place in it. A cohort is not made of cohorts."""
    for name in given:
        if name not in _FIELDS:
            raise unknown("field", str(name), _FIELDS, "", f" (there are {', '.join(_FIELDS)})")
    inside = replace(around, cohort=_no_cohort)
    rules = given.get("rules")
    if not isinstance(rules, list) or not 1 <= len(rules) <= MOST_RULES:
        raise QuestionRefused("rules", f"expected a list of 1 to {MOST_RULES} rules, found {shown(rules)}")
    shared = {name: given[name] for name in ("app", "timezone") if given.get(name)}
    made = tuple(_did(one, f"rules[{at}]", shared, inside) for at, one in enumerate(rules))
    apps = read({**shared, "metrics": ["visits"], "date_range": "day"}, inside).apps
    known = Span(0, around.now + _DAY, apps, "people")
    return Rule(choice(given.get("match"), MATCHES, "all", "match"), made, apps, known)


def _did(given: Any, where: str, shared: Mapping[str, Any], around: Surroundings) -> Did:
    fields = ("event", "times", "date_range")
    if not isinstance(given, dict) or any(name not in fields for name in given):
        raise QuestionRefused(where, f"expected an object with {', '.join(fields)}, found {shown(given)}")
    event = happening(given.get("event"), f"{where}.event", around)
    asked = {**shared, "metrics": ["visits"], "date_range": given.get("date_range", "28d"), "include": {"today": True}}
    try:
        period = read(asked, around).period
    except QuestionRefused as refused:
        raise QuestionRefused(f"{where}.{refused.where}", refused.reason) from None
    least, most = _times(given.get("times", {"at_least": 1}), f"{where}.times")
    return Did(event, period, least, most)


def _times(given: Any, where: str) -> tuple[int, int | None]:
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given)) not in TIMES:
        raise QuestionRefused(where, f'expected {{"at_least": 1}}, or one of {", ".join(TIMES)}, found {shown(given)}')
    name, number = next(iter(given.items()))
    count = whole(number, 1 if name == "at_least" else 0, MOST_TIMES, 1, f"{where}.{name}")
    return {"at_least": (count, None), "at_most": (0, count), "exactly": (count, count)}[name]


def _no_cohort(cohort_id: str) -> None:
    raise QuestionRefused("rules", f"a cohort is not made of cohorts, and one of its filters names {shown(cohort_id)}")

"""The answer to a question, beside a value."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from snowgauge.alerts.reading import Detail, Reading
from snowgauge.alerts.rules import Measure
from snowgauge.alerts.sources import Sources
from snowgauge.errors import ActionRefused, QueryRefused

_MOST_KEYS = 100


def measure(condition: Measure, apps: Collection[str], at: int, sources: Sources) -> Iterator[Reading]:
    length = condition.minutes * 60_000
    question: dict[str, Any] = dict(condition.question)
    if apps:
        question["app"] = sorted(apps)
    name = str(condition.question["metrics"][0])
    try:
        now = dict(list(sources.ask(question, at - length, at))[:_MOST_KEYS])
        before: dict[str, float | None] = {}
        if condition.comparison == "changes_by":
            before = dict(sources.ask(question, at - 2 * length, at - length))
    except (ActionRefused, QueryRefused) as refused:
        yield Reading("", None, f"{name} cannot be asked: {refused}")
        return
    for key, value in now.items():
        of = f"{name} of {key}" if key else name
        if value is None:
            yield Reading(key, None, f"there is no {of} in the period")
            continue
        if condition.comparison != "changes_by":
            wrong = value > condition.value if condition.comparison == "above" else value < condition.value
            summary = f"{of} is {value:,g}" + (f", {condition.comparison} {condition.value:,g}" if wrong else "")
            yield Reading(key, wrong, summary, "", value, condition.value)
            continue
        then = before.get(key)
        if not then:
            yield Reading(key, None, f"there was no {of} in the period before to compare with")
            continue
        change = 100 * (value - then) / abs(then)
        wrong = change >= condition.value if condition.value >= 0 else change <= condition.value
        details = (Detail("before", f"{then:,g}"), Detail("now", f"{value:,g}"))
        yield Reading(key, wrong, f"{of} changed by {change:+.1f} %", "", change, condition.value, None, details)

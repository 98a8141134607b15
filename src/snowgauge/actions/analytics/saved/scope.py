"""The scope of a dashboard: period, application, filters and comparison laid over the question of each tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowgauge.actions.analytics.saved.kinds import Kind, check
from snowgauge.analytics.buckets import INTERVALS, offered
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused

FIELDS = ("app", "date_range", "timezone", "traffic", "filters", "include")
_INCLUDED = ("comparisons", "today")
_BUCKETED = frozenset(f"time:{interval}" for interval in INTERVALS)


def check_scope(scope: Mapping[str, Any], around: Surroundings) -> None:
    """Raises ``QuestionRefused``."""
    for name in scope:
        if name not in FIELDS:
            raise QuestionRefused(str(name)[:100], f"a dashboard has the fields {', '.join(FIELDS)}")
    included = scope.get("include", {})
    if not isinstance(included, dict) or any(name not in _INCLUDED for name in included):
        raise QuestionRefused("include", f"a dashboard includes {' and '.join(_INCLUDED)}")
    read({**scope, "metrics": ["visits"]}, around)


def laid_over(kind: Kind, question: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """The question of a tile in the scope of its dashboard: filters are added, the rest is replaced."""
    if kind == "sql":
        return dict(question)
    made = dict(question)
    for name in ("app", "date_range", "timezone", "traffic"):
        if scope.get(name):
            made[name] = scope[name]
    if more := scope.get("filters"):
        made["filters"] = [*(question.get("filters") or []), *more]
    included = dict(question.get("include") or {})
    if scope.get("date_range"):  # what a report compares with, and whether today counts, belongs to its own period
        included = {name: value for name, value in included.items() if name not in _INCLUDED}
    included.update((name, value) for name, value in (scope.get("include") or {}).items() if value)
    made.pop("include", None)
    return {**made, "include": included} if included else made


def fitted(kind: Kind, question: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """A question whose period may be another than it was made for: without a comparison that its kind does not have,
    and by the period's usual interval where its own would give too many points. Raises ``QuestionRefused``."""
    made = _drawn(kind, dict(question), around)
    try:
        check(kind, made, around)
    except QuestionRefused as refused:
        included = made.get("include") or {}
        if not refused.where.startswith("include.comparisons") or not included.get("comparisons"):
            raise
        made["include"] = {name: value for name, value in included.items() if name != "comparisons"}
        check(kind, made, around)
    return made


def _drawn(kind: Kind, question: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """By an interval that is offered for its period."""
    dimensions = question.get("dimensions")
    own = question.get("interval") if kind == "trends" else None
    if kind == "query" and isinstance(dimensions, list):
        own = next((name.removeprefix("time:") for name in dimensions if name in _BUCKETED), None)
    if own is None:
        return question
    shared = {name: question[name] for name in FIELDS if name in question and name not in ("filters", "include")}
    if own in offered(read({**shared, "metrics": ["visits"]}, around).period):
        return question
    if kind == "trends":
        return {name: value for name, value in question.items() if name != "interval"}
    return {**question, "dimensions": ["time" if name in _BUCKETED else name for name in dimensions or ()]}

"""What an alert would have done: the same checks, and the same life, over what is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from snowgauge.alerts.evaluator import LATE_MS, advance
from snowgauge.alerts.life import State
from snowgauge.alerts.rules import HOUR_MS, Measure, Rule, has_past
from snowgauge.alerts.sources import Sources
from snowgauge.alerts.watching.check import check
from snowgauge.errors import ActionRefused

DAYS = 28
_DAY_MS = 24 * HOUR_MS
_MOST_CHECKS = 3_000
_MOST_QUESTIONS = 200
_MOST_KEYS = 20


@dataclass(frozen=True)
class PreviewPoint:
    """One check: ``at`` is the end of its period (ms); ``low`` and ``high`` what is usual."""

    at: int
    value: float | None
    low: float | None
    high: float | None
    bad: bool | None


@dataclass(frozen=True)
class Incident:
    """``resolved_at``: ``None``: it would still fire."""

    key: str
    summary: str
    started_at: int
    resolved_at: int | None


@dataclass(frozen=True)
class KeySeries:
    key: str
    points: list[PreviewPoint]


@dataclass(frozen=True)
class Preview:
    """``series`` of the keys with incidents, then of the largest."""

    since: int
    until: int
    checks: int
    incidents: list[Incident]
    series: list[KeySeries]
    keys: int


def preview(rule: Rule, days: int, now: int, sources: Sources) -> Preview:
    """Raises ``ActionRefused`` for what says nothing about the past, and for a span that takes too many checks."""
    if not has_past(rule.condition):
        raise ActionRefused(
            f"an alert of kind {rule.condition.kind} looks at what is so now: there is no history to try it on",
            status=422,
        )
    every = rule.every
    newest = min(now - LATE_MS, sources.model().until)
    until = newest - newest % every
    since = until - days * _DAY_MS
    most = _MOST_QUESTIONS if isinstance(rule.condition, Measure) else _MOST_CHECKS
    if (until - since) // every > most:
        raise ActionRefused(
            f"{days} days are {(until - since) // every:,} checks of {every // 60_000} minutes, more than {most:,}: "
            f"try at most {max(1, most * every // _DAY_MS)} days",
            status=422,
        )
    sources.counts.load([(since - 7 * _DAY_MS * 4 - _DAY_MS, until)])
    states: dict[str, State] = {}
    points: dict[str, list[PreviewPoint]] = {}
    incidents: list[Incident] = []
    open_: dict[str, Incident] = {}
    checks = 0
    for at in range(since + every, until + 1, every):
        readings = list(check(rule, at, sources))
        for one in readings:
            low, high = one.expected or (None, None)
            points.setdefault(one.key, []).append(PreviewPoint(at, one.value, low, high, one.bad))
        states, changes = advance(rule, at, states, readings)
        checks += 1
        for change in changes:
            key = change.reading.key
            if change.told == "firing" and key not in open_:
                open_[key] = Incident(key, change.reading.summary, change.started_at, None)
            elif change.told == "resolved" and key in open_:
                incidents.append(replace(open_.pop(key), resolved_at=change.at))
    incidents = sorted([*incidents, *open_.values()], key=lambda one: (one.started_at, one.key))
    fired = dict.fromkeys(one.key for one in incidents)
    largest = sorted(points, key=lambda key: -max((point.value or 0 for point in points[key]), default=0))
    shown = list(dict.fromkeys([*fired, *largest]))[:_MOST_KEYS]
    series = [KeySeries(key, points[key]) for key in shown if key in points]
    return Preview(since, until, checks, incidents, series, len(points))

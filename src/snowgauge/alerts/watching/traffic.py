"""No events, traffic that drops or spikes, events that are missing: beside what is usual at this hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median
from typing import NamedTuple

from snowgauge.alerts.baseline import Band, band
from snowgauge.alerts.counts import PINGS, Kind
from snowgauge.alerts.reading import Detail, Reading
from snowgauge.alerts.rules import HOUR_MS, EventChange, NoEvents, Traffic
from snowgauge.alerts.sources import Sources
from snowgauge.alerts.watching.hours import earlier, hour_of, spans

_WEEKS_OF_SILENCE = 3
_LEAST_WEEKS = 2
_DAY_MS = 24 * HOUR_MS
_NEW_RELEASE_MS = 7 * _DAY_MS
_RELEASE_EVENTS = 200
"""Events of a version before anything is said about it."""
_RELEASE_EXPECTED = 20


def no_events(condition: NoEvents, apps: Iterable[str], at: int, sources: Sources) -> Iterator[Reading]:
    counts = sources.counts
    start = at - condition.minutes * 60_000
    hour = hour_of(at - 1)
    known = sorted(apps)
    counts.load([*spans(hour, HOUR_MS, {sources.zone(app) for app in known}, _WEEKS_OF_SILENCE), (start, at)])
    now = counts.by_app(start, at)
    for app in known:
        before = [
            counts.by_app(week, week + HOUR_MS).get(app, 0)
            for week in earlier(hour, sources.zone(app), _WEEKS_OF_SILENCE)
        ]
        events = now.get(app, 0)
        if not events and min(before) < condition.least_per_hour:
            continue
        usual = f"{median(before):,.0f} events in this hour of the last weeks"
        summary = (
            f"{_named(app)} has sent nothing for {condition.minutes} minutes; {usual}"
            if not events
            else f"{_named(app)} sends events"
        )
        yield Reading(app, not events, summary, app, events, 0, (float(min(before)), float(max(before))))


def traffic(condition: Traffic, apps: Iterable[str], at: int, sources: Sources) -> Iterator[Reading]:
    counts = sources.counts
    start = at - HOUR_MS
    first = counts.first_of_app()
    known = sorted(apps)
    counts.load(spans(start, HOUR_MS, {sources.zone(app) for app in known}))
    now = counts.by_app(start, at, views=True)
    for app in known:
        weeks = [week for week in earlier(start, sources.zone(app)) if week >= first.get(app, at)]
        history = [counts.by_app(week, week + HOUR_MS, views=True).get(app, 0) for week in weeks]
        found = _compared(now.get(app, 0), history, condition)
        if found is not None:
            yield _reading(app, app, f"views of {_named(app)}", found)


def events(condition: EventChange, apps: Iterable[str], at: int, sources: Sources) -> Iterator[Reading]:
    counts = sources.counts
    start = at - HOUR_MS
    meant = set(apps)
    first = {key: seen for key, seen in counts.first().items() if key[0] in meant and _wanted(condition, key[1])}
    counts.load(spans(start, HOUR_MS, {sources.zone(app) for app in meant}))
    now = counts.by_event(start, at)
    for (app, event), seen in sorted(first.items()):
        weeks = [week for week in earlier(start, sources.zone(app)) if week >= seen]
        history = [counts.by_event(week, week + HOUR_MS).get((app, event), 0) for week in weeks]
        found = _compared(now.get((app, event), 0), history, condition)
        if found is not None:
            yield _reading(f"{app}/{event}", app, f"{event} in {_named(app)}", found)
    if condition.releases and condition.direction != "spike":
        yield from _releases(condition, meant, at, sources)


def _wanted(condition: EventChange, event: str) -> bool:
    return event in condition.events if condition.events else event != PINGS


def _releases(condition: EventChange, apps: set[str], at: int, sources: Sources) -> Iterator[Reading]:
    """Versions of an application, new within a week, that send none of what the other versions do."""
    counts = sources.counts
    recent = {kind: n for kind, n in counts.of(at - _DAY_MS, at).items() if kind.app in apps and kind.version}
    before = {
        kind.app + "\0" + kind.version for kind in counts.of(at - _NEW_RELEASE_MS - HOUR_MS, at - _NEW_RELEASE_MS)
    }
    for app, version in sorted({(kind.app, kind.version) for kind in recent}):
        mine = sum(n for kind, n in recent.items() if (kind.app, kind.version) == (app, version))
        others = {kind: n for kind, n in recent.items() if kind.app == app and kind.version != version}
        total = sum(others.values())
        if app + "\0" + version in before or mine < _RELEASE_EVENTS or total < _RELEASE_EVENTS:
            continue
        names = {kind.event for kind in others}
        for event in sorted(name for name in names if _wanted(condition, name)):
            share = sum(n for kind, n in others.items() if kind.event == event) / total
            if share * mine < _RELEASE_EXPECTED:
                continue
            sent = recent.get(Kind(app, event, version), 0)
            summary = (
                f"version {version} of {_named(app)} sends no {event}: of {mine:,} events in 24 hours, "
                f"{share * mine:,.0f} are expected"
                if not sent
                else f"version {version} of {_named(app)} sends {event}"
            )
            details = (Detail("version", version), Detail("event", event))
            yield Reading(f"{app}/{event}/{version}", not sent, summary, app, sent, share * mine, None, details)


class _Compared(NamedTuple):
    value: int
    usual: Band
    bad: bool
    weeks: int


def _compared(value: int, history: list[int], condition: Traffic | EventChange) -> _Compared | None:
    """Beside what is usual; ``None``: there is too little to say what that is."""
    if len(history) < _LEAST_WEEKS:
        return None
    usual = band(history, sensitivity=condition.sensitivity, least=condition.least_apart)
    drops, spikes = value < usual.low, value > usual.high
    bad = (drops and condition.direction != "spike") or (spikes and condition.direction != "drop")
    return _Compared(value, usual, bad, len(history))


def _reading(key: str, app: str, about: str, found: _Compared) -> Reading:
    value, usual = found.value, found.usual
    summary = f"{about}: {value:,} in this hour, as usual"
    if found.bad:
        percent = f"{100 * (value - usual.middle) / usual.middle:+.0f} % " if usual.middle else ""
        summary = f"{about}: {value:,} in this hour, {percent}beside the usual {usual.middle:,.0f}"
    threshold = usual.low if value < usual.middle else usual.high
    details = (Detail("usual", f"{usual.low:,.0f} to {usual.high:,.0f}"), Detail("weeks compared", str(found.weeks)))
    return Reading(key, found.bad, summary, app, value, threshold, (usual.low, usual.high), details)


def _named(app: str) -> str:
    return app or "an application without an id"

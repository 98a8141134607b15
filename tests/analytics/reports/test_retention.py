"""Retention, lifecycle and stickiness equal what plain Python makes of the same events, on both stores."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.reports.retention.lifecycle import lifecycle, read_activity, stickiness
from snowgauge.analytics.reports.retention.retention import answer, read_retention
from snowgauge.testing.figures.asking import Populated, happenings, is_of
from snowgauge.testing.figures.people import COUNTRIES, Did

ZONES = ["UTC", "America/St_Johns", "Asia/Kathmandu"]
SPANS = [["2026-03-02", "2026-03-22"], ["2026-03-04", "2026-03-10"], ["2026-03-09", "2026-03-20"]]


def shared(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "timezone": draw(st.sampled_from(ZONES)),
        "date_range": draw(st.sampled_from(SPANS)),
        "interval": draw(st.sampled_from(["day", "week", "month"])),
        "week_start": draw(st.sampled_from(["monday", "sunday"])),
        "filters": draw(st.sampled_from([[], [["is", "visit:country", ["US"]]]])),
    }


@st.composite
def retentions(draw: st.DrawFn) -> dict[str, Any]:
    return {
        **shared(draw),
        "start": draw(happenings()),
        **({"back": draw(happenings())} if draw(st.booleans()) else {}),
        "mode": draw(st.sampled_from(["first", "recurring"])),
        "returning": draw(st.sampled_from(["on", "on_or_after"])),
        **({"breakdown": "visit:country"} if draw(st.booleans()) else {}),
    }


@st.composite
def activities(draw: st.DrawFn) -> dict[str, Any]:
    return {**shared(draw), "event": draw(happenings())}


def interval_of(asked: dict[str, Any], ms: int) -> str:
    """The first local date of the interval in which an instant lies."""
    day = datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(asked["timezone"])).date()
    if asked["interval"] == "week":
        day -= timedelta(days=(day.weekday() + (asked["week_start"] == "sunday")) % 7)
    return (day.replace(day=1) if asked["interval"] == "month" else day).isoformat()


def those(asked: dict[str, Any], what: dict[str, Any], did: list[Did]) -> dict[str, list[Did]]:
    """Person -> their events, in order."""
    found: dict[str, list[Did]] = defaultdict(list)
    for one in sorted(did, key=lambda one: one.moment):
        if is_of(what, one) and (not asked["filters"] or one.country == "US"):
            found[one.person].append(one)
    return found


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(asked=retentions())
def test_any_retention(populated: Populated, asked: dict[str, Any]) -> None:
    found = answer(read_retention(asked, populated.around), populated.reporter(), asked)
    labels = [one.label for one in found.results[0].cohorts]
    starts = those(asked, asked["start"], populated.did)
    backs = those(asked, asked.get("back", asked["start"]), populated.did)
    groups = [None, *COUNTRIES] if "breakdown" in asked else [None]
    expected: dict[Any, Counter[tuple[int, int]]] = {group: Counter() for group in groups}
    sizes: dict[Any, Counter[int]] = {group: Counter() for group in groups}
    for person, began in starts.items():
        members: dict[str, Did] = {}
        for one in began[:1] if asked["mode"] == "first" else began:
            members.setdefault(interval_of(asked, one.ms), one)
        for label, first in members.items():
            if label not in labels:
                continue
            at = labels.index(label)
            came = {labels.index(place) - at for one in backs.get(person, []) if one.ms >= first.ms
                    and (place := interval_of(asked, one.ms)) in labels}  # fmt: skip
            if asked["returning"] == "on_or_after" and came:
                came = set(range(max(came) + 1))
            for group in (None, first.country) if "breakdown" in asked else (None,):
                sizes[group][at] += 1
                expected[group].update((at, k) for k in came)
    assert len(found.results) == 1 + ("breakdown" in asked) * sum(bool(sizes.get(one)) for one in COUNTRIES)
    for place, result in enumerate(found.results):
        group = None if place == 0 else result.value or ""
        for at, cohort in enumerate(result.cohorts):
            assert cohort.size == sizes[group][at], asked
            assert cohort.counts == [expected[group][at, k] for k in range(len(labels) - at)], asked


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(asked=activities())
def test_any_lifecycle_and_stickiness(populated: Populated, asked: dict[str, Any]) -> None:
    activity = read_activity(asked, populated.around, "day")
    found = lifecycle(activity, populated.reporter(), asked)
    labels = [one.label for one in found.results]
    states: dict[str, Counter[str]] = defaultdict(Counter)
    days: Counter[int] = Counter()
    for did in those(asked, asked["event"], populated.did).values():
        active = sorted({interval_of(asked, one.ms) for one in did})
        ahead = {label: interval_after(asked, label) for label in active}
        for label in active:
            earlier = [one for one in active if one < label]
            returns = any(ahead[one] == label for one in earlier)
            states[label]["new" if not earlier else "returning" if returns else "resurrecting"] += 1
            if ahead[label] not in active:
                states[ahead[label]]["dormant"] += 1
        days[sum(label in labels for label in active)] += 1
    for one in found.results:
        mine = states[one.label]
        assert (one.new, one.returning, one.resurrecting, one.dormant) == tuple(
            mine[state] for state in ("new", "returning", "resurrecting", "dormant")
        ), asked
    sticky = stickiness(activity, populated.reporter(), asked)
    assert [one.people for one in sticky.results] == [days[number] for number in range(1, len(labels) + 1)]
    assert sticky.results[0].at_least == sum(count for number, count in days.items() if number)


def interval_after(asked: dict[str, Any], label: str) -> str:
    day = datetime.fromisoformat(label).date()
    if asked["interval"] == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1).isoformat()
    return (day + timedelta(days=1 if asked["interval"] == "day" else 7)).isoformat()

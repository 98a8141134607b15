"""Funnels equal what plain Python makes of the same events, on both stores; and the table of semantics."""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.funnel.engine import answer, stopped
from snowgauge.analytics.reports.funnel.question import read_funnel
from snowgauge.store.base import Store
from snowgauge.testing.events import web_page_view
from snowgauge.testing.figures.asking import NOW, START, Populated, happenings, is_of
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.figures.people import Did

Moment = tuple[int, str]
PERIOD = ["2026-03-03", "2026-03-12"]
BEGIN, END = START + 86_400_000, START + 11 * 86_400_000


@st.composite
def funnels(draw: st.DrawFn) -> dict[str, Any]:
    order = draw(st.sampled_from(["ordered", "ordered", "strict", "any"]))
    steps = draw(
        st.lists(
            happenings(),
            min_size=2,
            max_size=5,
            unique_by=(lambda one: (one["kind"], one["name"], repr(one["filters"]))) if order != "ordered" else None,
        )
    )
    return {
        "steps": steps,
        "order": order,
        "unit": draw(st.sampled_from(["person", "visit"])),
        "window_seconds": draw(st.sampled_from([60, 300, 86_400, 7 * 86_400])),
        "date_range": PERIOD,
        "filters": draw(st.sampled_from([[], [["is", "visit:country", ["US"]]]])),
        **({"breakdown": "visit:country"} if draw(st.booleans()) else {}),
    }


def attempts(asked: dict[str, Any], did: list[Did]) -> dict[str, list[int]]:
    """Unit -> the times of its best attempt's steps."""
    by_unit: dict[str, list[Did]] = defaultdict(list)
    for one in did:
        if not asked["filters"] or one.country == "US":
            by_unit[one.person if asked["unit"] == "person" else one.visit].append(one)
    found = {}
    for unit, some in by_unit.items():
        tries = {"ordered": in_order, "strict": strictly, "any": in_any_order}[asked["order"]](asked, some)
        if tries:
            found[unit] = max(tries, key=lambda one: (len(one), -tries.index(one)))
    return found


def in_order(asked: dict[str, Any], some: list[Did]) -> list[list[int]]:
    steps = [sorted(one.moment for one in some if is_of(step, one)) for step in asked["steps"]]
    tries = []
    for start in steps[0]:
        if not BEGIN <= start[0] < END:
            continue
        chain = [start]
        for moments in steps[1:]:
            after = [one for one in moments if one > chain[-1] and one[0] <= start[0] + asked["window_seconds"] * 1000]
            if not after:
                break
            chain.append(after[0])
        tries.append([ms for ms, _ in chain])
    return tries


def numbered(asked: dict[str, Any], some: list[Did], *, others: bool) -> list[tuple[Moment, int]]:
    """Every event once, with the number of the first step that it meets; 0: another one."""
    steps: dict[Moment, int] = {}
    for one in some:
        if not BEGIN <= one.ms <= END + asked["window_seconds"] * 1000:
            continue
        met = next((number for number, step in enumerate(asked["steps"], 1) if is_of(step, one)), 0)
        known = steps.get(one.moment, 0)
        steps[one.moment] = min(known, met) if known and met else known or met
    return sorted((moment, step) for moment, step in steps.items() if step or others)


def strictly(asked: dict[str, Any], some: list[Did]) -> list[list[int]]:
    events = numbered(asked, some, others=True)
    tries = []
    for at, (start, step) in enumerate(events):
        repeated = at + 1 < len(events) and events[at + 1][1] == 1 and events[at + 1][0][0] < END
        if step != 1 or start[0] >= END or repeated:
            continue
        chain, place = [start[0]], at
        while len(chain) < len(asked["steps"]):
            after = place + 1
            while after < len(events) and events[after][1] == len(chain):
                after += 1
            late = after < len(events) and events[after][0][0] > start[0] + asked["window_seconds"] * 1000
            if after == len(events) or events[after][1] != len(chain) + 1 or late:
                break
            chain.append(events[after][0][0])
            place = after
        tries.append(chain)
    return tries


def in_any_order(asked: dict[str, Any], some: list[Did]) -> list[list[int]]:
    events = numbered(asked, some, others=False)
    tries = []
    for start, _ in events:
        if start[0] >= END:
            continue
        first: dict[int, int] = {}
        for moment, step in events:
            if start[0] <= moment[0] <= start[0] + asked["window_seconds"] * 1000:
                first.setdefault(step, moment[0])
        tries.append(sorted(first.values()))
    return tries


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(asked=funnels())
def test_any_funnel(populated: Populated, asked: dict[str, Any]) -> None:
    try:
        funnel = read_funnel(asked, populated.around)
    except QuestionRefused as refused:
        assert asked["order"] == "any", refused  # noqa: PT017
        return
    found = answer(funnel, populated.reporter(), asked)
    expected = attempts(asked, populated.did)
    count = len(asked["steps"])
    reached = [sum(len(times) > at for times in expected.values()) for at in range(count)]
    whole = found.results[0]
    assert [step.count for step in whole.steps] == reached
    assert [step.dropped for step in whole.steps[1:]] == [a - b for a, b in itertools.pairwise(reached)]
    times = [times[-1] - times[0] for times in expected.values() if len(times) == count]
    assert whole.time.median_s == (pytest.approx(statistics.median(times) / 1000) if times else None)
    assert sum(one.count for one in whole.time.distribution) == len(times)
    for at in range(1, count):
        since = [times[at] - times[at - 1] for times in expected.values() if len(times) > at]
        assert whole.steps[at].median_s == (pytest.approx(statistics.median(since) / 1000) if since else None)
    if "breakdown" in asked:
        assert sum(one.steps[0].count for one in found.results[1:]) == reached[0]
    step = 1 + len(repr(asked)) % count
    people = stopped(funnel, step, populated.reporter(), limit=1000, offset=0, reached=False)
    assert {one.unit for one in people} == {unit for unit, times in expected.items() if len(times) == step}
    for one in people:
        assert one.next == came_next(asked, populated.did, one.unit, one.reached)


def came_next(asked: dict[str, Any], did: list[Did], unit: str, reached: int) -> str | None:
    """The page or the stored event that came next."""
    own = [one for one in did if unit == (one.person if asked["unit"] == "person" else one.visit)]
    later = [one for one in own if reached < one.ms <= reached + 30 * 86_400_000 and one.kind != "goal"]
    return min(((one.moment, one.name) for one in later if one.name != "page_view"), default=((), None))[1]


# events of one person at seconds; X meets no step. The depth in order, strictly, and in any order
SEMANTICS = [
    ("A0 B10 C20", 3, 3, 3),
    ("A0 X5 B10 C20", 3, 1, 3),
    ("A0 C5 B10 C20", 3, 1, 3),
    ("A0 B10 A15 C20", 3, 2, 3),
    ("A0 B10 B20 C30", 3, 3, 3),
    ("A0 A50 B100", 2, 2, 2),
    ("A0 B60", 2, 2, 2),
    ("A0 B61", 1, 1, 1),
    ("A0 B0 C0", 3, 3, 3),
    ("A0 B30 C80", 2, 2, 2),
    ("A0 B30 A40 C80", 2, 2, 3),
    ("C0 B10 A20", 1, 1, 3),
    ("B0 C10", 0, 0, 2),
    ("X0", 0, 0, 0),
]


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_the_table_of_semantics(any_store: Store, order: str) -> None:
    views = []
    for number, (events, *_) in enumerate(SEMANTICS):
        for place, event in enumerate(events.split()):
            at = START + int(event[1:]) * 1000
            views.append(
                {
                    "view_id": f"v{number}-{place}", "event_id": f"{UUID(int=number * 100 + place + 1)}",
                    "unit": f"s{number}", "session_id": f"s{number}", "app_id": "web", "person_id": f"p{number}",
                    "start_tstamp": at, "end_tstamp": at, "page_path": f"/{event[0]}",
                }
            )  # fmt: skip
    sessions = [
        {"session_id": f"s{number}", "unit": f"s{number}", "app_id": "web", "person_id": f"p{number}",
         "start_tstamp": START, "end_tstamp": START}
        for number in range(len(SEMANTICS))
    ]  # fmt: skip
    events = [_page_view(row["event_id"], row["start_tstamp"], row["session_id"]) for row in views]
    fill(any_store, {"sessions": sessions, "page_views": views}, events)
    asked = {
        "steps": [{"kind": "page", "name": f"/{letter}"} for letter in "ABC"], "order": order, "window_seconds": 60,
        "date_range": ["2026-03-02", "2026-03-02"],
    }  # fmt: skip
    populated = Populated(any_store, [])
    funnel = read_funnel(asked, Surroundings(NOW))
    depths = {}
    for step in (1, 2, 3):
        for one in stopped(funnel, step, populated.reporter(), limit=100, offset=0, reached=False):
            depths[one.person] = step
    column = ["ordered", "strict", "any"].index(order) + 1
    assert [depths.get(f"p{number}", 0) for number in range(len(SEMANTICS))] == [row[column] for row in SEMANTICS]


def _page_view(event_id: str, at: int, session: str) -> Any:
    return web_page_view(event_id=event_id, app_id="web", collector_tstamp=at + 20, derived_tstamp=at,
                         domain_sessionid=session)  # fmt: skip

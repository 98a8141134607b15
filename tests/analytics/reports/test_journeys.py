"""Journeys equal what plain Python makes of the same events, on both stores."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.reports.journeys.journeys import answer, read_journeys
from snowgauge.testing.figures.asking import START, Populated, happenings, is_of
from snowgauge.testing.figures.people import Did

BEGIN, END = START + 86_400_000, START + 11 * 86_400_000


@st.composite
def journeys(draw: st.DrawFn) -> dict[str, Any]:
    anchor = draw(st.none() | happenings())
    kinds = draw(st.lists(st.sampled_from(["page", "event", "goal"]), max_size=2, unique=True))
    if anchor is not None and anchor["kind"] not in kinds:
        kinds.append(anchor["kind"])
    return {
        "date_range": ["2026-03-03", "2026-03-12"],
        "filters": draw(st.sampled_from([[], [["is", "visit:country", ["US"]]]])),
        "anchor": anchor,
        "kinds": kinds or ["page"],
        "direction": draw(st.sampled_from(["forwards", "backwards"])),
        "unit": draw(st.sampled_from(["person", "visit"])),
        "steps": draw(st.integers(2, 5)),
        "limit": draw(st.sampled_from([1, 2, 50])),
        "group": "folder" if "page" in kinds and draw(st.booleans()) else "none",
    }


def ways(asked: dict[str, Any], did: list[Did]) -> list[tuple[str, list[str]]]:
    """Persons with the labels of their ways, ``end:`` after the last."""
    by_unit: dict[str, list[Did]] = defaultdict(list)
    for one in did:
        if BEGIN <= one.ms < END and one.kind in asked["kinds"] and (not asked["filters"] or one.country == "US"):
            by_unit[one.person if asked["unit"] == "person" else one.visit].append(one)
    found = []
    for some in by_unit.values():
        steps: list[tuple[str, bool]] = []
        # of one event that is several things the names decide
        for one in sorted(some, key=lambda one: (one.moment, label(asked, one)),
                          reverse=asked["direction"] == "backwards"):  # fmt: skip
            anchors = asked["anchor"] is not None and is_of(asked["anchor"], one)
            if steps and steps[-1][0] == label(asked, one):
                steps[-1] = (steps[-1][0], steps[-1][1] or anchors)
            else:
                steps.append((label(asked, one), anchors))
        for at, (_, anchors) in enumerate(steps):
            if anchors or (asked["anchor"] is None and at == 0):
                way = [name for name, _ in steps[at : at + asked["steps"]]]
                found.append((some[0].person, [*way, "end:"][: asked["steps"]]))
    return found


def label(asked: dict[str, Any], one: Did) -> str:
    if one.kind == "page" and asked["group"] == "folder":
        return "page:/" + one.name.split("/")[1]
    return f"{one.kind}:{one.name}"


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(asked=journeys())
def test_any_journey(populated: Populated, asked: dict[str, Any]) -> None:
    found = answer(read_journeys(asked, populated.around), populated.reporter(), asked)
    expected = ways(asked, populated.did)
    assert found.people == len({person for person, _ in expected}), asked
    by_label: dict[tuple[int, str], set[str]] = defaultdict(set)
    for person, way in expected:
        for step, name in enumerate(way):
            by_label[step, name].add(person)
    kept = set()
    for step in range(asked["steps"]):
        names = [(name, len(who)) for (at, name), who in by_label.items() if at == step and name != "end:"]
        names.sort(key=lambda one: (-one[1], one[0].encode()))
        kept |= {(step, name) for name, _ in names[: asked["limit"]]} | {(step, "end:")}
    nodes: dict[str, set[str]] = defaultdict(set)
    links: dict[tuple[str, str], set[str]] = defaultdict(set)
    for person, way in expected:
        ids = [f"{step}:{name if (step, name) in kept else 'other:'}" for step, name in enumerate(way)]
        for one in ids:
            nodes[one].add(person)
        for pair in itertools.pairwise(ids):
            links[pair].add(person)
    assert {one.id: one.people for one in found.nodes} == {name: len(who) for name, who in nodes.items()}, asked
    mine = {(one.source, one.target): one.people for one in found.links}
    assert mine == {pair: len(who) for pair, who in links.items()}, asked

"""Random events to ask for, and what plain Python finds of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.store.base import Store
from snowgauge.testing.figures.people import EVENTS, GOALS, PAGES, Did

START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
"""A Monday."""
NOW = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)


class Populated:
    """A store with people in it, and what they did."""

    def __init__(self, store: Store, did: list[Did]) -> None:
        self.store = store
        self.did = did

    def reporter(self) -> Reporter:
        return Reporter(self.store.figures(), seconds=300)

    @property
    def around(self) -> Surroundings:
        return Surroundings(NOW)


def happenings() -> st.SearchStrategy[dict[str, Any]]:
    kinds = {"page": [*PAGES, "/a*", "/a/**", ""], "event": [*EVENTS, "page_view", ""], "goal": [*GOALS, ""]}

    def one(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        filters = st.sampled_from([[], [], [["is", "visit:country", ["DE"]]], [["is_not", "visit:country", ["DE"]]]])
        return st.fixed_dictionaries({"kind": st.just(kind), "name": st.sampled_from(kinds[kind]), "filters": filters})

    return st.sampled_from(["page", "page", "event", "goal"]).flatmap(one)


def is_of(asked: dict[str, Any], did: Did) -> bool:
    """Is it what was asked for?"""
    if did.kind != asked["kind"]:
        return False
    for operator, _, values in asked["filters"]:
        if (did.country in values) != (operator == "is"):
            return False
    name = asked["name"]
    if name == "/a*":
        return did.name == "/a"
    if name == "/a/**":
        return did.name == "/a/b"
    return name in ("", did.name)

"""Whatever the order in which events come, however often, and whatever is erased: the tables are a full rebuild's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling.applications import Application, Goal
from snowgauge.modelling.modeller import Modeller
from snowgauge.modelling.tables import IDENTITIES, OF_UNITS, USERS
from snowgauge.testing.events import described
from snowgauge.testing.model_store import MemoryModelStore
from snowgauge.testing.modelling import event

APPLICATION = Application(
    goals=(
        Goal(name="thanks", kind="page", pattern="/thanks"),
        Goal(name="read", kind="scroll", at_least=50),
        Goal(name="long", kind="visit", at_least=2),
    )
)
TABLES = (*OF_UNITS, USERS, IDENTITIES)
MINUTE = 60_000


@st.composite
def _events(draw: st.DrawFn, prefix: str = "e") -> list[EnrichedEvent]:
    """Some visitors, who log in here and there, have several visits, buy, come anonymously, or by a server."""
    made = []
    for number in range(draw(st.integers(1, 14))):
        name = draw(
            st.sampled_from(["page_view", "page_view", "page_ping", "transaction", "link_click", "screen_view"])
        )
        visitor, session = draw(st.sampled_from([("d1", "s1"), ("d1", "s2"), ("d2", "s3"), ("d2", "s4"), ("", ""),
                                                 ("d1", "")]))  # fmt: skip
        minute = draw(st.integers(0, 4 * 24 * 60))
        columns: dict[str, Any] = {
            "domain_userid": visitor or None,
            "domain_sessionid": session or None,
            "user_id": draw(st.sampled_from([None, None, "u1", "u2"])),
            "platform": draw(st.sampled_from(["web", "web", "web", "srv"])),
            "page_urlpath": draw(st.sampled_from(["/", "/a", "/thanks"])),
            "refr_medium": draw(st.sampled_from([None, "internal", "search"])),
            "mkt_medium": draw(st.sampled_from([None, None, "cpc"])),
            "doc_height": draw(st.sampled_from([None, 1000])),
            "pp_yoffset_max": draw(st.sampled_from([None, 700])),
        }
        if name == "transaction":
            columns |= {
                "tr_orderid": draw(st.sampled_from(["o1", "o2", None])),
                "tr_total": "9.99",
                "tr_currency": "EUR",
            }
        if name == "screen_view":
            uri = "iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0"
            columns["unstruct_event"] = described(uri, {"id": f"w{number % 3}", "name": "Main"})
        at = f"2026-03-{10 + minute // 1440:02d} {minute // 60 % 24:02d}:{minute % 60:02d}:00"
        view = draw(st.sampled_from(["", f"v{session}1", f"v{session}2"]))
        made.append(event(f"{prefix}{number}", name, at, view=view, **columns))
    return made


def _rebuilt(store: MemoryModelStore) -> MemoryModelStore:
    """Everything that is stored, modelled at once in an empty place."""
    fresh = MemoryModelStore()
    fresh.stored = list(store.stored)
    fresh.clock = store.clock
    modeller = Modeller(fresh, lambda: {"": APPLICATION})
    modeller.run()
    modeller.begin_rebuild()
    while modeller.rebuild_next():
        pass
    return fresh


def _plain(store: MemoryModelStore) -> dict[str, list[str]]:
    return {
        table.name: sorted(
            str({**row, "model_version": 0, "modelled_at": 0}) for row in store.tables[table.name].values()
        )
        for table in TABLES
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(events=_events(), data=st.data())
def test_any_order_of_increments_repeats_and_erasures_ends_in_the_same_rows(
    events: list[EnrichedEvent], data: st.DataObject
) -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    modeller.run()
    waiting = data.draw(st.permutations(events))
    while waiting:
        count = data.draw(st.integers(1, len(waiting)))
        some, waiting = waiting[:count], waiting[count:]
        store.write(some)
        store.clock += data.draw(st.sampled_from([0, MINUTE, 5 * MINUTE]))
        if data.draw(st.booleans()):
            modeller.run()
        if data.draw(st.integers(0, 3)) == 0:
            store.write(some[:1])  # sent again
        if data.draw(st.integers(0, 3)) == 0:
            erased = {str(one.event_id) for one in some[:1]}
            modeller.state.mark_dirty(store.erase(erased), "erased", f"erasure-{count}", store.clock)
        if data.draw(st.integers(0, 5)) == 0:
            modeller = Modeller(store, lambda: {"": APPLICATION})  # another process takes over
        if data.draw(st.integers(0, 5)) == 0:
            modeller.begin_rebuild()
            modeller.rebuild_next()
        store.clock += MINUTE
    modeller.run()
    modeller.run()
    assert _plain(store) == _plain(_rebuilt(store))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(events=_events(), more=_events("m"), at=st.integers(0, 6))
def test_a_modeller_that_is_killed_in_the_middle_leaves_nothing_wrong(
    events: list[EnrichedEvent], more: list[EnrichedEvent], at: int
) -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    store.write(events)
    modeller.run()
    store.clock += MINUTE
    store.write(more)
    store.failing = store.replaces + at
    with suppress(InterruptedError):
        modeller.run()
    store.failing = None
    store.clock += MINUTE
    Modeller(store, lambda: {"": APPLICATION}).run()
    assert _plain(store) == _plain(_rebuilt(store))


@pytest.mark.parametrize("overlap", [0, 9])
def test_an_event_that_becomes_visible_late_is_found(overlap: int) -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    modeller.run()
    store.clock += overlap * MINUTE
    modeller.run()
    late = event("late", "page_view", "2026-03-10 10:00:00", domain_sessionid="s1", view="v1")
    store.write([late])
    store.stored = [(at - overlap * MINUTE, row) for at, row in store.stored]
    modeller.run()
    assert [row["session_id"] for row in store.tables["sessions"].values()] == ["s1"]

"""Whatever the order in which events come, however often, and whatever is erased: the tables are a full rebuild's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling import rebuild
from snowgauge.modelling.applications import Application, Goal
from snowgauge.modelling.forgetting import delete_events
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


class Spec(NamedTuple):
    """An event in few words: hypothesis prints what it draws."""

    name: str
    who: tuple[str, str]
    minute: int
    user: str | None
    platform: str
    path: str
    came: tuple[str | None, str | None]
    height: int | None
    depth: int | None
    order: str | None
    view: int


_SPECS = st.lists(
    st.builds(
        Spec,
        st.sampled_from(["page_view", "page_view", "page_ping", "transaction", "link_click", "screen_view"]),
        st.sampled_from([("d1", "s1"), ("d1", "s2"), ("d2", "s3"), ("d2", "s4"), ("", ""), ("d1", "")]),
        st.integers(0, 4 * 24 * 60),
        st.sampled_from([None, None, "u1", "u2"]),
        st.sampled_from(["web", "web", "web", "srv"]),
        st.sampled_from(["/", "/a", "/thanks"]),
        st.tuples(st.sampled_from([None, "internal", "search"]), st.sampled_from([None, None, "cpc"])),
        st.sampled_from([None, 1000]),
        st.sampled_from([None, 700]),
        st.sampled_from(["o1", "o2", None]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=14,
)
"""Some visitors, who log in here and there, have several visits, buy, come anonymously, or by a server."""


def _events(specs: list[Spec], prefix: str = "e") -> list[EnrichedEvent]:
    made = []
    for number, spec in enumerate(specs):
        columns: dict[str, Any] = {
            "domain_userid": spec.who[0] or None,
            "domain_sessionid": spec.who[1] or None,
            "user_id": spec.user,
            "platform": spec.platform,
            "page_urlpath": spec.path,
            "refr_medium": spec.came[0],
            "mkt_medium": spec.came[1],
            "doc_height": spec.height,
            "pp_yoffset_max": spec.depth,
        }
        if spec.name == "transaction":
            columns |= {"tr_orderid": spec.order, "tr_total": "9.99", "tr_currency": "EUR"}
        if spec.name == "screen_view":
            uri = "iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0"
            columns["unstruct_event"] = described(uri, {"id": f"w{number % 3}", "name": "Main"})
        minute = spec.minute
        at = f"2026-03-{10 + minute // 1440:02d} {minute // 60 % 24:02d}:{minute % 60:02d}:00"
        # a page left open has one id in several sessions, and before its visitor is known
        view = "" if not spec.view else "shared" if spec.view == 3 else f"v{spec.who[1]}{spec.view}"
        made.append(event(f"{prefix}{number}", spec.name, at, view=view, **columns))
    return made


@pytest.fixture(params=[(1_000_000, 4_000), (1, 2)], ids=["days together", "day by day in small parts"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much of a rebuild is done at once."""
    monkeypatch.setattr(rebuild, "EVENTS_OF_DAYS", request.param[0])
    monkeypatch.setattr(rebuild, "UNITS_TOGETHER", request.param[1])


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


@pytest.mark.usefixtures("parts")
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(specs=_SPECS, data=st.data())
def test_any_order_of_increments_repeats_and_erasures_ends_in_the_same_rows(
    specs: list[Spec], data: st.DataObject
) -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    modeller.run()
    events = _events(specs)
    waiting = [events[at] for at in data.draw(st.permutations(range(len(events))))]
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
            modeller.rebuild_next(modeller.run if data.draw(st.booleans()) else lambda: None)
        store.clock += MINUTE
    modeller.run()
    modeller.run()
    assert _plain(store) == _plain(_rebuilt(store))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(specs=_SPECS, more=_SPECS, at=st.integers(0, 6))
def test_a_modeller_that_is_killed_in_the_middle_leaves_nothing_wrong(
    specs: list[Spec], more: list[Spec], at: int
) -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    store.write(_events(specs))
    modeller.run()
    store.clock += MINUTE
    store.write(_events(more, "m"))
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


def test_a_visit_that_was_cut_is_whole_once_what_came_too_late_is_erased() -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    modeller.run()
    shared = {"domain_userid": "d1", "domain_sessionid": "s1", "view": "v1"}
    store.write([event("a", "page_view", "2026-03-10 00:00:00", **shared)])
    store.write([event("b", "page_view", "2026-03-13 00:00:00", **shared)])
    modeller.run()
    assert [row["is_quarantined"] for row in store.tables["sessions"].values()] == [True]
    late = next(row["event_id"] for _, row in store.stored if row["collector_tstamp"] > 1_773_300_000_000)
    modeller.state.mark_dirty(store.erase({late}), "erased", "an erasure", store.clock)
    modeller.run()
    assert [row["is_quarantined"] for row in store.tables["sessions"].values()] == [False]


def _views(store: MemoryModelStore) -> dict[str, tuple[str, int]]:
    """View -> the session that it counts in, and how often it is counted."""
    rows = list(store.tables["page_views"].values())
    return {row["view_id"]: (row["session_id"], sum(r["view_id"] == row["view_id"] for r in rows)) for row in rows}


def test_a_view_counts_once_in_the_session_of_its_first_view_event() -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    modeller.run()
    later = event("later", "page_view", "2026-03-10 11:00:00", domain_userid="d1", domain_sessionid="s2", view="v1")
    ping = event("ping", "page_ping", "2026-03-10 11:00:10", domain_userid="d1", domain_sessionid="s2", view="v1")
    store.write([later, ping])
    modeller.run()
    assert _views(store) == {"v1": ("s2", 1)}
    store.clock += MINUTE
    store.write([event("first", "page_view", "2026-03-10 10:00:00", domain_userid="d1", domain_sessionid="s1",
                       view="v1")])  # fmt: skip
    modeller.run()
    assert _views(store) == {"v1": ("s1", 1)}
    sessions = {row["session_id"]: row for row in store.tables["sessions"].values()}
    # a ping in the other session counts for that session's engaged time, and for no view
    assert (sessions["s2"]["views"], sessions["s2"]["engaged_s"], sessions["s2"]["events"]) == (0, 5, 2)
    assert [row["engaged_s"] for row in store.tables["page_views"].values()] == [0]
    gone = next(row["event_id"] for _, row in store.stored if row["domain_sessionid"] == "s1")
    modeller.state.mark_dirty(store.erase({gone}), "erased", "an erasure", store.clock)
    modeller.run()
    assert _views(store) == {"v1": ("s2", 1)}
    assert store.tables["view_repeats"] == {}


def test_an_erasure_gives_a_view_to_the_session_that_repeated_it() -> None:
    store = MemoryModelStore()
    modeller = Modeller(store, lambda: {"": APPLICATION})
    modeller.run()
    for session, hour in (("s1", 10), ("s2", 11)):
        store.write([event(session, "page_view", f"2026-03-10 {hour}:00:00", domain_sessionid=session, view="v1")])
    modeller.run()
    (found,) = [row for _, row in store.stored if row["domain_sessionid"] == "s1"]
    event_id = str(found["event_id"])
    delete_events(store, [(event_id, found["collector_tstamp"])], lambda: store.erase({event_id}))
    store.clock += MINUTE
    modeller.run()
    assert _views(store) == {"v1": ("s2", 1)}

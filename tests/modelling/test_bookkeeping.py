"""Rows of the modeller's own tables go when they are taken out, on every store."""

from __future__ import annotations

from snowgauge.modelling.events import Unit
from snowgauge.modelling.lease import Lease
from snowgauge.modelling.state import ModelState
from snowgauge.modelling.tables.bookkeeping import LEASE


def test_what_has_been_seen_to_is_not_dirty_any_more(stored):
    store = stored.modelling()
    state = ModelState(store)
    state.mark_dirty([Unit("s1", 1_000, 2_000), Unit("s2", 1_000, 2_000)], "stored", "b1", store.now())
    first, second = sorted(state.dirty(), key=lambda row: row["unit"])
    state.done([first], store.now())
    assert [row["unit"] for row in state.dirty()] == ["s2"]
    state.done([second], store.now())
    assert state.dirty() == []


def test_a_lease_that_is_let_go_is_gone(stored):
    store = stored.modelling()
    lease = Lease(store, "machine")
    lease.held()
    assert lease.held()
    lease.release()
    assert store.all_rows(LEASE) == []

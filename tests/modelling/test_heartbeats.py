"""How often page pings come, beside what the settings say."""

from __future__ import annotations

import pytest

from snowgauge.actions.modelling import heartbeats
from snowgauge.modelling.applications import Application
from snowgauge.testing.model_store import MemoryModelStore
from snowgauge.testing.modelling import event


def _pings(seconds: int, count: int) -> MemoryModelStore:
    store = MemoryModelStore()
    at = [f"2026-03-10 10:{n * seconds // 60:02d}:{n * seconds % 60:02d}" for n in range(count)]
    store.write(
        [
            event(f"p{n}", "page_ping", time, view="v1", domain_userid="d1", domain_sessionid="s1")
            for n, time in enumerate(at)
            if n % 7 != 3  # someone was idle
        ]
    )
    return store


@pytest.mark.parametrize(("seconds", "differs"), [(10, False), (15, True)])
def test_the_commonest_gap_is_the_trackers_heartbeat(seconds: int, differs: bool) -> None:
    (one,) = heartbeats(_pings(seconds, 40), {"": Application()})
    assert (one.seen, one.setting, one.differs) == (seconds, 10, differs)


def test_few_pings_say_nothing() -> None:
    assert heartbeats(_pings(15, 10), {"": Application()}) == []
    assert heartbeats(MemoryModelStore(), {"": Application()}) == []

"""Events that were sent twice: one row each within the window, whoever stores them and when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowgauge.store.base import StoreBatch, WriteResult
from snowgauge.store.canonical import NO_UUID
from snowgauge.store.postgres import writer as writer_module
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import NOON, web_page_view

Open = Callable[..., PostgresStore]
DAY = 86_400_000
ROWS = "SELECT count(*), count(DISTINCT event_id) FROM atomic.events"
ENTITIES = "SELECT count(*), count(DISTINCT root_id) FROM atomic.com_snowplowanalytics_snowplow_web_page_1"


def sent(number: int, after: int = 0, **more: Any):
    return web_page_view(number, collector_tstamp=NOON + after, **more)


@pytest.mark.parametrize("partitioning", ["none", "monthly"])
def test_an_event_that_was_sent_again_is_stored_once_with_one_set_of_entities(open_store: Open, sql, partitioning):
    postgres = open_store(partitioning=partitioning)
    again = [sent(n, 60_000 + n) for n in range(20)] + [sent(100, 6 * DAY), sent(101, 31 * DAY)]
    postgres.write(StoreBatch("b1", [sent(n) for n in range(10)] + [sent(100), sent(101)]))
    assert postgres.write(StoreBatch("b2", again)) == WriteResult(22, 0, 0)
    assert sql(ROWS) == [(23, 22)], "only what came after the window is there twice"
    assert sql(ENTITIES) == [(23, 22)]
    when = "SELECT count(*), min(extract(epoch FROM collector_tstamp) * 1000)::bigint FROM atomic.events"
    assert sql(f"{when} WHERE event_id = %s", sent(100).event_id) == [(1, NOON)], "the first stays"


def test_twice_in_one_batch(postgres: PostgresStore, sql):
    postgres.write(StoreBatch("b1", [sent(1), sent(1, 5), sent(2), sent(1, 8 * DAY), sent(1, 9 * DAY)]))
    assert sql(ROWS) == [(3, 2)]
    assert sql(ENTITIES) == [(3, 2)]


def test_without_a_window_both_are_kept(open_store: Open, sql):
    postgres = open_store(duplicate_window="0 s")
    postgres.write(StoreBatch("b1", [sent(1), sent(1, 5)]))
    postgres.write(StoreBatch("b2", [sent(1, 9), sent(1)]))
    assert sql(ROWS) == [(3, 1)]


def test_events_without_an_id_are_not_one_event(postgres: PostgresStore, sql):
    for number in range(2):
        postgres.write(StoreBatch(f"b{number}", [sent(n, 10 * number + n, event_id=NO_UUID) for n in range(5)]))
    assert sql(ROWS) == [(10, 1)]


@pytest.mark.parametrize("at", [-62135596800001, -210866803200000, 253402300799999, 9224318015999999])
def test_at_the_ends_of_the_calendar(postgres: PostgresStore, sql, at):
    for number in range(2):
        postgres.write(StoreBatch(f"b{number}", [sent(1), web_page_view(2, collector_tstamp=at)]))
    assert sql(ROWS) == [(2, 2)]


def test_two_that_are_stored_in_the_same_moment(open_store: Open, sql, monkeypatch):
    """Neither transaction sees the other's rows when it looks."""
    stores = [open_store(), open_store()]
    both_have_looked = threading.Barrier(2)
    waited = threading.local()
    real = writer_module._copy

    def copy(*arguments: Any) -> None:
        if not getattr(waited, "done", False):
            waited.done = True
            both_have_looked.wait(60)
        real(*arguments)

    monkeypatch.setattr(writer_module, "_copy", copy)
    results: list[WriteResult] = []

    def write(number: int) -> None:
        events = [sent(n, number * 1000) for n in range(10)] + [sent(50 + number)]
        results.append(stores[number].write(StoreBatch(f"b{number}", events)))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [WriteResult(11, 0, 0)] * 2
    assert sql(ROWS) == [(12, 12)]
    assert sql(ENTITIES) == [(12, 12)]
    for store in stores:
        store.close()


def expected(batches: list[list[tuple[int, int]]], window: int) -> set[tuple[int, int]]:
    kept: set[tuple[int, int]] = set()
    for batch in batches:
        for number, at in batch:
            if all(other != number or abs(there - at) > window for other, there in kept):
                kept.add((number, at))
    return kept


SENDINGS = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30).map(lambda days: days * DAY // 2)), max_size=8), max_size=5
)


def test_what_is_kept_is_the_first_of_each_window(postgres: PostgresStore, sql):
    ids = {sent(n).event_id: n for n in range(5)}

    @settings(max_examples=25, deadline=None)
    @given(SENDINGS)
    def check(batches: list[list[tuple[int, int]]]) -> None:
        sql("TRUNCATE atomic.events, atomic.snowgauge_batches")
        for number, batch in enumerate(batches):
            postgres.write(StoreBatch(f"b{number}", [sent(n, at) for n, at in batch]))
        found = sql("SELECT event_id::text, (extract(epoch FROM collector_tstamp) * 1000)::bigint FROM atomic.events")
        assert {(ids[event_id], at - NOON) for event_id, at in found} == expected(batches, 7 * DAY)
        assert len(found) == len(expected(batches, 7 * DAY))

    check()

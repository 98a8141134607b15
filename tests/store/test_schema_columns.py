"""Columns of schemas are given by use and can be given back; events are whole with and without them."""

from __future__ import annotations

import json

import pytest

from snowgauge.errors import StoreError
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.grants import Grants
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.events import described, web_page_view


def uri(name):
    return f"iglu:com.acme/{name}/jsonschema/1-0-0"


def view(number, **columns):
    return web_page_view(number, derived_contexts=[], **columns)


def test_one_event_takes_ten_at_most_and_first_sight_half_of_all():
    grants = Grants(40, lambda: 0.0)
    taken = 0
    for event in range(10):
        grants.count("shop")
        given = 0
        for number in range(300):
            if grants.earned(f"e{event}-{number}", "shop", taken=taken, of_event=given):
                given, taken = given + 1, taken + 1
        assert given <= 10
    assert taken == 20


def test_the_second_half_is_earned_by_events_and_goes_slowly():
    now = [0.0]
    grants = Grants(40, lambda: now[0])

    def use(name, app="shop"):
        grants.count(app)
        return grants.earned(name, app, taken=20, of_event=0)

    assert [use("cart") for _ in range(100)] == [False] * 99 + [True]
    given = sum(use(f"n{number}") for number in range(20) for _ in range(100))
    assert given == 3, "a tenth of forty in an hour, with the cart"
    now[0] += 3600
    assert use("n19")


def test_applications_that_bring_next_to_nothing_earn_nothing():
    grants = Grants(40, lambda: 0.0)
    for _ in range(100_000):
        grants.count("shop")
    for number in range(500):
        app = f"made-up-{number}"
        grants.count(app)
        assert not grants.earned("evil", app, taken=20, of_event=0)
    assert not any(grants.earned("cart", "shop", taken=40, of_event=0) for _ in range(200)), "all are taken"


def test_no_column_is_given_where_none_is_wanted():
    assert not Grants(0).earned("a", None, taken=0, of_event=0)


@pytest.fixture
def few(clickhouse, engine):
    """The store with six columns; two writers of it."""
    configuration = clickhouse.settings.configuration.model_copy(update={"max_schema_columns": 6})
    settings = clickhouse.settings.model_copy(update={"configuration": configuration})
    stores = [ClickHouseStore(settings, engine_connection(settings, engine.url)) for _ in range(2)]
    yield stores
    for store in stores:
        store.close()


def raw(store, number):
    row = store.query(f"SELECT contexts FROM {store.layout.name('events')} WHERE app_id = 'app{number}'").rows[0]
    return [entity["schema"] for entity in json.loads(row[0])["data"]]


def test_events_without_columns_are_whole_and_columns_come_back(few):
    store, other = few
    names = [f"hostile{n}" for n in range(300)]
    event = view(1, app_id="app1", contexts=[described(uri(name), {"n": 1}) for name in names])
    assert store.write(StoreBatch("b1", [event])).events == 1
    assert raw(store, 1) == [uri(name) for name in names]
    uses = store.column_uses(90)
    assert len(uses) == 3
    assert {use.events for use in uses} == {1}

    other.write(StoreBatch("b2", [view(2, app_id="app2", contexts=[described(uri("hostile0"), {"n": 2})])]))
    with pytest.raises(StoreError, match="no such column of a schema"):
        store.give_back_columns(["event_id"])
    store.give_back_columns([use.column for use in uses])
    assert store.column_uses(90) == []
    # the other writer still knows the columns
    other.write(StoreBatch("b3", [view(3, app_id="app3", contexts=[described(uri("hostile0"), {"n": 3})])]))
    assert [use.column for use in store.column_uses(90)] == ["contexts_com_acme_hostile0_1"]
    assert raw(store, 1) == [uri(name) for name in names]


def test_columns_that_nobody_uses_make_room_once_all_are_taken(few):
    store, _ = few
    first = [view(n, contexts=[described(uri(f"site{n}"), {"n": n})]) for n in range(3)]
    store.write(StoreBatch("b1", first))
    writer = store._ready_writer().schemas
    for name in ("old_a", "old_b", "old_c"):
        for table in ("events", "incomplete_events"):
            store.connection.command(
                f"ALTER TABLE {store.layout.stored(table)} ADD COLUMN contexts_com_acme_{name}_1 Array(String) "
                f"COMMENT 'iglu:com.acme/{name}/jsonschema/1-*-*'"
            )
    writer.refresh()
    store.write(StoreBatch("b2", [view(9, contexts=[described(uri("new"), {"n": 9})])]))
    assert sorted(use.column for use in store.column_uses(90)) == [f"contexts_com_acme_site{n}_1" for n in range(3)]

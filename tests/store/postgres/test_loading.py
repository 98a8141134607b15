"""Batches are stored whole and once, whatever dies or is repeated; what the database refuses is filed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest

from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import Selection, StoreBatch, WriteResult
from snowgauge.store.postgres.migrations import STEPS
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import described, schema_violation, web_page_view
from snowgauge.testing.postgres import PostgresServer, temporary_server

ALL = Selection()
Open = Callable[..., PostgresStore]

SCHEMAS = tuple(
    f"iglu:com.snowplowanalytics.snowplow/{name}/jsonschema/1-0-0"
    for name in ("web_page", "site_search", "link_click", "submit_form", "change_form", "social_interaction")
)
FORK = multiprocessing.get_context("fork")


def load(url: str, resolver: Any, first: int, last: int, size: int, done: Connection) -> None:
    """A loader in a process of its own: tells the number of each batch that it has stored."""
    store = PostgresStore(url, PostgresSettings(bad_row_tables=False), resolver)
    for number in range(first, last):
        events = [
            web_page_view(n, contexts=[described(uri, {"url": "https://x.example", "id": "1"}) for uri in SCHEMAS])
            for n in range(number * size, (number + 1) * size)
        ]
        done.send("writing")
        store.write(StoreBatch(f"batch-{number}", events))
        done.send(number)
    store.close()


def loader(*arguments: Any) -> tuple[Any, Connection]:
    receive, send = FORK.Pipe(duplex=False)
    process = FORK.Process(target=load, args=(*arguments, send))
    process.start()
    send.close()
    return process, receive


def test_a_loader_killed_again_and_again_stores_everything_once(open_store: Open, url: str, bundled, sql) -> None:
    store = open_store()
    batches, size, kills, stored = 6, 1000, 0, 0
    while stored < batches:
        process, told = loader(url, bundled, stored, batches, size)
        try:
            while (word := told.recv()) == "writing" or word == stored:
                if word != "writing":
                    stored += 1
                elif kills < 15:
                    time.sleep(0.012 * kills)  # another moment of the write each time
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
        except EOFError:
            pass
        process.join()
        told.close()
        assert process.exitcode in (0, -signal.SIGKILL), "the loader failed by itself"
    assert kills == 15
    assert store.count("good", ALL) == batches * size
    assert sql("SELECT count(*), count(DISTINCT event_id) FROM atomic.events") == [(batches * size, batches * size)]
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_link_click_1") == [(batches * size,)]
    assert sql("SELECT count(*), sum(events)::int FROM atomic.snowgauge_batches") == [(batches, batches * size)]


def test_several_processes_meet_the_same_new_schemas(open_store: Open, url: str, bundled, sql) -> None:
    store = open_store(dbt_tables=False)
    started = [loader(url, bundled, number * 3, number * 3 + 3, 20) for number in range(4)]
    for process, told in started:
        process.join(60)
        assert process.exitcode == 0
        told.close()
    assert store.count("good", ALL) == 240
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'com_snowplow%' AND relkind = 'r'") == [(6 + 1,)]
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_change_form_1") == [(240,)]


def test_several_processes_set_the_database_up(open_store: Open, url: str, schemas) -> None:
    stores = [PostgresStore(url, PostgresSettings(), schemas) for _ in range(4)]
    applied: list[int] = []
    threads = [threading.Thread(target=lambda s=s: applied.append(len(s.migrate()))) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [0, 0, 0, len(STEPS)]
    assert all(step.applied_at for step in stores[0].migrations())
    for store in stores:
        store.close()


def test_one_batch_from_many_threads_is_stored_once(postgres: PostgresStore, sql) -> None:
    batch = StoreBatch("b1", [web_page_view(n) for n in range(200)], [schema_violation(1)])
    results: list[WriteResult] = []
    threads = [threading.Thread(target=lambda: results.append(postgres.write(batch))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.repeated for result in results) == [False, *[True] * 5]
    assert sql("SELECT count(*) FROM atomic.events") == [(200,)]
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_web_page_1") == [(200,)]


def test_a_replay_under_other_batch_ids_stores_only_what_is_new(postgres: PostgresStore, sql) -> None:
    postgres.write(StoreBatch("b1", [web_page_view(n) for n in range(10)], [schema_violation(1)]))
    postgres.write(StoreBatch("r1", [web_page_view(n) for n in range(5, 15)], [schema_violation(1),
                                                                             schema_violation(2)]))  # fmt: skip
    assert sql("SELECT count(*) FROM atomic.events") == [(15,)]
    assert sql("SELECT count(*), count(DISTINCT root_id) FROM atomic.com_snowplowanalytics_snowplow_web_page_1") == [
        (15, 15)
    ]
    assert sql("SELECT count(*) FROM atomic.failed_events") == [(2,)]
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_badrows_schema_violations_2") == [(2,)]


def test_one_event_twice_in_a_batch_keeps_one_set_of_entities(postgres: PostgresStore, sql) -> None:
    event = web_page_view(1)
    far = web_page_view(2, collector_tstamp=-62135596800001)
    assert postgres.write(StoreBatch("b1", [event, event, far])).events == 3
    postgres.write(StoreBatch("b2", [event, far, web_page_view(3)]))
    assert sql("SELECT count(*) FROM atomic.events") == [(3,)]
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_web_page_1") == [(3,)]


def test_rows_that_only_the_database_refuses_are_found_among_their_neighbours(open_store: Open, sql) -> None:
    postgres = open_store(dbt_tables=True)
    sql("ALTER TABLE atomic.events ADD CHECK (app_id <> 'forbidden')")
    sql("ALTER TABLE atomic.com_snowplowanalytics_snowplow_web_page_1 ADD CHECK (id <> 'forbidden')")
    sql("ALTER TABLE atomic.incomplete_events ADD CHECK (app_id <> 'forbidden')")
    events = [web_page_view(n) for n in range(64)]
    events[7].app_id = events[63].app_id = "forbidden"
    page = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
    events[30].contexts = [described(page, {"id": "forbidden"})]
    batch = StoreBatch("b1", events, incomplete=[web_page_view(100), web_page_view(101, app_id="forbidden")])
    assert postgres.write(batch) == WriteResult(events=61, failed=0, incomplete=1, refused=3)
    assert postgres.write(batch) == WriteResult(61, 0, 1, 3, repeated=True)
    assert sql("SELECT count(*) FROM atomic.events") == [(61,)]
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_web_page_1") == [(61,)]
    found = postgres.events("failed", ALL)
    assert len(found) == 4
    assert all("violates check constraint" in one["message"] for one in found)


def test_bad_rows_have_their_tables(postgres: PostgresStore, sql) -> None:
    failed = schema_violation(1)
    postgres.write(StoreBatch("b1", [web_page_view(1, txn_id=2**40)], [failed]))
    assert sql(
        'SELECT "processor.artifact", "failure.messages"->0->>\'schemaKey\', failed_id::text '
        "FROM atomic.com_snowplowanalytics_snowplow_badrows_schema_violations_2"
    ) == [("snowgauge", "iglu:com.acme/cart/jsonschema/1-0-0", failed.id)]
    [(failure, app_id)] = sql(
        'SELECT failure, "payload.app_id" FROM atomic.com_snowplowanalytics_snowplow_badrows_loader_runtime_error_1'
    )
    assert "txn_id" in failure
    assert app_id == "shop"


def test_bad_row_tables_can_be_left_out(open_store: Open, sql) -> None:
    open_store(bad_row_tables=False).write(StoreBatch("b1", failed=[schema_violation(1)]))
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%badrows%'") == [(0,)]
    assert sql("SELECT count(*) FROM atomic.failed_events") == [(1,)]


def test_what_postgresql_cannot_hold_is_left_out_or_replaced(postgres: PostgresStore) -> None:
    event = web_page_view(
        1, page_title="a\x00b\ud800c", page_urlfragment="\x00",
        contexts=[described("iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0", {"id": "x\x00\ud800y"})],
    )  # fmt: skip
    assert postgres.write(StoreBatch("b\x001", [event], [schema_violation(1, message="\x00\udfff")])).refused == 0
    found = postgres.events("good", ALL)[0]
    assert (found["page_title"], found["page_urlfragment"]) == ("ab?c", None)
    assert postgres.query("SELECT id FROM atomic.com_snowplowanalytics_snowplow_web_page_1").rows == [["x?y"]]
    assert postgres.events("failed", ALL)[0]["message"] == "?"


def test_lines_that_look_like_the_end_of_copy_are_data(postgres: PostgresStore) -> None:
    texts = ["\\.", "\n\\.\n", "\r\n\\.\r\n", "\\N", "\\", '"', '","', "\r", "\n"]
    events = [web_page_view(n, app_id=text, page_title=text, true_tstamp=None) for n, text in enumerate(texts)]
    assert postgres.write(StoreBatch("b1", events)).events == len(texts)
    found = postgres.events("good", ALL, newest_first=False)
    assert [row["app_id"] for row in found] == texts
    assert [row["page_title"] for row in found] == texts


def test_without_tables_a_batch_waits(url: str, schemas) -> None:
    store = PostgresStore(url, PostgresSettings(), schemas)
    with pytest.raises(StoreUnavailable, match="snowgauge db init"):
        store.write(StoreBatch("b1", [web_page_view(1, contexts=[], derived_contexts=[])]))
    store.close()


def test_a_role_without_rights_waits_and_says_why(postgres: PostgresStore, url: str, sql, schemas) -> None:
    from psycopg.conninfo import make_conninfo

    name = f"reader_{os.getpid()}"
    sql(f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA atomic TO {name}; "
        f"GRANT SELECT ON ALL TABLES IN SCHEMA atomic TO {name}")  # fmt: skip
    store = PostgresStore(make_conninfo(url, user=name), PostgresSettings(), schemas)
    try:
        assert store.count("good", ALL) == 0
        with pytest.raises(StoreUnavailable, match="permission denied"):
            store.write(StoreBatch("b1", [web_page_view(1)]))
    finally:
        store.close()
        sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def old_server() -> Iterator[PostgresServer]:
    with temporary_server(version=16) as server:
        yield server


def test_a_server_that_comes_back_is_used_again(old_server: PostgresServer, bundled) -> None:
    server = old_server
    store = PostgresStore(server.database(), PostgresSettings(connect_timeout="2 s"), bundled)
    store.migrate()
    store.write(StoreBatch("b1", [web_page_view(1)]))
    server.stop()
    assert not store.ready()
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=r"cannot be reached|PostgreSQL at"):
            store.write(StoreBatch("b2", [web_page_view(2)]))
    server.start()
    for _ in range(200):
        try:
            result = store.write(StoreBatch("b2", [web_page_view(2)]))
            break
        except StoreUnavailable:
            time.sleep(0.05)
    assert result == WriteResult(1, 0, 0)
    assert store.count("good", ALL) == 2
    store.close()


def test_more_threads_than_connections(open_store: Open) -> None:
    store = open_store(pool_size=2)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            store.write(StoreBatch(f"b{number}", [web_page_view(number)]))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.count("good", ALL) == 12


def test_vacuum_and_status(postgres: PostgresStore) -> None:
    postgres.write(StoreBatch("b1", [web_page_view(1)]))
    assert {"events", "failed_events", "com_snowplowanalytics_snowplow_web_page_1"} <= set(postgres.vacuum())
    status = postgres.status()
    assert status["schema"] == "atomic"
    assert status["tables"] >= 8
    assert status["bytes"] > 0
    assert "@" not in status["url"]


def test_vacuum_gathers_what_the_planner_wants_to_know_of_partitioned_tables(open_store: Open, sql) -> None:
    store = open_store(partitioning="monthly")
    store.write(StoreBatch("b1", [web_page_view(n) for n in range(30)]))
    assert "events" in store.vacuum()
    known = {row[0] for row in sql("SELECT tablename::text FROM pg_stats WHERE schemaname = 'atomic'")}
    assert {"events", "events_y2024m05", "com_snowplowanalytics_snowplow_web_page_1"} <= known


def test_person_indexes_where_asked(open_store: Open, sql) -> None:
    open_store(person_indexes=True).migrate()
    found = {row[0] for row in sql("SELECT indexname FROM pg_indexes WHERE tablename = 'events'")}
    assert {"events_user_id_person", "events_domain_userid_person", "events_network_userid_person"} <= found

"""The store on the embedded engine keeps the contract, with and without the JSON type; and what only ClickHouse has."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from snowgauge.actions.sql import exported
from snowgauge.errors import QueryRefused, StoreUnavailable
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse import reader
from snowgauge.store.clickhouse.layout import Features
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view
from snowgauge.testing.store_contract import StoreContract


@pytest.fixture
def store(clickhouse: ClickHouseStore) -> ClickHouseStore:
    return clickhouse


class TestClickHouse(StoreContract):
    pass


class TestClickHouseWithoutJsonType(StoreContract):
    """As on a server before 24.8: schemas get text columns."""

    @pytest.fixture
    def store(self, clickhouse: ClickHouseStore, engine: EngineProcess) -> Iterator[ClickHouseStore]:
        old = ClickHouseStore(
            clickhouse.settings,
            engine_connection(clickhouse.settings, engine.url),
            force_features=Features("22.11", ""),
        )
        yield old
        old.close()

    def test_schema_columns_hold_json_text(self, store: ClickHouseStore) -> None:
        uri = "iglu:com.acme/cart/jsonschema/1-0-0"
        store.write(StoreBatch("b1", [web_page_view(1, contexts=[described(uri, {"skuCount": 3})])]))
        found = store.query(
            f"SELECT JSONExtractInt(contexts_com_acme_cart_1[1], 'sku_count') FROM {store.layout.name('events')}"
        )
        assert found.rows == [[3]]
        assert "no JSON type" in store.status()["schema_columns"]


def _events(store: ClickHouseStore) -> str:
    return store.layout.name("events")


def test_schema_columns_are_typed_json_with_their_version(store: ClickHouseStore) -> None:
    """Client and derived contexts of one schema share a column; keys are snake case (warehouse naming)."""
    user = "iglu:com.acme-shop/UserProfile/jsonschema/2-0-"
    store.write(
        StoreBatch(
            "b1",
            [
                web_page_view(
                    1,
                    unstruct_event=described("iglu:com.acme/add_to_cart/jsonschema/1-0-0", {"unitPrice": 9.5, "n": 2}),
                    contexts=[described(user + "1", {"firstName": "Ada", "createdAt": "2026-01-01T00:00:00Z"})],
                    derived_contexts=[described(user + "2", {"firstName": "Bob"})],
                )
            ],
        )
    )
    row = store.query(
        "SELECT unstruct_event_com_acme_add_to_cart_1.unit_price, contexts_com_acme_shop_user_profile_2.first_name, "
        "contexts_com_acme_shop_user_profile_2._schema_version, "
        f"toString(contexts_com_acme_shop_user_profile_2[1].created_at) FROM {_events(store)}"
    ).rows[0]
    assert row == [9.5, ["Ada", "Bob"], ["2-0-1", "2-0-2"], "2026-01-01T00:00:00Z"]


def test_a_type_may_change_within_a_model(store: ClickHouseStore) -> None:
    uri = "iglu:com.acme/thing/jsonschema/1-0-0"
    values = [1, "one", 1.5, {"a": 1}, [1, 2], True]
    events = [web_page_view(n, unstruct_event=described(uri, {"v": value})) for n, value in enumerate(values)]
    assert store.write(StoreBatch("b1", events)).events == len(values)
    typed = f"SELECT count() FROM {_events(store)} WHERE unstruct_event_com_acme_thing_1.v.:String = 'one'"
    assert store.query(typed).rows == [[1]]


def test_two_schemas_of_one_column_name_do_not_mix(store: ClickHouseStore) -> None:
    first, second = "iglu:com.acme/a_b/jsonschema/1-0-0", "iglu:com.acme/a-b/jsonschema/1-0-0"
    store.write(
        StoreBatch("b1", [web_page_view(1, contexts=[described(first, {"x": 1}), described(second, {"x": 2})])])
    )
    assert store.query(f"SELECT contexts_com_acme_a_b_1.x FROM {_events(store)}").rows == [[[1]]]
    assert len(store.events("good", Selection())[0]["contexts"]["data"]) == 2


def test_a_second_store_knows_the_columns_of_the_first(store: ClickHouseStore, engine: EngineProcess) -> None:
    other = ClickHouseStore(store.settings, engine_connection(store.settings, engine.url))
    uri = "iglu:com.acme/late/jsonschema/1-0-0"
    other.write(StoreBatch("b0", [web_page_view(0)]))
    store.write(StoreBatch("b1", [web_page_view(1, contexts=[described(uri, {"x": 1})])]))
    other.write(StoreBatch("b2", [web_page_view(2, contexts=[described(uri, {"x": 2})])]))
    other.close()
    assert store.query(f"SELECT sum(length(contexts_com_acme_late_1)) FROM {_events(store)}").rows == [[2]]


def test_retries_of_a_broken_write_store_every_row_once(store: ClickHouseStore) -> None:
    """The ledger line is missing, as after a crash before it: tokens alone must hold, also over several months."""
    events = [web_page_view(n, collector_tstamp=NOON + n * 86_400_000 * 20) for n in range(30)]
    events[4].event_id = "no-uuid"
    batch = StoreBatch("b1", events, [schema_violation(1)], [web_page_view(77)])
    for _ in range(3):
        assert store.write(batch).refused == 1
        store.connection.command(f"TRUNCATE TABLE {store.layout.batches}")
    rows = store.query(f"SELECT count(), uniqExact(event_id) FROM {_events(store)}").rows[0]
    assert list(rows) == [29, 29]
    assert store.query(f"SELECT count() FROM {store.layout.name('failed_events')}").rows == [[2]]
    assert store.query(f"SELECT count() FROM {store.layout.name('incomplete_events')}").rows == [[1]]


def test_resent_events_collapse_when_parts_merge(store: ClickHouseStore) -> None:
    for number in range(3):
        store.write(StoreBatch(f"b{number}", [web_page_view(1, collector_tstamp=NOON + number * 1000)]))
    store.connection.command(f"OPTIMIZE TABLE {_events(store)} FINAL")
    assert store.query(f"SELECT count() FROM {_events(store)}").rows == [[1]]


def test_of_very_many_events_rows_are_counted(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [web_page_view(n, collector_tstamp=NOON + n, app_id="a" if n < 3 else "b") for n in range(5)]
    store.write(StoreBatch("b1", events))
    store.write(StoreBatch("sent again", [web_page_view(0, collector_tstamp=NOON + 9, app_id="a")]))
    some = Selection(NOON, NOON + 100)

    def figures() -> list[object]:
        return [
            store.count("good", some),
            sum(bucket.count for bucket in store.timeline("good", some, seconds=60)),
            {bucket.key: bucket.count for bucket in store.count_by("good", "app_id", some)},
        ]

    assert figures() == [5, 5, {"a": 3, "b": 2}]
    monkeypatch.setattr(reader, "_EXACT_ROWS", 6)
    assert figures() == [5, 5, {"a": 3, "b": 2}]
    monkeypatch.setattr(reader, "_EXACT_ROWS", 5)
    assert figures() == [6, 6, {"a": 4, "b": 2}]
    assert store.count("good", Selection(NOON + 100)) == 0


def test_queries(store: ClickHouseStore) -> None:
    found = store.query("SELECT number AS n, {a:String} AS a FROM numbers(10)", {"a": "x"}, max_rows=3)
    assert (found.columns, found.types, found.truncated) == (["n", "a"], ["UInt64", "String"], True)
    assert found.rows == [[0, "x"], [1, "x"], [2, "x"]]
    assert not store.query("SELECT 1;", max_rows=1).truncated
    assert store.query("SHOW TABLES FROM system LIKE 'one'").rows == [["one"]]


@pytest.mark.parametrize(
    "sql",
    ["DROP TABLE {t}", "INSERT INTO {t} (event_id) VALUES (generateUUIDv4())", "TRUNCATE TABLE {t}",
     "SELECT * FROM file('/etc/passwd', 'LineAsString')", "SELECT nothing FROM {t}", "SELECT 1; DROP TABLE {t}", ""],
)  # fmt: skip
def test_refused_queries(store: ClickHouseStore, sql: str) -> None:
    store.write(StoreBatch("b1", [web_page_view(1)]))
    with pytest.raises(QueryRefused):
        store.query(sql.replace("{t}", _events(store)))
    assert store.count("good", Selection()) == 1


def test_a_query_may_write_when_allowed(store: ClickHouseStore) -> None:
    store.write(StoreBatch("b1", [web_page_view(1)]))
    store.query(f"TRUNCATE TABLE {_events(store)}", read_only=False)
    assert store.count("good", Selection()) == 0


@pytest.mark.parametrize("fmt", ["json", "csv", "tsv", "parquet"])
def test_exports(store: ClickHouseStore, fmt: str) -> None:
    store.write(StoreBatch("b1", [web_page_view(n) for n in range(5)]))
    sql = f"SELECT event_id, page_url FROM {_events(store)} ORDER BY collector_tstamp;"
    raw = b"".join(store.export_raw(sql, fmt))
    if fmt == "parquet":
        assert (raw[:4], raw[-4:]) == (b"PAR1", b"PAR1")
    elif fmt == "json":
        assert len(raw.splitlines()) == 5
    else:
        rows = list(csv.DictReader(io.StringIO(raw.decode()), delimiter="," if fmt == "csv" else "\t"))
        assert [row["event_id"] for row in rows] == [web_page_view(n).event_id for n in range(5)]


def test_a_csv_file_is_safe_in_a_spreadsheet_and_exact_where_asked(store: ClickHouseStore) -> None:
    sql = "SELECT '=1+1' AS a, -5 AS b, 'x\n=\"y\"' AS c, CAST(NULL AS Nullable(String)) AS d"
    assert b"".join(exported(store, sql, "csv")) == b'"a","b","c","d"\n"\'=1+1",-5,"x\n=""y""",\\N\n'
    assert b"".join(exported(store, sql, "csv-exact")) == b"".join(store.export_raw(sql, "csv"))


def test_an_unknown_export_format_is_named(store: ClickHouseStore) -> None:
    with pytest.raises(QueryRefused, match="xml"):
        store.export_raw("SELECT 1", "xml")


def test_the_queries_of_simple_snowplows_readme(store: ClickHouseStore) -> None:
    """Word for word but for the database, which each test has to itself."""
    import time

    now = int(time.time() * 1000)
    events = [
        web_page_view(1, dvce_created_tstamp=now - 1000, page_url="https://example.com/caf%C3%A9"),
        web_page_view(2, dvce_created_tstamp=now - 2000),
        web_page_view(3, dvce_created_tstamp=now - 2 * 86_400_000),
        web_page_view(4, dvce_created_tstamp=now, event="struct", event_name="event", se_action="play", se_value="2"),
    ]
    store.write(StoreBatch("b1", events))
    view = f"{store.layout.settings.views_database}.local"
    pages = store.query(
        f"SELECT time, page, refr, device_id, session_id FROM {view} "
        "WHERE event_type = 'page_view' AND time > now() - INTERVAL 1 DAY ORDER BY time DESC"
    )
    assert [row[1] for row in pages.rows] == ["https://example.com/café", events[1].page_url]
    assert pages.rows[0][2:] == ["https://www.google.com/", events[0].domain_userid, events[0].domain_sessionid]
    kinds = store.query(f"SELECT event_type, count() AS events FROM {view} GROUP BY event_type ORDER BY events DESC")
    assert kinds.rows == [["page_view", 3], ["struct", 1]]
    more = store.query(
        "SELECT event.action, event.value, browser.family, resolution.viewport, tracker.namespace, app, event_code, "
        f"platform, user_ip FROM {store.layout.settings.views_database}.distributed WHERE event_type = 'struct'"
    )
    assert more.rows == [["play", 2.0, "Chrome", "1280x720", "sp1", "shop", "se", "web", "203.0.113.9"]]


def test_a_missing_table_is_no_fault_of_the_rows(store: ClickHouseStore) -> None:
    store.connection.command(f"RENAME TABLE {_events(store)} TO {store.layout.database}.hidden")
    batch = StoreBatch("b1", [web_page_view(n) for n in range(5)])
    with pytest.raises(StoreUnavailable, match="db init"):
        store.write(batch)
    assert store.count("failed", Selection()) == 0
    store.connection.command(f"RENAME TABLE {store.layout.database}.hidden TO {_events(store)}")
    assert store.write(batch).events == 5


def test_a_query_that_names_its_format_is_answered_in_it(clickhouse: ClickHouseStore) -> None:
    sql = "SELECT 1 AS n, 'FORMAT CSV' AS s -- FORMAT TSV\nformat Vertical;"
    answer = b"".join(clickhouse.export_raw(sql, "")).decode()
    assert answer.startswith("Row 1:")
    assert "FORMAT CSV" in answer
    with pytest.raises(QueryRefused, match="Vertical"):
        clickhouse.export_raw(sql, "csv")
    with pytest.raises(QueryRefused, match="Vertical"):
        clickhouse.query(sql)
    assert clickhouse.query("SELECT 1 AS format").rows == [[1]]

"""The usual features of clickhouse-connect, the client behind Superset, dbt, Airflow and others, on the engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from snowgauge.testing.engine import EngineProcess


@pytest.fixture(params=[True, False], ids=["session", "no session"])
def client(engine: EngineProcess, request: pytest.FixtureRequest) -> Iterator[Any]:
    parts = urlsplit(engine.url)
    client = clickhouse_connect.get_client(
        host=str(parts.hostname), port=int(parts.port or 0), autogenerate_session_id=request.param, compress="lz4"
    )
    client.command("CREATE OR REPLACE TABLE default.lib (n Int64, s LowCardinality(String), t DateTime64(3, 'UTC'), "
                   "j JSON, a Array(Nullable(String))) ENGINE = MergeTree ORDER BY n")  # fmt: skip
    yield client
    client.command("DROP TABLE default.lib SYNC")
    client.close()


ROWS = [
    [1, "a", datetime(2026, 1, 1, tzinfo=UTC), {"x": 1}, ["p", None]],
    [2, "б", datetime(2026, 1, 2, tzinfo=UTC), {"y": {"z": "t"}}, []],
]


def test_inserts_and_queries(client: Any) -> None:
    summary = client.insert("default.lib", ROWS, column_names=["n", "s", "t", "j", "a"])
    assert summary.written_rows == 2
    found = client.query("SELECT n, s, j, a FROM default.lib WHERE n >= {least:Int64} ORDER BY n", {"least": 1})
    assert found.column_names == ("n", "s", "j", "a")
    assert found.result_rows == [(1, "a", {"x": 1}, ["p", None]), (2, "б", {"y": {"z": "t"}}, [])]
    assert client.command("SELECT count() FROM default.lib") == 2


def test_an_empty_result_has_its_columns(client: Any) -> None:
    assert client.query("SELECT n, s FROM default.lib WHERE 0").column_names == ("n", "s")


def test_streams(client: Any) -> None:
    with client.query_rows_stream("SELECT number FROM numbers(300000)", settings={"max_block_size": 10_000}) as rows:
        assert sum(row[0] for row in rows) == 300_000 * 299_999 // 2
    with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        next(iter(blocks))
    assert client.command("SELECT 1") == 1


def test_data_frames(client: Any) -> None:
    client.insert("default.lib", ROWS, column_names=["n", "s", "t", "j", "a"])
    frame = client.query_df("SELECT n, s, t FROM default.lib ORDER BY n")
    assert list(frame["s"]) == ["a", "б"]
    client.insert_df("default.lib", frame)
    assert client.command("SELECT count() FROM default.lib") == 4
    assert client.query_arrow("SELECT n FROM default.lib").num_rows == 4


def test_errors_carry_the_engines_code(client: Any) -> None:
    with pytest.raises(DatabaseError) as raised:
        client.query("SELECT * FROM nowhere")
    assert raised.value.code == 60


def test_contexts_and_raw_formats(client: Any) -> None:
    context = client.create_insert_context("default.lib", ["n", "s"], data=[[5, "x"]])
    client.insert(context=context)
    assert client.raw_query("SELECT n, s FROM default.lib", fmt="CSVWithNames") == b'"n","s"\n5,"x"\n'
    client.raw_insert("default.lib", ["n", "s"], b"6,y\n", fmt="CSV")
    assert client.query("SELECT max(n) FROM default.lib").first_row == (6,)

"""Free SQL reads and only reads; results come as JSON values and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pyarrow.parquet
import pytest

from snowgauge.actions.sql import exported
from snowgauge.errors import QueryRefused
from snowgauge.store.base import StoreBatch
from snowgauge.store.postgres.query import first_word
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import web_page_view

Open = Callable[..., PostgresStore]


def test_values_are_those_of_json(postgres: PostgresStore) -> None:
    found = postgres.query(
        "SELECT 1 AS i, 2.5::numeric AS n, sum(x) AS s, true AS b, NULL AS z, 'é' AS t, "
        "'2024-05-01 12:00'::timestamp AS ts, '{\"a\": [1]}'::jsonb AS j, ARRAY[1, 2] AS l, "
        "gen_random_uuid() IS NOT NULL AS u, '\\x00ff'::bytea AS y, "
        "'infinity'::timestamp AS far, interval '1 day' AS v FROM generate_series(1, 3) x"
    )
    assert found.columns == ["i", "n", "s", "b", "z", "t", "ts", "j", "l", "u", "y", "far", "v"]
    assert found.types[:4] == ["int4", "numeric", "int8", "bool"]
    assert found.rows == [
        [1, 2.5, 6, True, None, "é", "2024-05-01 12:00:00", {"a": [1]}, [1, 2], True, "\\x00ff", "infinity", "1 day"]
    ]


def test_parameters(postgres: PostgresStore) -> None:
    assert postgres.query("SELECT %(a)s::text || '%%'", {"a": "x'; --"}).rows == [["x'; --%"]]
    assert postgres.query("SELECT '100 %'").rows == [["100 %"]]


def test_rows_are_limited(postgres: PostgresStore) -> None:
    found = postgres.query("SELECT * FROM generate_series(1, 100000)", max_rows=3)
    assert (found.rows, found.truncated) == ([[1], [2], [3]], True)
    assert not postgres.query("SELECT 1", max_rows=1).truncated
    assert postgres.query("SELECT 1 WHERE false").rows == []


@pytest.mark.parametrize("sql", ["SHOW server_version", "EXPLAIN SELECT 1", "VALUES (1)",
                                 "TABLE atomic.snowgauge_migrations",
                                 "-- why\n/* not */ (SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a;"])  # fmt: skip
def test_what_reads_is_let_in(postgres: PostgresStore, sql: str) -> None:
    assert postgres.query(sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM atomic.events",
        "WITH gone AS (DELETE FROM atomic.events RETURNING 1) SELECT * FROM gone",
        "SELECT 1; DELETE FROM atomic.events",
        "SELECT 1; COMMIT; DELETE FROM atomic.events",
        "COMMIT",
        "EXPLAIN ANALYZE DELETE FROM atomic.events",
        "EXPLAIN SELECT 1; COMMIT; DELETE FROM atomic.events",
        "SELECT * INTO atomic.copy FROM atomic.events",
        "SELECT lo_create(0)",
        "COPY atomic.events TO PROGRAM 'true'",
        "DO $$ BEGIN DELETE FROM atomic.events; END $$",
        "SET default_transaction_read_only = off",
        "CREATE TABLE atomic.x (n int)",
        "LOCK TABLE atomic.events",
        "SELECT nope FROM atomic.events",
        "SELECT FROM WHERE",
        "",
        "-- nothing",
        "SELECT 1/0",
        "SELECT %(missing)s",
    ],
)
def test_everything_else_is_refused_and_changes_nothing(postgres: PostgresStore, sql: str) -> None:
    postgres.write(StoreBatch("b1", [web_page_view(1)]))
    with pytest.raises(QueryRefused):
        postgres.query(sql)
    with pytest.raises(QueryRefused):
        b"".join(postgres.export_raw(sql, "json"))
    assert postgres.query("SELECT count(*) FROM atomic.events").rows == [[1]]


def test_a_slow_query_is_stopped(postgres: PostgresStore) -> None:
    with pytest.raises(QueryRefused, match=r"longer than 0\.2 s"):
        postgres.query("SELECT pg_sleep(20)", timeout=0.2)
    assert postgres.query("SELECT 1").rows == [[1]]


def test_settings_and_locks_of_a_query_do_not_stay(open_store: Open) -> None:
    store = open_store(pool_size=1)
    store.query("SELECT set_config('search_path', 'nowhere', false), set_config('statement_timeout', '1', false)")
    store.query("SELECT pg_advisory_lock(1)")
    assert store.query("SHOW search_path").rows != [["nowhere"]]
    assert store.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").rows == [[0]]


def test_writing_where_it_is_allowed(postgres: PostgresStore) -> None:
    postgres.query("CREATE TABLE atomic.mine (n int)", read_only=False)
    assert postgres.query("INSERT INTO atomic.mine VALUES (%(n)s) RETURNING n", {"n": 5}, read_only=False).rows == [[5]]
    assert postgres.query("SELECT n FROM atomic.mine").rows == [[5]]
    with pytest.raises(QueryRefused, match="mine"):
        postgres.query("CREATE TABLE atomic.mine (n int)", read_only=False)


def test_tables_outside_of_the_layouts_schemas_are_not_peoples(postgres: PostgresStore) -> None:
    postgres.query("CREATE TABLE public.others (n int)", read_only=False)
    with pytest.raises(QueryRefused, match="permission denied"):
        postgres.query("SELECT n FROM public.others")


QUERY = (
    "SELECT g AS id, CASE WHEN g %s 2 = 0 THEN 'a\"b,c' || chr(9) || chr(10) END AS text, g / 4.0 AS number, "
    "g > 1 AS yes, jsonb_build_object('g', g) AS doc, timestamp '2024-05-01' AS at FROM generate_series(1, 12000) g"
).replace("%s", "%")


def test_a_csv_file_is_safe_in_a_spreadsheet_and_exact_where_asked(postgres: PostgresStore) -> None:
    sql = "SELECT '=1+1' AS a, -5 AS b, '-5' AS c, '@x,y' || chr(13) AS d, NULL AS e"
    wanted = b'"a","b","c","d","e"\n"\'=1+1",-5,"-5","\'@x,y\r",""\n'
    assert b"".join(exported(postgres, sql, "csv")) == wanted
    assert b"".join(exported(postgres, sql, "csv-exact")) == b"".join(postgres.export_raw(sql, "csv"))


def test_export_as_json_csv_and_tsv(postgres: PostgresStore) -> None:
    rows = [json.loads(line) for line in b"".join(postgres.export_raw(QUERY, "json")).splitlines()]
    assert len(rows) == 12000
    assert rows[1] == {"id": 2, "text": 'a"b,c\t\n', "number": 0.5, "yes": True, "doc": {"g": 2},
                       "at": "2024-05-01 00:00:00"}  # fmt: skip
    table = list(csv.reader(io.StringIO(b"".join(postgres.export_raw(QUERY, "csv")).decode(), newline="")))
    assert table[0] == ["id", "text", "number", "yes", "doc", "at"]
    assert table[1] == ["1", "", "0.25", "false", '{"g":1}', "2024-05-01 00:00:00"]
    assert table[2][1] == 'a"b,c\t\n'
    assert len(table) == 12001
    lines = b"".join(postgres.export_raw(QUERY, "tsv")).decode().splitlines()
    assert lines[1].split("\t")[1] == "\\N"
    assert lines[2].split("\t")[1] == 'a"b,c\\t\\n'


def test_export_as_parquet(postgres: PostgresStore) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(b"".join(postgres.export_raw(QUERY, "parquet"))))
    assert table.num_rows == 12000
    assert table.schema.names == ["id", "text", "number", "yes", "doc", "at"]
    assert table.slice(1, 1).to_pylist() == [
        {"id": 2, "text": 'a"b,c\t\n', "number": 0.5, "yes": True, "doc": '{"g":2}', "at": "2024-05-01 00:00:00"}
    ]


def test_an_export_may_be_left_half_read(open_store: Open) -> None:
    store = open_store(pool_size=1)
    pieces = store.export_raw(QUERY, "json")
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert store.query("SELECT 1").rows == [[1]]


def test_an_unknown_format_is_named(postgres: PostgresStore) -> None:
    with pytest.raises(QueryRefused, match="xlsx"):
        postgres.export_raw("SELECT 1", "xlsx")


@pytest.mark.parametrize(
    ("sql", "word"),
    [("SELECT 1", "select"), ("  (with x", "with"), ("/* a * b */--c\n\tShow x", "show"), ("/* open", ""), (";", "")],
)
def test_first_words(sql: str, word: str) -> None:
    assert first_word(sql) == word

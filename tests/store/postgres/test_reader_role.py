"""People's SQL on PostgreSQL reads the tables, as a role that can do nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from snowgauge.errors import QueryRefused, StoreUnavailable
from snowgauge.iglu.contract import Resolver
from snowgauge.store.base import StoreBatch
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import web_page_view


@pytest.fixture
def store(url: str, bundled: Resolver) -> Iterator[PostgresStore]:
    made = PostgresStore(url, PostgresSettings(dbt_tables=False), bundled)
    made.migrate()
    made.write(StoreBatch("b1", [web_page_view(1)]))
    yield made
    made.close()


def _refused(store: PostgresStore, sql: str) -> str:
    with pytest.raises(QueryRefused) as refused:
        store.query(sql, timeout=20)
    return str(refused.value)


def test_events_and_modelled_tables_are_read_also_those_made_later(store: PostgresStore) -> None:
    assert store.query("SELECT count(*) FROM atomic.events").rows == [[1]]
    assert store.query("SELECT count(*) FROM derived.sessions").columns == ["count"]
    assert b"".join(store.export_raw("SELECT count(*) AS n FROM atomic.events", "csv")).split() == [b'"n"', b"1"]
    entity = "atomic.com_snowplowanalytics_snowplow_web_page_1"
    assert store.query(f"SELECT count(*) FROM {entity}").rows == [[1]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_read_file('PG_VERSION')", "SELECT pg_read_binary_file('PG_VERSION')", "SELECT pg_ls_dir('.')",
        "SELECT pg_stat_file('PG_VERSION')", "SELECT pg_reload_conf()", "SELECT pg_rotate_logfile()",
        "SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '/tmp/never-written')", "SELECT pg_switch_wal()",
        "SELECT * FROM pg_authid", "SELECT * FROM pg_hba_file_rules", "SELECT pg_create_restore_point('x')",
        "WITH x AS (DELETE FROM atomic.events RETURNING 1) SELECT * FROM x", "SELECT * FROM pg_read_file('PG_VERSION')",
        "SELECT query_to_xml('SELECT set_config(''role'', ''postgres'', true)', true, true, '')",
        "SELECT query_to_xml('SELECT set_config(''session_authorization'', ''postgres'', true)', true, true, '')",
        "SELECT set_config('role', 'postgres', true)", "SELECT set_config('log_statement', 'none', true)",
        "SELECT 1; SELECT 2", "COPY atomic.events TO '/tmp/never-written'", "COPY (SELECT 1) TO PROGRAM 'id'",
        "SET ROLE postgres", "RESET ROLE", "DO $$ BEGIN END $$", "SELECT * INTO atomic.x FROM atomic.events",
        "EXPLAIN ANALYZE DELETE FROM atomic.events", "SELECT nextval('atomic.x')", "SELECT pg_promote()",
    ],
)  # fmt: skip
def test_nothing_but_reading_tables_works(store: PostgresStore, sql: str) -> None:
    _refused(store, sql)
    assert store.query("SELECT count(*) FROM atomic.events").rows == [[1]]


def test_the_loaders_sessions_cannot_be_ended_nor_looked_at(store: PostgresStore) -> None:
    with store.connections.use() as loader:
        found = loader.execute("SELECT pg_backend_pid()").fetchone()
        assert found is not None
        for function in ("pg_terminate_backend", "pg_cancel_backend"):
            _refused(store, f"SELECT {function}({found[0]})")
        rows = store.query(f"SELECT query FROM pg_stat_activity WHERE pid = {found[0]}").rows
        assert rows == [["<insufficient privilege>"]]
        assert loader.execute("SELECT 1").fetchone() == (1,)


def test_a_time_limit_cannot_be_lifted(store: PostgresStore) -> None:
    lifted = "SELECT set_config('statement_timeout', '0', false), pg_sleep(0.0) FROM generate_series(1, 3)"
    assert len(store.query(lifted, timeout=5).rows) == 3
    with pytest.raises(QueryRefused, match=r"longer than 0\.5 s"):
        store.query("SELECT set_config('statement_timeout', '0', true), pg_sleep(600)", timeout=0.5)
    assert store.query("SELECT current_setting('statement_timeout')", timeout=7).rows == [["7s"]]


def test_the_pages_of_an_export_have_the_limit_of_the_whole(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snowgauge.store.postgres.query._EXPORT_SECONDS", 1)
    sql = (
        "SELECT set_config('statement_timeout', '0', true) FROM generate_series(1, 5000) "
        "UNION ALL SELECT pg_sleep(600)::text"
    )
    with pytest.raises(QueryRefused, match="longer than 1 s"):
        b"".join(store.export_raw(sql, "csv"))


def test_a_database_from_before_gets_the_role_when_it_is_first_needed(store: PostgresStore) -> None:
    with store.connections.use() as loader:
        loader.execute(f'DROP OWNED BY "{store._role.name}"')
        loader.execute(f'DROP ROLE "{store._role.name}"')
    store._role.connections.close()
    assert store.query("SELECT count(*) FROM atomic.events").rows == [[1]]


def test_a_loader_that_may_make_no_role_says_what_to_do(url: str, bundled: Resolver) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS weak_loader")
        admin.execute("CREATE ROLE weak_loader LOGIN")
        admin.execute(f'GRANT ALL ON DATABASE "{admin.info.dbname}" TO weak_loader')
    weak = make_conninfo(url, user="weak_loader")
    store = PostgresStore(weak, PostgresSettings(dbt_tables=False), bundled)
    store.migrate()
    store.write(StoreBatch("b1", [web_page_view(1)]))
    with pytest.raises(StoreUnavailable, match=r"postgres\.reader_url"):
        store.query("SELECT 1")
    store.close()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS chosen_reader")
        admin.execute("CREATE ROLE chosen_reader LOGIN")
        admin.execute("GRANT USAGE ON SCHEMA atomic TO chosen_reader")
        admin.execute("GRANT SELECT ON atomic.events TO chosen_reader")
    given: dict[str, Any] = {"dbt_tables": False, "reader_url": make_conninfo(url, user="chosen_reader")}
    chosen = PostgresStore(weak, PostgresSettings.model_validate(given), bundled)
    assert chosen.query("SELECT count(*) FROM atomic.events").rows == [[1]]
    chosen.close()

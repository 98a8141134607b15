"""Stores with events and modelled tables: in memory, the embedded engine, PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.postgres import drop_database, new_database, temporary_server

_numbers = count(1)
Stored = ClickHouseStore | PostgresStore


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    given = os.environ.get("SNOWGAUGE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with temporary_server() as server:
        yield server.url


@pytest.fixture(params=["clickhouse", "postgres"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    """An empty store of each kind."""
    closing: list[Callable[[], None]] = []
    if request.param == "clickhouse":
        number = next(_numbers)
        names = {name: f"{name}_{number}" for name in ("database", "views_database", "derived_database")}
        settings = ClickHouseSettings.model_validate({"configuration": names})
        engine: EngineProcess = request.getfixturevalue("engine")
        clickhouse = ClickHouseStore(settings, engine_connection(settings, engine.url))
        clickhouse.migrate()
        closing += [
            lambda name=name: clickhouse.connection.command(f"DROP DATABASE `{name}`") for name in names.values()
        ]
        closing.append(clickhouse.close)
        store: Stored = clickhouse
    else:
        url = new_database(request.getfixturevalue("postgres_url"))
        resolver = build(IgluSettings(iglu_central=False), None)[0]
        store = PostgresStore(url, PostgresSettings(dbt_tables=False), resolver)
        store.migrate()
        closing += [store.close, lambda: drop_database(url)]
    yield store
    for close in closing:
        close()

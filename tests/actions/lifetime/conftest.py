"""Stores for the tests of this folder: in memory, the embedded engine, PostgreSQL; one of each for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Store
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.memory import MemoryStore
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.postgres import drop_database, new_database, temporary_server

_numbers = count(1)
Opened = Callable[..., Store]


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


@pytest.fixture
def new_store(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Opens an empty store of a kind: memory, clickhouse, postgres, postgres-monthly."""
    closing: list[Callable[[], None]] = []

    def opened(kind: str) -> Store:
        if kind == "memory":
            return MemoryStore()
        if kind == "clickhouse":
            store = _clickhouse(request.getfixturevalue("engine"))
            closing.append(lambda: _drop(store))
            return store
        url = new_database(request.getfixturevalue("postgres_url"))
        partitioning = "monthly" if kind == "postgres-monthly" else "none"
        settings = PostgresSettings.model_validate({"partitioning": partitioning})
        resolver = build(IgluSettings(iglu_central=False), None)[0]
        postgres = PostgresStore(url, settings, resolver)
        postgres.migrate()
        closing.append(lambda: (postgres.close(), drop_database(url))[0])
        return postgres

    yield opened
    for close in closing:
        close()


def _clickhouse(engine: EngineProcess) -> ClickHouseStore:
    number = next(_numbers)
    settings = ClickHouseSettings.model_validate(
        {
            "configuration": {
                "database": f"atomic_{number}",
                "views_database": f"snowplow_{number}",
                "derived_database": f"derived_{number}",
            }
        }
    )
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    return store


def _drop(store: ClickHouseStore) -> None:
    store.connection.command(f"DROP DATABASE `{store.layout.database}`")
    store.connection.command(f"DROP DATABASE `{store.layout.settings.views_database}`")
    store.connection.command(f"DROP DATABASE `{store.layout.settings.derived_database}`")
    store.close()


@pytest.fixture(params=["memory", "clickhouse", "postgres", "postgres-monthly"])
def store(request: pytest.FixtureRequest, new_store: Opened) -> Store:
    return new_store(request.param)

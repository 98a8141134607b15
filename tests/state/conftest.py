"""One engine and one PostgreSQL for all tests of the folder; each test has books of its own in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import Layout as ClickHouseLayout
from snowgauge.store.clickhouse.state_log import ClickHouseStateLog
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.layout import Layout as PostgresLayout
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.state_log import PostgresStateLog
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.postgres import temporary_server

numbers = count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    settings = ClickHouseSettings()
    store = ClickHouseStore(settings, engine_connection(settings, process.url))
    store.migrate()
    store.close()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with temporary_server() as server:
        store = PostgresStore(server.url, PostgresSettings(), build(IgluSettings(iglu_central=False), None)[0])
        store.migrate()
        store.close()
        yield server.url


@pytest.fixture
def clickhouse_log(engine: EngineProcess) -> Iterator[ClickHouseStateLog]:
    settings = ClickHouseSettings()
    log = ClickHouseStateLog(
        Connection(engine_connection(settings, engine.url), pool=(4, 4), timeout=20),
        ClickHouseLayout(settings.configuration),
    )
    yield log
    log.close()


@pytest.fixture
def postgres_log(postgres: str) -> Iterator[PostgresStateLog]:
    log = PostgresStateLog(Connections(postgres, size=4, connect_timeout=5), PostgresLayout(PostgresSettings()))
    yield log
    log.close()

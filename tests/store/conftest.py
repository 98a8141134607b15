"""One engine process for all tests of the folder; each test gets a database of its own in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess

_numbers = count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    yield process
    process.stop()


@pytest.fixture
def clickhouse(engine: EngineProcess) -> Iterator[ClickHouseStore]:
    store = new_store(engine)
    yield store
    settings = store.layout.settings
    for database in (settings.database, settings.views_database, settings.derived_database):
        store.connection.command(f"DROP DATABASE `{database}`")
    store.close()


def new_store(engine: EngineProcess, **configuration: object) -> ClickHouseStore:
    number = next(_numbers)
    settings = ClickHouseSettings.model_validate(
        {
            "configuration": {
                "database": f"atomic_{number}",
                "views_database": f"snowplow_{number}",
                "derived_database": f"derived_{number}",
                **configuration,
            }
        }
    )
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    return store

"""One engine and one PostgreSQL for all tests of the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.build import build
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Store
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.postgres import PostgresServer


class Acme:
    """The bundled schemas, and a loose one for every name of com.acme."""

    def __init__(self, bundled: Resolver) -> None:
        self._bundled = bundled

    def schema(self, key: SchemaKey) -> dict[str, Any]:
        return {"type": "object"} if key.vendor == "com.acme" else self._bundled.schema(key)

    known = schema

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        return (
            [SchemaKey(vendor, name, "jsonschema", model, 0, 0)]
            if vendor == "com.acme"
            else self._bundled.versions(vendor, name, model)
        )

    def keys(self) -> list[SchemaKey]:
        return self._bundled.keys()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseStore]:
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    settings = ClickHouseSettings()
    store = ClickHouseStore(settings, engine_connection(settings, process.url))
    store.migrate()
    yield store
    store.close()
    process.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresStore]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres") / "data").start()
    bundled, _ = build(IgluSettings(iglu_central=False), None)
    resolver = Acme(bundled)
    settings = PostgresSettings.model_validate({"dbt_tables": False})
    store = PostgresStore(server.database(), settings, resolver)
    store.migrate()
    yield store
    store.close()
    server.stop()


@pytest.fixture(params=["clickhouse", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found

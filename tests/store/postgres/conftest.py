"""One PostgreSQL for all tests of the folder (or the one of SNOWGAUGE_TEST_POSTGRES_URL); a new database for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from snowgauge.errors import SchemaResolutionError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.build import build
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.postgres import drop_database, new_database, temporary_server

Document = dict[str, Any]


class Schemas:
    """The bundled schemas, those that a test adds, and (``any_of``) a loose schema for every name of some vendors."""

    def __init__(self, bundled: Resolver, any_of: tuple[str, ...] = ()) -> None:
        self._bundled = bundled
        self._any_of = any_of
        self.added: dict[SchemaKey, Document] = {}

    def add(self, uri: str, **document: Any) -> SchemaKey:
        key = SchemaKey.parse(uri)
        self.added[key] = {"type": "object", **document}
        return key

    def schema(self, key: SchemaKey) -> Document:
        if key in self.added:
            return self.added[key]
        if key.vendor in self._any_of:
            return {"type": "object"}
        if key.vendor.startswith("com.acme"):
            raise SchemaResolutionError(
                key.uri,
                [{"repository": "Test", "errors": [{"error": "NotFound"}], "attempts": 1,
                  "lastAttempt": "2024-05-01T10:00:00.123Z"}],
            )  # fmt: skip
        return self._bundled.schema(key)

    known = schema

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        own = [key for key in self.added if (key.vendor, key.name, key.model) == (vendor, name, model)]
        return sorted({*own, *self._bundled.versions(vendor, name, model)})

    def keys(self) -> list[SchemaKey]:
        return sorted({*self.added, *self._bundled.keys()})


@pytest.fixture(scope="session")
def bundled() -> Resolver:
    return build(IgluSettings(iglu_central=False), None)[0]


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    given = os.environ.get("SNOWGAUGE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with temporary_server() as server:
        yield server.url


@pytest.fixture
def url(server_url: str) -> Iterator[str]:
    url = new_database(server_url)
    yield url
    drop_database(url)


@pytest.fixture
def schemas(bundled: Resolver) -> Schemas:
    return Schemas(bundled)


@pytest.fixture
def loose(bundled: Resolver) -> Schemas:
    return Schemas(bundled, any_of=("com.acme",))


@pytest.fixture
def open_store(url: str, schemas: Schemas) -> Iterator[Callable[..., PostgresStore]]:
    stores: list[PostgresStore] = []

    def opened(resolver: Resolver | None = None, **settings: object) -> PostgresStore:
        # the tables for dbt take most of the time of a small test: those that are about them ask for them
        chosen = PostgresSettings.model_validate({"dbt_tables": False, **settings})
        store = PostgresStore(url, chosen, resolver or schemas)
        stores.append(store)
        store.migrate()
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def postgres(open_store: Callable[..., PostgresStore]) -> PostgresStore:
    return open_store()


@pytest.fixture
def sql(url: str) -> Callable[..., list[Any]]:
    """Runs a statement in a session of its own; answers its rows."""

    def run(text: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(text, parameters or None)
            return cursor.fetchall() if cursor.description else []

    return run

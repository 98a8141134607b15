"""Loading waits for no registry: the version that an event names is known from its validation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.build import build
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import StoreBatch, WriteResult
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.events import described, web_page_view
from snowgauge.testing.registry import RegistryServer

Open = Callable[..., PostgresStore]
OLD, NEW = (f"iglu:com.acme/cart/jsonschema/1-0-{addition}" for addition in (0, 1))


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    server = RegistryServer()
    server.put(OLD, {"type": "object", "properties": {"a": {"type": "integer"}}})
    server.put(NEW, {"type": "object", "properties": {"b": {"type": "integer"}}})
    yield server
    server.down()


@pytest.fixture
def resolver(registry: RegistryServer) -> IgluResolver:
    """One that would wait an hour for an answer."""
    settings = IgluSettings.model_validate({"registries": [registry.uri], "iglu_central": False, "timeout": "1 hour"})
    return build(settings, None)[0]


def batch(number: int, uri: str, data: dict[str, Any]) -> StoreBatch:
    event = web_page_view(number)
    event.contexts = [described(uri, data)]
    return StoreBatch(f"b{number}", [event])


def columns(sql: Callable[..., list[Any]]) -> list[str]:
    found = sql(
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'com_acme_cart_1' "
        "ORDER BY ordinal_position"
    )
    return [name for (name,) in found]


def test_a_registry_that_hangs_holds_up_no_batch(
    open_store: Open, registry: RegistryServer, resolver: IgluResolver, sql: Callable[..., list[Any]]
) -> None:
    store = open_store(resolver)
    resolver.schema(SchemaKey.parse(NEW))
    registry.held.clear()
    written: list[WriteResult] = []
    writing = threading.Thread(target=lambda: written.append(store.write(batch(1, NEW, {"b": 1}))), daemon=True)
    writing.start()
    wait_until(lambda: bool(written), "the batch is stored although its registry gives no answer")
    assert (written[0].events, written[0].refused) == (1, 0)
    assert columns(sql)[-1] == "b", "the version below is still being asked for"
    registry.held.set()
    resolver.schema(SchemaKey.parse(OLD))
    assert store.write(batch(2, OLD, {"a": 2})).refused == 0
    assert columns(sql)[-2:] == ["b", "a"]


def test_a_first_start_asks_no_registry(open_store: Open, registry: RegistryServer, resolver: IgluResolver) -> None:
    registry.held.clear()
    stores: list[PostgresStore] = []
    opening = threading.Thread(target=lambda: stores.append(open_store(resolver, dbt_tables=True)), daemon=True)
    opening.start()
    wait_until(lambda: bool(stores), "the tables for dbt are there although the registry gives no answer")

"""After an erasure no table of the database holds the person: each is looked through, whatever it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.places import store_places
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import StoreBatch
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view
from snowgauge.testing.postgres import drop_database, new_database

CANARY = "canary-2f9c"
PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
PRICE = "iglu:com.acme/price/jsonschema/1-0-"
MONTH = 31 * 86_400_000


class Resolver:
    """The bundled schemas, and one whose second version contradicts the first."""

    def __init__(self) -> None:
        self._bundled = build(IgluSettings(iglu_central=False), None)[0]
        self._own = {
            SchemaKey.parse(f"{PRICE}{n}"): {"type": "object", "properties": {"amount": {"type": kind}}}
            for n, kind in ((0, "integer"), (1, "string"))
        }

    def schema(self, key: SchemaKey) -> Any:
        return self._own.get(key) or self._bundled.schema(key)

    known = schema

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        return sorted(self._own) if vendor == "com.acme" else self._bundled.versions(vendor, name, model)

    def keys(self) -> list[SchemaKey]:
        return [*self._own, *self._bundled.keys()]


def fill(store: Any) -> None:
    def events(who: str, first: int) -> list[Any]:
        entities = [
            described(PAGE, {"id": f"page of {who}"}),
            described(f"{PRICE}0", {"amount": 5}),
            described(f"{PRICE}1", {"amount": f"price for {who}"}),
        ]
        return [
            web_page_view(first + n, user_id=who, collector_tstamp=NOON + n * MONTH, contexts=entities)
            for n in range(3)
        ]

    def failed(who: str, n: int) -> Any:
        one = schema_violation(n)
        one.data["payload"]["raw"]["parameters"].append({"name": "uid", "value": who})
        one.message = f"user {who}"
        return one

    for who, first in ((CANARY, 0), ("bob", 10)):
        store.write(StoreBatch(who, events(who, first), [failed(who, first)], [web_page_view(first, user_id=who)]))
    # refused by the store: becomes a failed event that quotes its columns
    store.write(StoreBatch("refused", [web_page_view(20, user_id=CANARY, txn_id=2**40)]))


def erase(store: Any, folder: Path) -> None:
    erasing = Erasing(store_places(store.lifetime()), Tombstones(FolderDocuments(folder / "privacy")), Gate(folder))
    order = erasing.order([("user_id", CANARY)], at=NOON + 10 * MONTH, by="op")
    assert erasing.carry_out(order, lambda: NOON / 1000).left == 0


@pytest.mark.parametrize("partitioning", ["none", "monthly"])
def test_postgresql(postgres_url: str, tmp_path: Path, partitioning: str) -> None:
    url = new_database(postgres_url)
    settings = PostgresSettings.model_validate({"partitioning": partitioning, "dbt_tables": False})
    store = PostgresStore(url, settings, Resolver())
    try:
        store.migrate()
        fill(store)

        def holding(text: str) -> set[str]:
            tables = store.query(
                "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = 'atomic' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                "AND c.relname <> 'snowgauge_batches'"
            ).rows
            return {
                name
                for (name,) in tables
                if store.query(f'SELECT 1 FROM atomic."{name}" t WHERE t::text LIKE %(like)s LIMIT 1',
                               {"like": f"%{text}%"}).rows
            }  # fmt: skip

        before = holding(CANARY)
        assert {name.partition("_recovered")[0] for name in before} == {
            "events", "failed_events", "incomplete_events", "com_snowplowanalytics_snowplow_web_page_1",
            "com_acme_price_1_0_1", "com_snowplowanalytics_snowplow_badrows_schema_violations_2",
            "com_snowplowanalytics_snowplow_badrows_loader_runtime_error_1",
        }  # fmt: skip
        others = holding("bob")
        erase(store, tmp_path)
        assert holding(CANARY) == set()
        assert holding("bob") == others
        [[prices]] = store.query("SELECT count(*) FROM atomic.com_acme_price_1").rows
        assert prices == 3, "rows that do not name the person go with their events"
    finally:
        store.close()
        drop_database(url)


def test_clickhouse(new_store: Any, tmp_path: Path) -> None:
    store = new_store("clickhouse")
    fill(store)
    database, views = store.layout.database, store.layout.settings.views_database

    def holding(text: str) -> set[str]:
        tables = store.query(
            f"SELECT database, name FROM system.tables WHERE database IN ('{database}', '{views}') "
            "AND name != 'snowgauge_batches'"
        ).rows
        return {
            name
            for where, name in tables
            if store.query(
                f"SELECT 1 FROM `{where}`.`{name}` WHERE position(formatRow('JSONEachRow', *), '{text}') > 0 LIMIT 1"
            ).rows
        }

    assert holding(CANARY) == {"events", "failed_events", "incomplete_events", "local", "distributed"}
    others = holding("bob")
    erase(store, tmp_path)
    assert holding(CANARY) == set()
    assert holding("bob") == others

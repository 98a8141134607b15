"""What nobody waits for is ended in the store, whichever it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from snowgauge.errors import QueryTooCostly, StoreError
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Store
from snowgauge.store.build import engine_connection
from snowgauge.store.cancelling import Cancellation
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.postgres import PostgresServer

ENDLESS = {"clickhouse": "numbers(1000000000000000)", "postgres": "generate_series(1, 1000000000000)"}


@pytest.fixture(params=["clickhouse", "postgres"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Store]]:
    if request.param == "clickhouse":
        process = EngineProcess(tmp_path / "engine", sync=False).start()
        settings = ClickHouseSettings()
        store: Store = ClickHouseStore(settings, engine_connection(settings, process.url))
        yield request.param, store
        store.close()
        process.stop()
        return
    server = PostgresServer(tmp_path / "data").start()
    resolver, _ = build(IgluSettings(iglu_central=False), None)
    store = PostgresStore(server.database(), PostgresSettings.model_validate({"dbt_tables": False}), resolver)
    yield request.param, store
    store.close()
    server.stop()


def endless(name: str) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(sa.text(ENDLESS[name]))


def test_a_cancelled_question_ends_and_nothing_more_of_it_begins(named: tuple[str, Store]) -> None:
    name, store = named
    cancellation = Cancellation()
    raised: list[StoreError] = []

    def ask() -> None:
        with cancellation.around():
            for _ in range(2):
                try:
                    store.figures().answer(endless(name), seconds=600)
                except StoreError as error:
                    raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    cancellation.cancel()
    asking.join(timeout=120)
    assert not asking.is_alive()
    assert len(raised) == 2
    assert "cancelled" in str(raised[1])


def test_a_question_that_takes_too_long_is_said_with_what_makes_it_cheaper(named: tuple[str, Store]) -> None:
    name, store = named
    with pytest.raises(QueryTooCostly, match=r"took longer than 1 s\. A shorter period"):
        store.figures().answer(endless(name), seconds=1)

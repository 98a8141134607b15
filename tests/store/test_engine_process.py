"""The engine as a process: its lock, its password, its end, and what survives a kill."""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from snowgauge.errors import SettingsError, StoreUnavailable
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.build import build, engine_connection
from snowgauge.store.clickhouse.engine import EngineServer
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings, EngineSettings, StoreSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import schema_violation, web_page_view

pytestmark = pytest.mark.e2e


def _store(engine: EngineProcess) -> ClickHouseStore:
    settings = ClickHouseSettings()
    return ClickHouseStore(settings, engine_connection(settings, engine.url))


def test_batches_survive_kills_and_are_stored_once(tmp_path: Path) -> None:
    """Kill the engine between and inside writes; every batch is written until it is acknowledged, some twice."""
    engine = EngineProcess(tmp_path / "data").start()
    store = _store(engine)
    store.migrate()
    sent = 0
    for round_ in range(4):
        for number in range(round_ + 1):
            batch = StoreBatch(
                f"r{round_}-{number}",
                [web_page_view(sent + n) for n in range(200)],
                [schema_violation(sent)],
                [web_page_view(sent)],
            )
            sent += 200
            if number == round_:
                _write_and_kill(store, engine, batch, at=("events", "failed", "batch", "none")[round_])
                store.close()
                engine.start()
                store = _store(engine)
            store.write(batch)
            store.write(batch)
    assert store.count("good", Selection()) == sent
    rows = store.query("SELECT count(), uniqExact(event_id) FROM atomic.events").rows[0]
    assert list(rows) == [sent, sent]
    assert store.query("SELECT count() FROM atomic.failed_events").rows[0][0] == 10
    assert store.query("SELECT count() FROM atomic.incomplete_events").rows[0][0] == 10
    store.close()
    assert engine.stop() == 0


def _write_and_kill(store: ClickHouseStore, engine: EngineProcess, batch: StoreBatch, at: str) -> None:
    """Write, with the engine killed right after the insert whose token says ``at`` was acknowledged."""
    insert = store.connection.insert

    def killing(table: str, columns: object, rows: object, token: str, *how: object) -> None:
        insert(table, columns, rows, token, *how)  # type: ignore[arg-type]
        if f"-{at}" in token:
            engine.kill()

    store.connection.insert = killing  # type: ignore[assignment]
    if at == "none":
        engine.kill()
    if at == "batch":
        store.write(batch)
    else:
        with pytest.raises(StoreUnavailable):
            store.write(batch)


def test_a_second_engine_over_one_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "data").start()
    try:
        with pytest.raises(StoreUnavailable, match=f"process id {engine.pid}"):
            EngineServer(EngineSettings(port=0), tmp_path / "data")
    finally:
        engine.stop()


def test_the_engine_asks_for_its_password(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "data", username="gauge", password="s3cret").start()
    try:
        for headers, query in (
            ({}, ""), ({"X-ClickHouse-User": "gauge", "X-ClickHouse-Key": "wrong"}, ""),
            ({"X-ClickHouse-User": "default", "X-ClickHouse-Key": "s3cret"}, ""), ({}, "&user=gauge&password="),
        ):  # fmt: skip
            with pytest.raises(HTTPError) as refused:
                urlopen(Request(f"{engine.url}/?query=SELECT+1{query}", headers=headers))
            assert refused.value.code == 403
            refused.value.close()
        for headers, query in (
            ({"X-ClickHouse-User": "gauge", "X-ClickHouse-Key": "s3cret"}, ""), ({}, "&user=gauge&password=s3cret"),
            ({"Authorization": "Basic Z2F1Z2U6czNjcmV0"}, ""),
        ):  # fmt: skip
            with urlopen(Request(f"{engine.url}/?query=SELECT+1{query}", headers=headers)) as answer:
                assert answer.read() == b"1\n"
        right = ClickHouseSettings.model_validate({"engine": {"username": "gauge", "password": "s3cret"}})
        store = build(StoreSettings(), right, engine.url)
        assert store.migrate()
        store.close()
        wrong = build(StoreSettings(), ClickHouseSettings(), engine.url)
        with pytest.raises(StoreUnavailable, match="does not let"):
            wrong.migrate()
    finally:
        engine.stop()


def test_an_open_door_needs_a_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"engine\.password"):
        EngineServer(EngineSettings(host="0.0.0.0", port=0), tmp_path / "data")


def test_an_engine_that_is_away_is_unavailable(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "data").start()
    store = _store(engine)
    store.migrate()
    engine.stop()
    assert not store.ready()
    with pytest.raises(StoreUnavailable):
        store.write(StoreBatch("b1", [web_page_view(1)]))
    with pytest.raises(StoreUnavailable):
        store.count("good", Selection())
    store.close()


def test_missing_tables_are_named_with_the_cure(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "data").start()
    store = _store(engine)
    try:
        assert all(step.applied_at is None for step in store.migrations())
        with pytest.raises(StoreUnavailable, match="db init"):
            store.write(StoreBatch("b1", [web_page_view(1)]))
    finally:
        store.close()
        engine.stop()


def test_tables_of_other_programs_survive_too(tmp_path: Path) -> None:
    """Also those in ``default``, which the engine opens in a way of its own."""
    engine = EngineProcess(tmp_path / "data").start()
    store = _store(engine)
    store.connection.command("CREATE TABLE default.mine (n Int8) ENGINE = MergeTree ORDER BY n")
    store.connection.command("INSERT INTO default.mine VALUES (7)")
    store.close()
    engine.kill()
    for _ in range(2):
        engine.start()
        store = _store(engine)
        assert store.query("SELECT n FROM default.mine").rows == [[7]]
        store.close()
        assert engine.stop() == 0

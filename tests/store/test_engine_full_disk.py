"""The library takes for written what it cannot write on a full disk: so nothing is written to one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import schema_violation, web_page_view

pytestmark = pytest.mark.e2e


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small tmpfs here (needs root): {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def engine(disk: Path) -> Iterator[EngineProcess]:
    engine = EngineProcess(disk / "data", min_free_bytes="64 MB").start()
    yield engine
    engine.kill()


def opened(engine: EngineProcess) -> ClickHouseStore:
    return ClickHouseStore(ClickHouseSettings(), engine_connection(ClickHouseSettings(), engine.url))


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return ballast


def batch(number: int) -> StoreBatch:
    some = range(number * 10, number * 10 + 10)
    return StoreBatch(f"b{number}", [web_page_view(n) for n in some], [schema_violation(n) for n in some])


def counts(store: ClickHouseStore) -> tuple[int, int]:
    return store.count("good", Selection()), store.count("failed", Selection())


def test_batches_wait_for_room_and_are_stored_once(disk: Path, engine: EngineProcess) -> None:
    store = opened(engine)
    store.migrate()
    for number in range(4):
        ballast = fill(disk)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"clickhouse\.engine\.min_free_bytes"):
                store.write(batch(number))
        assert counts(store) == (number * 10, number * 10), "what is there can be read"
        ballast.unlink()
        assert not store.write(batch(number)).repeated
        assert counts(store) == (number * 10 + 10, number * 10 + 10)
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE atomic.events ADD COLUMN mine String",
        "CREATE TABLE atomic.mine (a Int8) ENGINE = MergeTree ORDER BY a",
        "CREATE VIEW atomic.mine AS SELECT 1",
        "INSERT INTO atomic.mine_before VALUES (1)",
        "INSERT INTO atomic.mine_before SELECT 2",
        "OPTIMIZE TABLE atomic.events FINAL",
    ],
)
def test_what_would_write_is_refused_and_the_folder_stays_one_that_opens(
    disk: Path, engine: EngineProcess, statement: str
) -> None:
    store = opened(engine)
    store.migrate()
    store.write(batch(0))
    store.connection.command("CREATE TABLE atomic.mine_before (a Int8) ENGINE = MergeTree ORDER BY a")
    ballast = fill(disk)
    with pytest.raises(StoreUnavailable, match="NOT_ENOUGH_SPACE"):
        store.connection.command(statement)
    store.connection.command("DROP TABLE atomic.mine_before")
    store.close()
    engine.kill()
    with pytest.raises(StoreUnavailable):
        engine.start()
    ballast.unlink()
    engine.start()
    store = opened(engine)
    assert counts(store) == (10, 10)
    assert store.write(batch(0)).repeated
    store.close()

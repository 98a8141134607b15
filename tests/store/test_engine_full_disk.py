"""The library takes for written what it cannot write on a full disk: so nothing is written to one."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import pytest

from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.engine import EngineProcess, ask
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


class Slow:
    """An INSERT whose body is sent in two halves: what comes in between happens while it is under way."""

    def __init__(self, engine: EngineProcess, table: str, rows: Iterable[str]) -> None:
        parts = urlsplit(engine.url)
        self._connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        target = "/?" + urlencode({"query": f"INSERT INTO {table} FORMAT TSV", "insert_deduplication_token": "once"})
        self._connection.putrequest("POST", target)
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.endheaders()
        data = "".join(f"{row}\n" for row in rows).encode()
        self._halves = [data[: len(data) // 2], data[len(data) // 2 :]]

    def send(self) -> None:
        half = self._halves.pop(0)
        self._connection.send(b"%x\r\n%b\r\n" % (len(half), half))

    def answer(self) -> tuple[int, str]:
        self._connection.send(b"0\r\n\r\n")
        answer = self._connection.getresponse()
        try:
            return answer.status, answer.read().decode()
        finally:
            self._connection.close()


def alive(engine: EngineProcess) -> bool:
    return psutil.Process(engine.pid).status() != psutil.STATUS_ZOMBIE


def text(engine: EngineProcess, sql: str) -> str:
    found = ask(engine, sql)
    assert found.status == 200, found.text
    return found.text.strip()


ROWS = [f"{n}\t{'x' * 20}{n}" for n in range(50_000)]
TABLE = (
    "CREATE TABLE mine (n UInt64, s String) ENGINE = MergeTree ORDER BY n "
    "SETTINGS non_replicated_deduplication_window = 100"
)


def insert(engine: EngineProcess) -> tuple[int, str]:
    whole = Slow(engine, "mine", ROWS)
    whole.send()
    whole.send()
    return whole.answer()


def test_an_insert_is_not_confirmed_when_the_disk_is_full_meanwhile(disk: Path, engine: EngineProcess) -> None:
    text(engine, TABLE)
    slow = Slow(engine, "mine", ROWS)
    slow.send()
    wait_until(lambda: text(engine, "SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'") != "0", "begun")
    ballast = fill(disk)
    slow.send()
    status, said = slow.answer()
    assert (status, "NOT_ENOUGH_SPACE" in said) == (500, True), said
    ballast.unlink()
    assert insert(engine) == (200, "")
    assert text(engine, "SELECT count(), uniqExact(n) FROM mine") == "50000\t50000"


@pytest.mark.parametrize("kind", ["MergeTree", "ReplacingMergeTree"])
def test_an_insert_that_a_full_disk_left_unwritten_comes_again(disk: Path, engine: EngineProcess, kind: str) -> None:
    """The engine has confirmed nothing, yet it knows the insert: it must not take the next try for the same."""
    text(engine, TABLE.replace("MergeTree", kind))
    assert insert(engine) == (200, "")
    part = Path(text(engine, "SELECT path FROM system.parts WHERE table = 'mine'"))
    engine.kill()
    for file in part.iterdir():
        file.write_bytes(b"")
    engine.start()
    assert text(engine, "SELECT count() FROM mine") == "0"
    assert insert(engine) == (200, "")
    assert insert(engine) == (200, "")
    for _ in range(2):
        assert text(engine, "SELECT count(), uniqExact(n) FROM mine") == "50000\t50000"
        engine.kill()
        engine.start()
    assert insert(engine) == (200, "")
    assert text(engine, "SELECT count() FROM mine") == "50000", "a part is left aside once"


def test_what_was_stored_outlives_a_merge_to_a_disk_that_fills(disk: Path, engine: EngineProcess) -> None:
    """The engine believes in a part of empty files, which has replaced good ones: it is found out and ends."""
    text(engine, "CREATE TABLE mine (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    for first in range(0, 40_000, 10_000):
        text(engine, f"INSERT INTO mine SELECT number + {first}, randomString(100) FROM numbers(10000)")
    text(engine, "OPTIMIZE TABLE mine FINAL")
    (merged,) = text(engine, "SELECT path FROM system.parts WHERE table = 'mine' AND active").splitlines()
    for file in Path(merged).iterdir():
        file.write_bytes(b"")
    with (disk / "ballast").open("wb") as ballast, suppress(OSError):
        os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(disk).free)
    wait_until(lambda: not alive(engine), "it has looked at what was written lately, and ends")
    (disk / "ballast").unlink()
    engine.kill()
    engine.start()
    found = text(engine, "SELECT count(), uniqExact(n), sum(length(s)) FROM mine")
    assert found == "40000\t40000\t4000000"
    (aside,) = text(engine, "SELECT name FROM system.detached_parts WHERE table = 'mine'").splitlines()
    assert Path(merged).name in aside


def test_a_definition_that_a_full_disk_has_emptied_is_that_of_before(disk: Path, engine: EngineProcess) -> None:
    text(engine, "CREATE TABLE mine (n UInt64) ENGINE = MergeTree ORDER BY n")
    text(engine, "INSERT INTO mine SELECT 7")
    engine.kill()
    file = next(each for each in engine.path.rglob("mine.sql") if "snowgauge-definitions" not in each.parts)
    file.write_bytes(b"")
    (file.parent / "never_whole.sql").write_bytes(b"")
    engine.start()
    assert text(engine, "SELECT n FROM mine") == "7"
    assert text(engine, "SHOW TABLES") == "mine"

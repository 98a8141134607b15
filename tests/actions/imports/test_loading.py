"""Loading what Snowplow's enrich wrote: through outages of the store, and files that are still being written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from snowgauge.actions.imports.files import local_files
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.loading import Loading, Unchanged
from snowgauge.actions.imports.recorded import new_lines
from snowgauge.actions.imports.totals import Totals
from snowgauge.errors import StoreUnavailable
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.store.base import Selection, StoreBatch, WriteResult
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.events import schema_violation, web_page_view
from snowgauge.testing.postgres import temporary_server


class Store(MemoryStore):
    """Away for some writes, every other time after it has taken the batch all the same."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away

    def write(self, batch: StoreBatch) -> WriteResult:
        self.away -= 1
        if self.away >= 0:
            if self.away % 2:
                super().write(batch)
            raise StoreUnavailable("gone")
        return super().write(batch)


def archive(folder: Path, numbers: range, name: str = "a") -> None:
    (folder / "good").mkdir(exist_ok=True)
    (folder / "bad").mkdir(exist_ok=True)
    (folder / "good" / f"{name}.tsv").write_text("".join(to_tsv(web_page_view(n)) + "\n" for n in numbers))
    rows = [json.loads(schema_violation(n).bad_row_json()) | {"number": n} for n in numbers]
    (folder / "bad" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def loading(folder: Path, store: Store, told: list[str], stops: Iterator[bool]) -> bool:
    totals = Totals()

    def lines(files: Any, kind: Any, flush: Any) -> Any:
        return new_lines(
            iter(files), ledger, totals, kind=kind, told=told.append, flush=flush, progress=lambda _: None,
            count_equal=False,
        )  # fmt: skip

    with Ledger(folder / "ledger", durable=False) as ledger:
        made = Loading(ledger, store, totals, lines, chunk=3, told=told.append, wait=lambda _: next(stops))
        return made.load({"tsv": lambda: local_files(folder / "good"), "bad-rows": lambda: local_files(folder / "bad")})


@pytest.mark.parametrize("away", [0, 1, 2, 5, 8])
def test_everything_is_stored_once_through_outages(tmp_path: Path, away: int) -> None:
    archive(tmp_path, range(8))
    store, told = Store(away), []
    assert loading(tmp_path, store, told, iter([False] * 20))
    assert loading(tmp_path, store, told, iter([])), "again: nothing is new"
    events = store.events("good", Selection())
    assert sorted(row["event_id"] for row in events) == sorted(str(web_page_view(n).event_id) for n in range(8))
    assert store.count("failed", Selection()) == 8
    assert len(told) == away


def test_who_is_told_to_stop_during_an_outage_goes_on_at_the_next_start(tmp_path: Path) -> None:
    archive(tmp_path, range(8))
    store, told = Store(2), []
    assert not loading(tmp_path, store, told, iter([True]))
    assert loading(tmp_path, store, told, iter([False] * 3))
    assert store.count("good", Selection()) == 8


def test_a_file_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    archive(tmp_path, range(1))
    looks = Unchanged()

    def look() -> list[str]:
        return [Path(file.name).name for file in looks.of(local_files(tmp_path / "good"))]

    assert look() == []
    archive(tmp_path, range(2))
    archive(tmp_path, range(2), "b")
    assert look() == []
    assert look() == ["a.tsv", "b.tsv"]


@pytest.mark.e2e
def test_a_loader_alone_lays_out_postgresql_and_follows_a_folder(tmp_path: Path) -> None:
    with temporary_server() as server:
        url = server.url
        archive(tmp_path, range(3))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SNOWPLOW_")}
        environment["SNOWPLOW_STORE__URL"] = url
        flags = ["--set", f"common.data_dir={tmp_path / 'data'}", "--set", "imports.watch_interval=50 ms"]
        places = ["--from", str(tmp_path / "good"), "--bad-from", str(tmp_path / "bad"), "--watch"]
        command = [sys.executable, "-m", "snowgauge", *flags, "load", *places]

        def stored(table: str) -> int:
            try:
                with psycopg.connect(url) as connection:
                    row = connection.execute(f"SELECT count(*) FROM atomic.{table}").fetchone()
            except psycopg.errors.UndefinedTable:
                return 0
            return int(row[0]) if row else 0

        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as running:
            try:
                wait_until(lambda: stored("events") == 3, "the first file is loaded")
                archive(tmp_path, range(2, 6), "b")
                wait_until(lambda: stored("events") == stored("failed_events") == 6, "the second file is loaded")
                running.send_signal(signal.SIGTERM)
                _, said = running.communicate(timeout=60)
            finally:
                running.kill()
        assert running.returncode == 0, said
        assert stored("com_snowplowanalytics_snowplow_web_page_1") == 6, "entities have their tables"

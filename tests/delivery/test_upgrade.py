"""A data folder that the first version left in the middle of a batch is gone on with, and every event is stored once.

``golden/data-folder-0.1.tar.xz`` was left by that version: nine entries of 3 MB in a batch that it cut into three
chunks, of which two were enriched (to something else than they would become now), the second with a number that
MessagePack cannot hold, and the third begun.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from snowgauge.delivery.spool import SpoolLog
from snowgauge.delivery.worker import Worker
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import Processor
from snowgauge.events.outcome import Enriched, Outcome
from snowgauge.store.base import Selection, StoreBatch, WriteResult
from snowgauge.store.memory import MemoryStore

BATCH = "726cd788d14f4400a532e5697be7749c-1-9"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tarfile.open(Path(__file__).parent / "golden" / "data-folder-0.1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


class Enricher:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def settle(self) -> None: ...

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        raise AssertionError("nothing is put off")

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        self.calls.append(seed)
        return [Enriched(EnrichedEvent(app_id=record[:1].decode() + "-now"))]

    def flush_metrics(self) -> None: ...


class Store:
    """A store that died after the first chunk: what it has, it has for ever."""

    def __init__(self) -> None:
        self.batches: dict[str, StoreBatch] = {}

    def write(self, batch: StoreBatch) -> WriteResult:
        self.batches.setdefault(batch.id, batch)
        return WriteResult(len(batch.events), len(batch.failed), len(batch.incomplete))


def worker(folder: Path, enricher: Enricher, store: Store) -> Worker:
    log = SpoolLog(folder / "spool", min_free_bytes=0, linger=0)
    return Worker(log.subscribe(), enricher, store, processor=Processor("snowgauge-enrich", "1.0.0"))


def test_an_upgrade_in_the_middle_of_a_batch(folder: Path) -> None:
    enricher, store = Enricher(), Store()
    worker(folder, enricher, store).run(until_empty=True)
    assert {name: [event.app_id for event in batch.events] for name, batch in store.batches.items()} == {
        f"{BATCH}.0": ["B-then", "C-then"],
        f"{BATCH}.1": ["E-then", "F-then"],
        f"{BATCH}.2": ["G-now", "H-now", "I-now"],
    }
    assert [failed.id for batch in store.batches.values() for failed in batch.failed] == [f"{BATCH}.0", f"{BATCH}.1"]
    assert store.batches[f"{BATCH}.1"].events[0].contexts[0].data == {"n": 10**40}
    assert enricher.calls == [f"{BATCH}.2/{place}" for place in range(3)], "ids of events are made of these"
    assert not list((folder / "journal").glob("*.batch"))
    assert not list((folder / "spool").glob("0*-*.sqlite"))


def test_an_upgrade_that_dies_in_the_middle_of_the_batch_too(folder: Path) -> None:
    enricher, store = Enricher(), Store()
    for _ in range(3):
        subscription = SpoolLog(folder / "spool", min_free_bytes=0, linger=0).subscribe()
        batch = subscription.read(5)
        assert batch is not None
        processed = subscription.recall(batch)
        if processed is not None:
            store.write(processed.batch)
            subscription.commit(batch)
        subscription.close()
    assert list(store.batches) == [f"{BATCH}.0", f"{BATCH}.1"]
    worker(folder, enricher, store).run(until_empty=True)
    assert list(store.batches) == [f"{BATCH}.0", f"{BATCH}.1", f"{BATCH}.2"]


def test_the_sums_of_an_upgrade_hold(folder: Path) -> None:
    enricher = Enricher()
    log = SpoolLog(folder / "spool", min_free_bytes=0, linger=0)
    assert log.stats().entries == 9
    store = MemoryStore()
    runner = Worker(log.subscribe(), enricher, store, processor=Processor("snowgauge-enrich", "1.0.0"))
    runner.run(until_empty=True)
    assert (runner.tally.records, runner.tally.enriched, runner.tally.failed) == (9, 7, 2)
    assert log.stats().entries == 0
    assert store.count("failed", Selection()) == 2

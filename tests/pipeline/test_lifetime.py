"""Workers store nothing of whoever was erased while they had it in their hands, and count it."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from snowgauge.actions.lifetime.erased import Erased, WithoutErased
from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.places import EventLogPlace, store_places
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.worker import Worker
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Outcome, Tally
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode
from snowgauge.pipeline.personal_places import JournalPlace, RecoveriesPlace
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.events import NOON, web_page_view

ALL = Selection()
EVERYBODY = [("user_id", "ann")]


class Enricher:
    """One event for each record, with its ``uid``; told by ``reached`` that records are in hand, goes on by ``go``."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome] | None:
        self.reached.set()
        self.go.wait(20)
        query = decode(record).querystring or ""
        number, _, user = query.partition("&uid=")
        return [Enriched(web_page_view(int(number[2:]), user_id=user))]

    def settle(self) -> None: ...

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        raise AssertionError("nothing is put off")

    def flush_metrics(self) -> None: ...


def test_an_erasure_while_a_worker_has_the_records_in_its_hands(tmp_path: Path) -> None:
    log, store, enricher = MemoryLog(), MemoryStore(), Enricher()
    gate, tombstones = Gate(tmp_path), Tombstones(FolderDocuments(tmp_path / "privacy"))
    users = ["ann", "bob", "ann", "eve"]
    log.writer().append(
        [
            LogEntry(encode(CollectorPayload(timestamp=NOON, querystring=f"n={n}&uid={u}")), 1)
            for n, u in enumerate(users)
        ]
    )
    worker = Worker(
        log.subscribe(), enricher, store,
        processor=Processor("enrich", "1"), gate=gate.storing, erasures=Erased(tombstones, store.lifetime()),
    )  # fmt: skip
    thread = threading.Thread(target=worker.run, kwargs={"until_empty": True})
    thread.start()
    assert enricher.reached.wait(20)
    places = [EventLogPlace(log), JournalPlace(tmp_path / "journal"), *store_places(store.lifetime())]
    erasing = Erasing(places, Tombstones(FolderDocuments(tmp_path / "privacy")), gate)
    order = erasing.order(EVERYBODY, at=NOON + 10**9, by="op")
    assert erasing.carry_out(order, lambda: 1.0).left == 0
    enricher.go.set()
    thread.join(20)
    assert [row["user_id"] for row in store.events("good", ALL, newest_first=False)] == ["bob", "eve"]
    assert worker.tally == Tally(records=4, enriched=2, failed=0, dropped=2)
    assert log.stats().entries == 0


def test_an_erased_entry_counts_as_dropped(tmp_path: Path) -> None:
    log, store, enricher = MemoryLog(), MemoryStore(), Enricher()
    enricher.go.set()
    log.writer().append(
        [LogEntry(bytes(100), 1, "erased"), LogEntry(encode(CollectorPayload(querystring="n=1&uid=b")), 1)]
    )
    worker = Worker(log.subscribe(), enricher, store, processor=Processor("enrich", "1"))
    worker.run(until_empty=True)
    assert worker.tally == Tally(records=2, enriched=1, failed=0, dropped=1)


def test_who_wants_to_be_alone_gets_a_turn_while_workers_keep_coming(tmp_path: Path) -> None:
    stop = threading.Event()
    passed = [0, 0, 0]

    def store(number: int) -> None:
        gate = Gate(tmp_path)
        while not stop.is_set():
            with gate.storing():
                passed[number] += 1

    threads = [threading.Thread(target=store, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            with Gate(tmp_path, wait=20).still():
                before = list(passed)
                stop.wait(0.02)
                assert passed == before
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_plan_of_a_recovery_that_names_the_person_goes(tmp_path: Path) -> None:
    folder = tmp_path / "recoveries"
    folder.mkdir()
    named = {"run": "1", "at": 5, "choice": {"where": ["user_id = ann"]}}
    (folder / "1.json").write_bytes(msgspec.json.encode(named))
    (folder / "2.json").write_bytes(msgspec.json.encode({**named, "choice": {"where": ["user_id = bob"]}}))
    place = RecoveriesPlace(FolderDocuments(folder))
    erasing = Erasing([place], Tombstones(FolderDocuments(tmp_path / "privacy")), Gate(tmp_path))
    report = erasing.carry_out(erasing.order(EVERYBODY, at=NOON, by="op"), lambda: 1.0)
    assert [taken.removed for taken in report.taken] == [1]
    assert [path.name for path in folder.iterdir()] == ["2.json"]


def test_what_is_written_past_the_pipeline_is_filtered_too(tmp_path: Path) -> None:
    store, tombstones = MemoryStore(), Tombstones(FolderDocuments(tmp_path / "privacy"))
    tombstones.add("e", NOON + 10**6, [("user_id", "ann")])
    guarded = WithoutErased(store, Erased(tombstones, store.lifetime()))
    guarded.write(StoreBatch("b", [web_page_view(1, user_id="ann"), web_page_view(2, user_id="bob")]))
    assert store.count("good", ALL) == 1

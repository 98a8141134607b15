"""What the worker promises: everything read ends as exactly one outcome, stored once, whatever fails on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from snowgauge.delivery.contract import Processed
from snowgauge.delivery.journal import Journal
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.worker import Worker
from snowgauge.errors import LogUnavailable, StoreUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent, Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Dropped, Enriched, Failed, Outcome, Tally
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.base import Part, Parts, StoreBatch, WriteResult


class Enricher:
    """One event per record; a record's text says what becomes of it."""

    def __init__(
        self, answer: Callable[[bytes], list[Outcome]] | None = None, wanting: frozenset[bytes] = frozenset()
    ) -> None:
        """Records in ``wanting`` are put off; ``settle`` is noted among the calls."""
        self.answer = answer or (lambda record: [enriched(record)])
        self.wanting = wanting
        self.calls: list[bytes] = []

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome] | None:
        return None if record in self.wanting else self.conclude(record, seed)

    def settle(self) -> None:
        self.calls.append(b"settle")

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        self.calls.append(record)
        return self.answer(record)

    def flush_metrics(self) -> None: ...


class Store:
    """Keeps batches as a store does: whole, and once per id."""

    def __init__(self, failures: int = 0) -> None:
        self.batches: dict[str, StoreBatch] = {}
        self.failures = failures
        self.attempts = 0

    def write(self, batch: StoreBatch) -> WriteResult:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise StoreUnavailable("the database is away")
        self.batches.setdefault(batch.id, batch)
        return WriteResult(len(batch.events), len(batch.failed), len(batch.incomplete))

    def events(self) -> list[str | None]:
        return [event.app_id for batch in self.batches.values() for event in batch.events]

    def failed(self) -> list[FailedEvent]:
        return [row for batch in self.batches.values() for row in batch.failed]


def enriched(record: bytes) -> Enriched:
    return Enriched(EnrichedEvent(app_id=record.decode()))


def failed(record: bytes) -> Failed:
    row = FailedEvent(id=record.decode(), failure_type="schema_violations", failed_at=1, data={})
    return Failed(row, EnrichedEvent(app_id=record.decode()))


def worker(log: MemoryLog, enricher: Enricher, store: Store, **options: Any) -> Worker:
    return Worker(
        log.subscribe(),
        enricher,
        store,
        processor=Processor("snowgauge-enrich", "1.0.0"),
        clock=lambda: 1_700_000_000.0,
        **options,
    )


def fill(log: MemoryLog, *bodies: bytes) -> None:
    log.writer().append([LogEntry(body, 1) for body in bodies])


def test_each_record_is_counted_once_as_enriched_failed_or_dropped(tmp_path: Path) -> None:
    log, store = MemoryLog(), Store()
    fill(log, b"good", b"bad", b"drop", b"two")
    answers: dict[bytes, list[Outcome]] = {
        b"good": [enriched(b"good")],
        b"bad": [failed(b"bad")],
        b"drop": [Dropped("javascript")],
        b"two": [enriched(b"two-a"), failed(b"two-b")],
    }
    runner = worker(log, Enricher(lambda record: answers[record]), store)
    runner.run(until_empty=True)
    assert store.events() == ["good", "two-a"]
    assert [row.id for row in store.failed()] == ["bad", "two-b"]
    assert (runner.tally.records, runner.tally.enriched, runner.tally.failed, runner.tally.dropped) == (4, 2, 2, 1)
    assert log.stats().entries == 0


def test_a_bad_row_of_the_collector_is_stored_as_a_failed_event(tmp_path: Path) -> None:
    log, store = MemoryLog(), Store()
    schema = "iglu:com.snowplowanalytics.snowplow.badrows/size_violation/jsonschema/1-0-0"
    row = {"schema": schema, "data": {"processor": {}, "failure": {"expectation": "too big"}, "payload": "x"}}
    log.writer().append([LogEntry(msgspec.json.encode(row), 5, "bad_row")])
    worker(log, Enricher(), store).run(until_empty=True)
    (stored,) = store.failed()
    assert stored.bad_row() == row
    assert (stored.failure_type, stored.failed_at, stored.message) == ("size_violation", 5, "too big")


def test_a_store_that_is_away_is_asked_again_with_the_same_batch(tmp_path: Path) -> None:
    log, store = MemoryLog(), Store(failures=3)
    fill(log, b"a", b"b")
    worker(log, Enricher(), store).run(until_empty=True)
    assert store.attempts == 4
    assert store.events() == ["a", "b"]


def test_several_batches_are_under_way_and_stored_in_order(tmp_path: Path) -> None:
    log = MemoryLog(max_batch_entries=1)
    fill(log, *[str(number).encode() for number in range(10)])
    reached, go = threading.Event(), threading.Event()
    seen: list[bytes] = []

    class Slow(Store):
        def write(self, batch: StoreBatch) -> WriteResult:
            assert go.wait(30)
            return super().write(batch)

    def answer(record: bytes) -> list[Outcome]:
        seen.append(record)
        if record == b"2":
            reached.set()
        return [enriched(record)]

    store = Slow()
    runner = worker(log, Enricher(answer), store)
    thread = threading.Thread(target=runner.run, kwargs={"until_empty": True})
    thread.start()
    assert reached.wait(30), "enriching goes on while the first batch is being stored"
    assert store.events() == []
    assert len(seen) <= 3, "and not without a bound"
    go.set()
    thread.join()
    assert store.events() == [str(number) for number in range(10)]
    assert log.stats().entries == 0


def test_a_stop_between_two_batches_loses_and_repeats_nothing() -> None:
    log, store = MemoryLog(max_batch_entries=1), Store()
    fill(log, b"A", b"B", b"C")
    first: Worker

    def answer(record: bytes) -> list[Outcome]:
        if record == b"B":
            first.stop.set()
        return [enriched(record)]

    first = worker(log, Enricher(answer), store)
    first.run()
    assert store.events() == ["A", "B"]
    assert log.stats().entries == 1
    first._subscription.close()
    second = Enricher()
    worker(log, second, store).run(until_empty=True)
    assert store.events() == ["A", "B", "C"]
    assert second.calls == [b"C"]


def test_a_batch_that_was_enriched_before_a_crash_is_stored_as_it_was(tmp_path: Path) -> None:
    log, store = MemoryLog(), Store()
    fill(log, b"x")
    gone = Store(failures=10**6)
    first = worker(log, Enricher(lambda record: [failed(record)]), gone)
    thread = threading.Thread(target=first.run)
    thread.start()
    while not gone.attempts:
        pass
    first.stop.set()
    first.abandon.set()
    thread.join()
    first._subscription.close()
    second = Enricher()  # would now call the record good
    worker(log, second, store).run(until_empty=True)
    assert second.calls == []
    assert [row.id for row in store.failed()] == ["x"]
    assert store.events() == []


def test_nothing_is_stored_before_it_is_recorded_nor_committed_before_it_is_stored() -> None:
    log = MemoryLog()
    fill(log, b"x")
    steps: list[str] = []

    class Noting(Store):
        def write(self, batch: StoreBatch) -> WriteResult:
            steps.append("store")
            return super().write(batch)

    runner = worker(log, Enricher(), Noting(failures=1))
    held = runner._subscription
    trouble = {"record": 2, "commit": 2}

    class Troubled:
        def __getattr__(self, name: str) -> Any:
            def call(*given: Any) -> Any:
                if name in ("record", "commit"):
                    steps.append(name)
                if trouble.get(name):
                    trouble[name] -= 1
                    raise LogUnavailable(f"{name} does not work now")
                return getattr(held, name)(*given)

            return call

    runner._subscription = Troubled()
    runner.run(until_empty=True)
    assert steps == ["record", "record", "record", "store", "store", "commit", "commit", "commit"]
    assert log.stats().entries == 0


def test_batches_of_a_partition_that_was_taken_away_are_left_to_its_next_owner() -> None:
    log, store = MemoryLog(max_batch_entries=1), Store()
    fill(log, b"a", b"b", b"c")

    def answer(record: bytes) -> list[Outcome]:
        if record == b"b":
            log.take_away(0)
        return [enriched(record)]

    worker(log, Enricher(answer), store).run(until_empty=True)
    assert store.events() in ([], ["a"])
    worker(log, Enricher(), store).run(until_empty=True)
    assert store.events() == ["a", "b", "c"]
    assert log.stats().entries == 0


def test_records_whose_schemas_are_looked_for_come_last_and_hold_up_nobody() -> None:
    log, store = MemoryLog(), Store()
    fill(log, b"unknown", b"known", b"unknown too")
    enricher = Enricher(wanting=frozenset({b"unknown", b"unknown too"}))
    runner = worker(log, enricher, store)
    runner.run(until_empty=True)
    assert enricher.calls == [b"known", b"settle", b"unknown", b"unknown too"]
    assert store.events() == ["known", "unknown", "unknown too"]
    assert (runner.tally.records, runner.tally.enriched) == (3, 3)


def test_a_record_that_makes_the_enricher_raise_is_set_aside_with_its_bytes(tmp_path: Path) -> None:
    log, store = MemoryLog(), Store()
    fill(log, b"fine", b"\xffpoison", b"also fine")

    def answer(record: bytes) -> list[Outcome]:
        if b"poison" in record:
            raise ZeroDivisionError("boom")
        return [enriched(record)]

    worker(log, Enricher(answer), store).run(until_empty=True)
    assert store.events() == ["fine", "also fine"]
    (row,) = store.failed()
    assert (row.failure_type, row.record, row.message) == ("generic_error", b"\xffpoison", "ZeroDivisionError: boom")


def test_a_record_that_ends_the_process_is_set_aside_after_three_deaths(tmp_path: Path) -> None:
    log, store = MemoryLog(), Store()
    fill(log, b"fine", b"deadly", b"also fine")

    class Death(BaseException):
        """Stands for the end of the process: nothing in the worker may catch it."""

    def answer(record: bytes) -> list[Outcome]:
        if record == b"deadly":
            raise Death
        return [enriched(record)]

    deaths = 0
    while True:
        runner = worker(log, Enricher(answer), store)
        try:
            runner.run(until_empty=True)
            break
        except Death:
            deaths += 1
            runner._subscription.close()
    assert deaths == 3
    assert store.events() == ["fine", "also fine"]
    assert [row.record for row in store.failed()] == [b"deadly"]


@pytest.mark.parametrize(
    "data", [{"n": 1.1, "l": [1, None, True, "é"]}, {"n": 10**40}, {"s": "\ud800"}, [], "text", None], ids=repr
)
def test_the_journal_keeps_any_value_and_refuses_a_damaged_file(tmp_path: Path, data: object) -> None:
    journal = Journal(tmp_path)
    item = SelfDescribing(SchemaKey.parse("iglu:com.acme/x/jsonschema/1-0-0"), data, '{"n":1.10}')
    parts = Parts([Part(0, 1)], [Part(0, 1)], [])
    batch = StoreBatch("id-1", [EnrichedEvent(app_id="a", contexts=[item])], [failed(b"x").failure], parts=parts)
    journal.save(Processed(batch, Tally(2, 1, 1)))
    assert journal.load("id-1") == Processed(batch, Tally(2, 1, 1))
    (file,) = tmp_path.glob("*.batch")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert journal.load("id-1") is None
    file.write_bytes(b"")
    assert journal.load("id-1") is None
    assert journal.load("unknown") is None


def test_the_journal_does_not_run_what_a_file_says(tmp_path: Path) -> None:
    import os
    import pickle
    import zlib

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("true",)

    body = b"p" + pickle.dumps(Evil())
    (tmp_path / "b.batch").write_bytes(zlib.crc32(body).to_bytes(4, "big") + body)
    with pytest.raises(pickle.UnpicklingError):
        Journal(tmp_path).load("b")

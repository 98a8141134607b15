"""The loop that moves events: read a batch, enrich it, write the answer down, store it, commit it.

A batch is cut into chunks whose boundaries depend on its entries alone. While one chunk is stored (in a thread of its
own: mostly waiting for the database) the next is enriched. Every step may run twice: the batch comes again with the
same id and entries, what a chunk became is in the journal, and the store takes a chunk's id once.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from snowgauge.delivery.attempts import Attempts
from snowgauge.delivery.contract import LogBatch, Subscription
from snowgauge.delivery.following import followed
from snowgauge.delivery.journal import Journal, Processed
from snowgauge.errors import LogUnavailable, PayloadRecordError, StoreUnavailable
from snowgauge.events import payload_record
from snowgauge.events.bad_row import one_line
from snowgauge.events.failed import FailedEvent, Processor, bad_row_data
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Failed, Outcome, Tally
from snowgauge.events.timestamps import instant_text
from snowgauge.store.base import BatchWriter, StoreBatch
from snowgauge.telemetry.logs import about, logger
from snowgauge.telemetry.metrics import count, gauge, observe
from snowgauge.telemetry.reporting import reports
from snowgauge.telemetry.reporting.base import Transaction

Made = TypeVar("Made")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_CHUNK_BYTES = 8_000_000
_BAD_ROW_TYPE = "/jsonschema/"


class RecordEnricher(Protocol):
    """What the worker needs of ``enrich.Enricher``. Nothing of it waits for others, except ``settle`` a short while."""

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome] | None: ...

    def settle(self) -> None: ...

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]: ...

    def flush_metrics(self) -> None: ...


class Worker:
    """One pipeline worker. ``run`` returns when ``stop`` is set and nothing it has read is left unstored."""

    def __init__(
        self,
        subscription: Subscription,
        enricher: RecordEnricher,
        store: BatchWriter,
        journal: Journal,
        attempts: Attempts,
        *,
        processor: Processor,
        clock: Callable[[], float] = time.time,
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
        keep: Callable[[StoreBatch], StoreBatch] | None = None,
    ) -> None:
        """``gate`` is held while a chunk is being stored; ``keep`` takes out of it what may not be stored any more."""
        self._subscription = subscription
        self._enricher = enricher
        self._store = store
        self._journal = journal
        self._attempts = attempts
        self._processor = processor
        self._clock = clock
        self._gate = gate
        self._keep = keep
        self._log = logger("pipeline")
        self.stop = threading.Event()
        self.abandon = threading.Event()
        """Set together with ``stop`` when even the batch under way is to be left for the next start."""
        self.tally = Tally()

    def run(self, *, until_empty: bool = False) -> None:
        """Work until ``stop`` is set (or, with ``until_empty``, until nothing waits)."""
        with ThreadPoolExecutor(1, thread_name_prefix="storing") as storing:
            while not self.stop.is_set():
                try:
                    batch = self._subscription.read(0.05 if until_empty else 0.5)
                    if batch is None:
                        if until_empty:
                            return
                        continue
                    if self._handle(batch, storing):
                        self._subscription.commit(batch)
                        for chunk in chunks(batch):
                            self._journal.forget(chunk.id)
                except LogUnavailable as error:
                    self._log.error("eventlog_unusable", reason=str(error))
                    self.stop.wait(_LONGEST_PAUSE)
                except BaseException:
                    self.abandon.set()  # a chunk that is being stored would be waited for
                    raise

    def _handle(self, batch: LogBatch, storing: ThreadPoolExecutor) -> bool:
        """Enrich and store a batch; ``False`` when told to leave (the rest of) it for the next start."""
        under_way: tuple[Processed, Future[bool]] | None = None
        for chunk in chunks(batch):
            if self.abandon.is_set():
                if under_way is not None:
                    self._stored(*under_way)
                return False
            with about(batch=chunk.id):
                processed = self._process(chunk)
            if under_way is not None and not self._stored(*under_way):
                return False
            under_way = processed, storing.submit(self._write, processed, chunk)
        return under_way is None or self._stored(*under_way)

    def _stored(self, processed: Processed, written: Future[bool]) -> bool:
        """Wait until a chunk is stored, and count what it held."""
        if not written.result():
            return False
        done = processed.tally
        self.tally.records += done.records
        self.tally.enriched += done.enriched
        self.tally.failed += done.failed
        self.tally.dropped += done.dropped
        count("pipeline_records", done.records)
        for outcome in ("enriched", "failed", "dropped"):
            count("pipeline_outcomes", getattr(done, outcome), outcome=outcome)
        for failure in processed.batch.failed:
            count("failed_events", type=failure.failure_type)
        gauge("pipeline_last_stored_timestamp", self._clock())
        self._log.debug("chunk_stored", id=processed.batch.id, records=done.records, events=done.events)
        return True

    def _process(self, batch: LogBatch) -> Processed:
        """Enrich a chunk, or take what it became earlier."""
        processed = self._journal.load(batch.id)
        if processed is not None:
            self._log.info("chunk_resumed")
            return processed
        started = time.perf_counter()
        self._attempts.begin(batch.id)
        with reports.transaction("enrich", "batch") as work:
            processed = self._enrich(batch, work)
        observe("pipeline_batch_seconds", time.perf_counter() - started, step="enrich")
        self._save(processed)
        self._attempts.end()
        self._enricher.flush_metrics()
        return processed

    def _save(self, processed: Processed) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                self._journal.save(processed)
                return
            except OSError as error:
                self._log.error("journal_not_written", reason=str(error), cure="free disk space in the data folder")
                count("pipeline_retries", reason="journal")
                if self.abandon.wait(pause):
                    raise
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _enrich(self, batch: LogBatch, work: Transaction) -> Processed:
        result, tally = StoreBatch(batch.id), Tally()
        work.about["batch"] = batch.id
        at = int(self._clock() * 1000)
        put_off: list[int] = []

        def done(entry: LogEntry, started: int, outcomes: list[Outcome]) -> None:
            tally.count(outcomes)
            if work.follows:
                work.payloads.append(followed(entry, started, outcomes))
            result.add(outcomes)

        attempt, conclude = partial(self._enricher.attempt, at=at), partial(self._enricher.conclude, at=at)
        for index, entry in enumerate(batch.entries):
            started = time.time_ns() if work.follows else 0
            if entry.kind == "erased":
                tally.records += 1
                tally.dropped += 1
                continue
            if entry.kind == "bad_row":
                result.failed.append(collector_failure(entry, f"{batch.id}/{index}"))
                tally.records += 1
                tally.failed += 1
                continue
            outcomes = self._outcomes(entry, index, f"{batch.id}/{index}", attempt)
            if outcomes is None:  # its schemas are being looked for; the rest need not wait
                put_off.append(index)
            else:
                done(entry, started, outcomes)
        if put_off:
            self._enricher.settle()
        for index in put_off:
            entry = batch.entries[index]
            started = time.time_ns() if work.follows else 0
            done(entry, started, self._outcomes(entry, index, f"{batch.id}/{index}", conclude))
        return Processed(result, tally)

    def _outcomes(
        self, entry: LogEntry, index: int, seed: str, process: Callable[[bytes, str], Made]
    ) -> Made | list[Outcome]:
        if self._attempts.careful:
            if self._attempts.poisonous(index):
                return [self._poison(entry, seed, "the record ended the process that enriched it, again and again")]
            self._attempts.record(index)
        for last_try in (False, True):
            try:
                return process(entry.body, seed)
            except Exception as error:  # a bug of ours must cost one record, not the pipeline
                if last_try:
                    self._log.exception("record_poisonous", seed=seed)
                    return [self._poison(entry, seed, f"{type(error).__name__}: {error}")]
        raise AssertionError("unreachable")

    def _poison(self, entry: LogEntry, seed: str, reason: str) -> Failed:
        count("pipeline_poison")
        now = int(self._clock() * 1000)
        failure = {"timestamp": instant_text(now), "errors": [reason]}
        text = entry.body.decode("utf-8", "backslashreplace")
        return Failed(
            FailedEvent(
                id=stable_id(seed),
                failure_type="generic_error",
                failed_at=now,
                data=bad_row_data(self._processor, failure, text),
                message=reason,
                record=entry.body,
                seed=seed,
            )
        )

    def _write(self, processed: Processed, chunk: LogBatch) -> bool:
        """Store until it is stored. ``False`` only when told to leave it for the next start."""
        with about(batch=processed.batch.id):
            return self._written(processed, chunk)

    def _written(self, processed: Processed, chunk: LogBatch) -> bool:
        started = time.perf_counter()
        pause = _FIRST_PAUSE
        while True:
            try:
                with self._gate(), reports.transaction("store", "batch") as work:
                    self._without_erased(processed)
                    if work.follows:
                        work.about["batch"] = chunk.id
                        work.payloads = [followed(entry) for entry in chunk.entries if entry.kind == "payload"]
                    self._store.write(processed.batch)
            except StoreUnavailable as error:
                self._log.warning("store_away", reason=str(error), retry_in=pause)
                count("pipeline_retries", reason="store")
                if self.abandon.wait(pause):
                    return False
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                observe("pipeline_batch_seconds", time.perf_counter() - started, step="store")
                return True

    def _without_erased(self, processed: Processed) -> None:
        """Somebody may have been erased since this was read; what goes counts as dropped."""
        before = processed.batch
        processed.batch = before if self._keep is None else self._keep(before)
        good = len(before.events) - len(processed.batch.events)
        bad = len(before.failed) - len(processed.batch.failed)
        processed.tally.enriched -= good
        processed.tally.failed -= bad
        processed.tally.dropped += good + bad


def chunks(batch: LogBatch) -> Iterator[LogBatch]:
    """The batch in parts of about equal bytes, each with an id of its own; the same parts every time."""
    start = size = number = 0
    for at, entry in enumerate(batch.entries):
        size += len(entry.body)
        if size >= _CHUNK_BYTES or at == len(batch.entries) - 1:
            yield LogBatch(f"{batch.id}.{number}", batch.entries[start : at + 1])
            start, size, number = at + 1, 0, number + 1


def stable_id(seed: str) -> str:
    """A UUID that depends on ``seed`` alone."""
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def collector_failure(entry: LogEntry, seed: str) -> FailedEvent:
    """The failed event of a bad row that the collector, or an import, made. An import names the failure's id."""
    row = msgspec.json.decode(entry.body)
    failure = row["data"].get("failure", {})
    message = failure.get("message")
    return FailedEvent(
        id=row.get("id") or stable_id(seed),
        failure_type=row["schema"].partition(_BAD_ROW_TYPE)[0].rpartition("/")[2],
        failed_at=entry.received_at,
        data=row["data"],
        message=one_line(message)
        if isinstance(message, dict)
        else str(failure.get("expectation") or failure.get("errors") or ""),
        record=_record_of(row["data"]) if failure.get("loader") == "thrift" else None,
    )


def _record_of(data: Mapping[str, Any]) -> bytes | None:
    """The request that a bad row about its format holds, for recovery."""
    try:
        record = base64.b64decode(data["payload"], validate=True)
        payload_record.decode(record)
    except (TypeError, ValueError, PayloadRecordError):
        return None
    return record

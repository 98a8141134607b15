"""The loop that moves events: read a batch, enrich it, write down what it became, store it, hand it on, commit it.

Three threads take turns at a batch, so that reading the next, enriching this one and storing the last overlap: one
reads, this one enriches, one stores (mostly waiting for the database). Every step may run twice: the batch comes again
with the same id and entries, what it became is recalled, and the store takes a batch's id once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from snowgauge.backoff import Backoff
from snowgauge.delivery.attempts import Attempts
from snowgauge.delivery.contract import Erasures, LogBatch, Processed, Subscription
from snowgauge.delivery.enriching import BadRows, BatchEnricher, RecordEnricher, collector_failure
from snowgauge.delivery.followers import Followers
from snowgauge.delivery.following import followed
from snowgauge.errors import BatchLost, LogUnavailable, SinkUnavailable, StateUnavailable, StoreUnavailable
from snowgauge.events.failed import Processor
from snowgauge.events.outcome import Tally
from snowgauge.store.base import BatchWriter, StoreBatch
from snowgauge.telemetry.logs import about, logger
from snowgauge.telemetry.metrics import count, gauge, observe
from snowgauge.telemetry.reporting import reports

_BEING_STORED = 2
"""Batches that are stored or wait for it, while one more is being enriched and one more is read."""

_TROUBLE = {
    "journal": "journal_not_written",
    "store": "store_unreachable",
    "state": "state_unreachable",
    "sinks": "sinks_not_handed_on",
    "eventlog": "eventlog_unusable",
}
"""What the log says when a step has to be done again."""


class Worker:
    """One pipeline worker. ``run`` returns when ``stop`` is set and nothing it has enriched is left unstored."""

    def __init__(
        self,
        subscription: Subscription,
        enricher: RecordEnricher,
        store: BatchWriter,
        *,
        processor: Processor,
        followers: Followers | None = None,
        clock: Callable[[], float] = time.time,
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
        erasures: Erasures | None = None,
        bad_rows: BadRows = collector_failure,
    ) -> None:
        """``gate`` is held while a batch is being stored."""
        self._subscription = subscription
        self._batches = BatchEnricher(enricher, Attempts(subscription), processor, clock, bad_rows)
        self._store = store
        self._followers = followers
        self._clock = clock
        self._gate = gate
        self._erasures = erasures
        self._log = logger("pipeline")
        self.stop = threading.Event()
        self.abandon = threading.Event()
        """Set together with ``stop`` when even what is under way is to be left for the next start."""
        self.tally = Tally()

    def run(self, *, until_empty: bool = False) -> None:
        """Work until ``stop`` is set (or, with ``until_empty``, until nothing waits)."""
        wait = 0.05 if until_empty else 0.5
        with (
            ThreadPoolExecutor(1, thread_name_prefix="reading") as reading,
            ThreadPoolExecutor(1, thread_name_prefix="storing") as storing,
        ):
            try:
                under_way: deque[Future[None]] = deque()
                following = reading.submit(self._read, wait)
                while not self.stop.is_set():
                    batch = following.result()
                    if batch is None and until_empty:
                        break
                    following = reading.submit(self._read, wait)
                    if batch is not None:
                        made = self._made(batch)
                        while len(under_way) >= _BEING_STORED:
                            under_way.popleft().result()
                        if made is not None:
                            under_way.append(storing.submit(self._finish, batch, *made))
                    while under_way and under_way[0].done():
                        under_way.popleft().result()
                for one in under_way:
                    one.result()
            except BaseException:
                self.stop.set()
                self.abandon.set()  # what is being stored would be waited for
                raise

    def _read(self, wait: float) -> LogBatch | None:
        backoff = Backoff()
        while not self.stop.is_set():
            try:
                return self._subscription.read(wait)
            except LogUnavailable as error:
                self._log.error("eventlog_unusable", reason=str(error))
                self.stop.wait(backoff.pause())
        return None

    def _made(self, batch: LogBatch) -> tuple[Processed, bool] | None:
        """What a batch becomes, and whether that was recorded earlier. ``None``: it is another's, or is left."""
        backoff = Backoff()
        with about(batch=batch.id):
            while not self.abandon.is_set():
                try:
                    processed = self._subscription.recall(batch)
                    if processed is not None:
                        self._log.info("batch_resumed")
                        return processed, True
                    return self._batches.process(batch), False
                except BatchLost as lost:
                    self._log.warning("batch_lost", reason=str(lost))
                    count("pipeline_batches_lost")
                    return None
                except LogUnavailable as error:
                    self._log.error("eventlog_unusable", reason=str(error))
                    self.abandon.wait(backoff.pause())
        return None

    def _finish(self, batch: LogBatch, processed: Processed, recorded: bool) -> None:
        """Everything after enriching, each step until it succeeds; left where it is when told to abandon it."""
        with about(batch=batch.id):
            try:
                if not recorded and not self._until("journal", lambda: self._subscription.record(batch, processed)):
                    return
                unknown = processed.batch if recorded else None

                def write() -> None:
                    nonlocal unknown
                    before, unknown = unknown, unknown or processed.batch
                    self._write(batch, processed, before)

                for step, act in (
                    ("store", write),
                    ("sinks", lambda: self._hand_on(processed)),
                    ("eventlog", lambda: self._subscription.commit(batch)),
                ):
                    if not self._until(step, act):
                        return
                self._count(processed)
            except BatchLost as lost:
                self._log.warning("batch_lost", reason=str(lost))
                count("pipeline_batches_lost")

    def _until(self, step: str, act: Callable[[], None]) -> bool:
        """Do it, trying again as long as that may help. ``False`` only when told to leave it for the next start."""
        backoff = Backoff()
        started = time.perf_counter()
        while not self.abandon.is_set():
            try:
                act()
            except (LogUnavailable, SinkUnavailable, StoreUnavailable, OSError) as error:
                pause = backoff.pause()
                trouble = "state" if isinstance(error, StateUnavailable) else step
                self._log.warning(_TROUBLE[trouble], reason=str(error), retry_in=pause)
                count("pipeline_retries", reason=trouble)
                self.abandon.wait(pause)
            else:
                if step == "store":
                    observe("pipeline_batch_seconds", time.perf_counter() - started, step=step)
                return True
        return False

    def _write(self, batch: LogBatch, processed: Processed, unknown: StoreBatch | None) -> None:
        """``unknown``: what an earlier attempt may have stored, this process's or another's."""
        with self._gate(), reports.transaction("store", "batch") as work:
            self._without_erased(processed)
            if work.follows:
                work.about["batch"] = batch.id
                work.payloads = [followed(entry) for entry in batch.entries if entry.kind == "payload"]
            self._store.write(processed.batch)
            if self._erasures is not None:
                self._erasures.after(unknown or processed.batch)

    def _hand_on(self, processed: Processed) -> None:
        if self._followers is not None:
            self._followers.put(processed)

    def _count(self, processed: Processed) -> None:
        done = processed.tally
        self.tally.add(done)
        count("pipeline_records", done.records)
        for outcome, number in (("enriched", done.enriched), ("failed", done.failed), ("dropped", done.dropped)):
            count("pipeline_outcomes", number, outcome=outcome)
        for failure in processed.batch.failed:
            count("failed_events", type=failure.failure_type)
        gauge("pipeline_last_stored_timestamp", self._clock())
        self._log.debug("batch_stored", records=done.records, events=done.events)

    def _without_erased(self, processed: Processed) -> None:
        """Someone may have been erased since this was read; what goes counts as dropped."""
        before = processed.batch
        processed.batch = before if self._erasures is None else self._erasures.without(before)
        good = len(before.events) - len(processed.batch.events)
        bad = len(before.failed) - len(processed.batch.failed)
        processed.tally.enriched -= good
        processed.tally.failed -= bad
        processed.tally.dropped += good + bad

"""One batch of the log into what it becomes. A record that cannot be enriched costs itself, never its batch."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from snowgauge.delivery.attempts import Attempts
from snowgauge.delivery.contract import LogBatch, Processed
from snowgauge.delivery.following import followed
from snowgauge.errors import PayloadRecordError
from snowgauge.events import payload_record
from snowgauge.events.bad_row import one_line
from snowgauge.events.failed import FailedEvent, Processor, bad_row_data
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Failed, Outcome, Tally
from snowgauge.events.timestamps import instant_text
from snowgauge.store.base import StoreBatch
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, observe
from snowgauge.telemetry.reporting import reports
from snowgauge.telemetry.reporting.base import Transaction

Made = TypeVar("Made")

_BAD_ROW_TYPE = "/jsonschema/"
_log = logger("pipeline")


class RecordEnricher(Protocol):
    """What a worker needs of ``enrich.Enricher``. Nothing of it waits for others, except ``settle`` a short while."""

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome] | None: ...

    def settle(self) -> None: ...

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]: ...

    def flush_metrics(self) -> None: ...


BadRows = Callable[[LogEntry, str], FailedEvent]
"""The failed event of a bad row of the log; the text is what its id is made of."""


class BatchEnricher:
    """Belongs to one thread. ``processor`` is named in the failures of records that could not be enriched."""

    def __init__(
        self,
        enricher: RecordEnricher,
        attempts: Attempts,
        processor: Processor,
        clock: Callable[[], float],
        bad_rows: BadRows,
    ) -> None:
        self._enricher = enricher
        self._attempts = attempts
        self._processor = processor
        self._clock = clock
        self._bad_rows = bad_rows

    def process(self, batch: LogBatch) -> Processed:
        """Raises what ``Subscription.note`` does."""
        started = time.perf_counter()
        self._attempts.begin(batch)
        with reports.transaction("enrich", "batch") as work:
            processed = self._process(batch, work)
        observe("pipeline_batch_seconds", time.perf_counter() - started, step="enrich")
        self._enricher.flush_metrics()
        return processed

    def _process(self, batch: LogBatch, work: Transaction) -> Processed:
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
                result.failed.append(self._bad_row(entry, f"{batch.id}/{index}"))
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
                    _log.exception("record_poisonous", seed=seed)
                    return [self._poison(entry, seed, f"{type(error).__name__}: {error}")]
        raise AssertionError("unreachable")

    def _bad_row(self, entry: LogEntry, seed: str) -> FailedEvent:
        try:
            return self._bad_rows(entry, seed)
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:  # others can write to the log too
            return self._poison(entry, seed, f"not a bad row: {type(error).__name__}: {error}").failure

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

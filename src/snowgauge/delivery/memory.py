"""The whole contract in the memory of one process: for tests and for a pipeline that may forget.

"Durable" here means "as long as this object lives": a subscription that is closed or dropped without a commit gives
its batch to the next one, exactly as a crash does to a log on disk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from pydantic import Field

from snowgauge.delivery.backends import LogPlace, LogSettings
from snowgauge.delivery.contract import (
    Amended,
    Doubt,
    EventLog,
    LogBatch,
    LogStats,
    LogWriter,
    Processed,
    Subscription,
    amended,
)
from snowgauge.errors import BatchLost, LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.part_settings import ByteSize


class MemorySettings(LogSettings):
    """The memory of one process."""

    max_bytes: ByteSize = Field(default=8 * 1024**3, ge=1024**2)
    """Bytes of payloads at which the collector answers 503."""

    def open(self, url: str, place: LogPlace) -> EventLog:  # noqa: ARG002 - there is one memory
        limits = place.limits
        return MemoryLog(capacity_bytes=self.max_bytes, max_batch_entries=limits.entries, max_batch_bytes=limits.bytes)


class _Out:
    """A batch that waits for its commit, and what is known of it."""

    def __init__(self, batch: LogBatch, numbers: list[int]) -> None:
        self.batch = batch
        self.numbers = numbers
        self.processed: Processed | None = None
        self.note: Mapping[str, Any] = {}


class MemoryLog:
    """Entries in arrival order, handed out to whichever share asks first.

    ``capacity_bytes`` is the sum of entry bodies above which appends are refused; without it only memory is the limit.
    """

    def __init__(
        self,
        *,
        capacity_bytes: int | None = None,
        max_batch_entries: int = 5000,
        max_batch_bytes: int = 16 * 1024**2,
    ) -> None:
        self._capacity = capacity_bytes
        self._max_entries = max_batch_entries
        self._max_bytes = max_batch_bytes
        self._id = uuid4().hex
        self._changed = threading.Condition()
        self._kept: dict[int, LogEntry] = {}  # everything not committed, by arrival number
        self._bytes = 0
        self._last = 0
        self._unread: deque[int] = deque()
        self._out: dict[int, list[_Out]] = {}  # share -> its batches that wait for a commit
        self._held: set[tuple[int, int]] = set()
        self._tenures: dict[int, int] = {}  # share -> how often it was taken away

    def writer(self) -> LogWriter:
        return _Writer(self)

    def subscribe(self, share: int = 0, of: int = 1) -> Subscription:
        if not 0 <= share < of:
            raise ValueError(f"share must be from 0 to {of - 1}, found {share}")
        with self._changed:
            if (share, of) in self._held:
                raise LogUnavailable(f"share {share} of {of} of the event log is already being read")
            other = next((held for held in self._held if held[1] != of), None)
            if other is not None:
                raise LogUnavailable(
                    f"share {share} of {of} of the event log cannot be read: share {other[0]} of {other[1]} is being "
                    "read; start all workers with the same pipeline.workers"
                )
            self._held.add((share, of))
        return _Subscription(self, share, of)

    def take_away(self, share: int) -> None:
        """As a log of many machines does at any moment: the share is nobody's, its batches are the next owner's."""
        with self._changed:
            self._tenures[share] = self._tenures.get(share, 0) + 1
            self._held = {held for held in self._held if held[0] != share}

    def peek(self, limit: int | None = None, follow: bool = False) -> Iterator[LogEntry]:
        given, seen = 0, 0
        while limit is None or given < limit:
            with self._changed:
                news = [number for number in self._kept if number > seen]
                if not news:
                    if not follow:
                        return
                    self._changed.wait()
                    continue
                entries = [self._kept[number] for number in news]
            for entry in entries:
                if limit is not None and given >= limit:
                    return
                given += 1
                yield entry
            seen = news[-1]

    def stats(self) -> LogStats:
        with self._changed:
            oldest = min((entry.received_at for entry in self._kept.values()), default=None)
            age = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
            room = None if self._capacity is None else max(0, self._capacity - self._bytes)
            return LogStats(len(self._kept), self._bytes, age, self._capacity, room)

    def amend(self, change: Callable[[LogEntry], LogEntry | None]) -> Amended:
        with self._changed:
            changed = 0
            for number, entry in self._kept.items():
                new = change(entry)
                if new is not entry and entry.kind != "erased":
                    changed += 1
                    self._kept[number] = amended(entry, new)
            for out in (one for some in self._out.values() for one in some):
                entries = tuple(self._kept[number] for number in out.numbers)
                out.batch = LogBatch(out.batch.id, entries, out.batch.partition, out.batch.tenure)
            return Amended(len(self._kept), changed)

    def doubts(self) -> Sequence[Doubt]:
        return ()

    def _append(self, entries: Sequence[LogEntry]) -> None:
        size = sum(len(entry.body) for entry in entries)
        with self._changed:
            self._check_room(size)
            for entry in entries:
                self._last += 1
                self._kept[self._last] = entry
                self._unread.append(self._last)
            self._bytes += size
            self._changed.notify_all()

    def _check_room(self, size: int) -> None:
        if self._capacity is not None and self._bytes + size > self._capacity:
            raise LogUnavailable(
                f"the event log is full: {self._bytes} of {self._capacity} bytes wait to be stored and {size} more came"
            )

    def _adopt(self, share: int, of: int) -> deque[_Out]:
        """The batches that this share has to finish, first those of earlier subscriptions."""
        with self._changed:
            # a share left over from a larger ``of`` is finished by the share that follows it
            inherited = [out for owner in sorted(self._out) if owner % of == share for out in self._out.pop(owner)]
            for out in inherited:
                out.batch = LogBatch(out.batch.id, out.batch.entries, str(share), self._tenures.get(share, 0))
            self._out[share] = inherited
            return deque(inherited)

    def _read(self, share: int, timeout: float) -> LogBatch | None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._unread, timeout):
                return None
            numbers: list[int] = []
            size = 0
            while self._unread and len(numbers) < self._max_entries:
                size += len(self._kept[self._unread[0]].body)
                if numbers and size > self._max_bytes:
                    break
                numbers.append(self._unread.popleft())
            entries = tuple(self._kept[number] for number in numbers)
            name = f"{self._id}-{numbers[0]}-{numbers[-1]}"
            batch = LogBatch(name, entries, str(share), self._tenures.get(share, 0))
            self._out.setdefault(share, []).append(_Out(batch, numbers))
            return batch

    def _find(self, batch: LogBatch) -> _Out | None:
        if batch.tenure != self._tenures.get(int(batch.partition), 0):
            raise BatchLost(f"share {batch.partition} of the event log was taken away")
        return next((out for some in self._out.values() for out in some if out.batch.id == batch.id), None)

    def _commit(self, batch: LogBatch) -> None:
        with self._changed:
            self._find(batch)
            for some in self._out.values():
                for place, out in enumerate(some):
                    if out.batch.id == batch.id:
                        if place:
                            raise ValueError(f"{batch.id} comes after {some[0].batch.id}, which is not committed")
                        for number in some.pop(0).numbers:
                            self._bytes -= len(self._kept.pop(number).body)
                        return

    def _release(self, share: int, of: int) -> None:
        with self._changed:
            self._held.discard((share, of))


class _Writer:
    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._closed = False

    def append(self, entries: Sequence[LogEntry]) -> None:
        if self._closed:
            raise LogUnavailable("the event log is closed")
        self._log._append(entries)

    def healthy(self) -> bool:
        try:
            with self._log._changed:
                self._log._check_room(1)
        except LogUnavailable:
            return False
        return not self._closed

    def close(self) -> None:
        self._closed = True


class _Subscription:
    def __init__(self, log: MemoryLog, share: int, of: int) -> None:
        self._log = log
        self._share = share
        self._of = of
        self._tenure = log._tenures.get(share, 0)
        self._again = log._adopt(share, of)

    def read(self, timeout: float) -> LogBatch | None:
        if self._tenure != self._log._tenures.get(self._share, 0):
            return None
        while self._again:
            batch = self._again.popleft().batch
            if self._log._find(batch):  # not committed since, by this id
                return batch
        return self._log._read(self._share, timeout)

    def recall(self, batch: LogBatch) -> Processed | None:
        with self._log._changed:
            out = self._log._find(batch)
            return None if out is None else out.processed

    def record(self, batch: LogBatch, processed: Processed) -> None:
        with self._log._changed:
            if out := self._log._find(batch):
                out.processed = processed

    def noted(self, batch: LogBatch) -> Mapping[str, Any]:
        with self._log._changed:
            out = self._log._find(batch)
            return {} if out is None else out.note

    def note(self, batch: LogBatch, about: Mapping[str, Any]) -> None:
        with self._log._changed:
            if out := self._log._find(batch):
                out.note = about

    def commit(self, batch: LogBatch) -> None:
        self._log._commit(batch)

    def close(self) -> None:
        if self._tenure == self._log._tenures.get(self._share, 0):
            self._log._release(self._share, self._of)

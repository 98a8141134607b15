"""The whole contract in the memory of one process: for tests and for a pipeline that may forget.

"Durable" here means "as long as this object lives": a subscription that is closed or dropped without a commit gives
its batch to the next one, exactly as a crash does to a log on disk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

from snowgauge.delivery.contract import Amended, LogBatch, LogStats, LogWriter, Subscription, amended
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry


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
        self._open: dict[int, tuple[LogBatch, list[int]]] = {}  # share -> its batch that waits for a commit
        self._held: set[tuple[int, int]] = set()

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
            for share, (batch, numbers) in self._open.items():
                entries = tuple(self._kept[number] for number in numbers)
                self._open[share] = (LogBatch(batch.id, entries), numbers)
            return Amended(len(self._kept), changed)

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

    def _read(self, share: int, of: int, timeout: float) -> LogBatch | None:
        with self._changed:
            # a share left over from a larger ``of`` is finished by the share that follows it
            for owner in sorted(self._open):
                if owner % of == share:
                    return self._open[owner][0]
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
            batch = LogBatch(f"{self._id}-{numbers[0]}-{numbers[-1]}", entries)
            self._open[share] = (batch, numbers)
            return batch

    def _commit(self, batch: LogBatch) -> None:
        with self._changed:
            for share, (waiting, numbers) in self._open.items():
                if waiting.id == batch.id:
                    for number in numbers:
                        self._bytes -= len(self._kept.pop(number).body)
                    del self._open[share]
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

    def read(self, timeout: float) -> LogBatch | None:
        return self._log._read(self._share, self._of, timeout)

    def commit(self, batch: LogBatch) -> None:
        self._log._commit(batch)

    def close(self) -> None:
        self._log._release(self._share, self._of)

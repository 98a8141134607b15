"""One partition for as long as a worker holds it: what was read of it, and which batches are in flight."""

from __future__ import annotations

import time
from collections import deque

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from snowgauge.delivery.backends import BatchLimits
from snowgauge.delivery.contract import LogBatch
from snowgauge.delivery.kafka.place import Flight, Place
from snowgauge.events.log_entry import EntryKind, LogEntry

_PATIENCE = 10
"""So many times longer are records waited for that the brokers have already."""
MOST_IN_FLIGHT = 6
"""Their places have to fit into the metadata of a committed offset."""


class Tenure:
    """``number`` is another at each time that a subscription gets the partition. ``name`` begins the batches' ids."""

    def __init__(self, number: int, name: str, partition: int, kind: EntryKind, place: Place) -> None:
        self.number = number
        self.name = name
        self.partition = partition
        self.place = place
        self.given = 0
        """How many of the batches in flight were given to the worker, counted from the first."""
        self.reached = place.offset
        """All before this offset was read."""
        self.end = place.offset
        """The brokers have records before this offset, as far as is known."""
        self.bytes = 0
        self.paused = False
        self._kind: EntryKind = kind
        self._unread: deque[Message] = deque()
        self.since = 0.0
        """When the first of what waits came, or had its turn last: the longest wait goes first."""

    @property
    def waiting(self) -> int:
        """Records read and in no batch."""
        return len(self._unread)

    def took(self, message: Message) -> bool:
        """Whether the record is the next one; not so in a topic that was deleted and made again."""
        offset = message.offset() or 0
        if offset < self.reached:
            return False
        if not self._unread:
            self.since = time.monotonic()
        self._unread.append(message)
        self.bytes += len(message)
        self.reached = offset + 1
        return True

    def at_end(self, offset: int) -> None:
        """There is nothing before this offset that was not read."""
        self.reached = max(self.reached, offset)

    def again(self) -> LogBatch | None:
        """The next of the batches that were in flight when this tenure began, once all of it was read."""
        if self.given == len(self.place.flights) or self.reached < self.place.flights[self.given].end:
            return None
        self.given += 1
        return self._batch(self.given - 1)

    def full(self, limits: BatchLimits) -> bool:
        """Whether as much waits as goes into a batch."""
        return len(self._unread) >= limits.entries or self.bytes >= limits.bytes

    def fresh(self, limits: BatchLimits, *, turn: bool = True) -> LogBatch | None:
        """A batch of what waits, if there is enough of it, or it has waited long enough and no more is about to come.
        It is in flight then, though not written down. ``turn``: may it be one that is not full?"""
        if not self._unread or self.given < len(self.place.flights) or len(self.place.flights) >= MOST_IN_FLIGHT:
            return None
        if not self.full(limits):
            waited = time.monotonic() - self.since
            if not turn or waited < limits.linger * (_PATIENCE if self.reached < self.end else 1):
                return None
        size = 0
        end = self._unread[0].offset() or 0
        for place, message in enumerate(self._unread):
            size += len(message)
            if place and (place >= limits.entries or size > limits.bytes):
                break
            end = (message.offset() or 0) + 1
        self.place.flights.append(Flight(end))
        self.given += 1
        return self._batch(self.given - 1)

    def _batch(self, at: int) -> LogBatch:
        flight = self.place.flights[at]
        entries: list[LogEntry] = []
        while self._unread and (self._unread[0].offset() or 0) < flight.end:
            message = self._unread.popleft()
            self.bytes -= len(message)
            entries.append(self._entry(message))
        self.since = time.monotonic()
        return LogBatch(self._id(at), entries, f"{self.name}", self.number)

    def _id(self, at: int) -> str:
        first = self.place.flights[at - 1].end if at else self.place.offset
        return f"{self.name}/{first}-{self.place.flights[at].end}"

    def _entry(self, message: Message) -> LogEntry:
        kind, at = message.timestamp()
        received = int(time.time() * 1000) if kind == TIMESTAMP_NOT_AVAILABLE else at
        return LogEntry(message.value() or b"", received, self._kind)

    def flight(self, batch: LogBatch) -> int | None:
        """Which of those in flight a batch is; ``None``: it is committed."""
        return next((at for at in range(len(self.place.flights)) if self._id(at) == batch.id), None)

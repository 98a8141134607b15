"""The contract of delivery, from top to bottom: what is kept, who reads it, what it became, where it goes.

**The log** keeps *entries* from the moment ``append`` returns until they are committed. It is the only thing between
"the tracker got its 200" and "the row is stored", so its promises are about power cuts:

- ``append`` returns when every entry would survive one. When it raises ``LogUnavailable`` none may be taken as kept
  (the caller answers 503 and the tracker sends again).
- Entries lie in *partitions*, in order of arrival. A partition is in the hands of one subscription at a time.

**A subscription** is one worker's hands on a log. ``read`` gives the *batches* of the partitions that it holds:

- A batch is a **frozen** range of one partition. Until it is committed it comes again with the same id and the same
  entries, after any crash, and whichever worker holds the partition then. Stores build exactly-once loading on that.
- Batches of a partition come in order, and reading on does not wait for a commit: several may be *in flight*. A new
  subscription is given all that were not committed, first and in order.
- ``record`` keeps what a batch *became*, before any of it is stored; ``recall`` is for the next one to read it, so that
  a batch that was half stored comes out the same (docs/decisions/0001). ``note`` is for what has to outlive a process
  that dies of a batch.
- ``commit`` means "stored", in the order of reading; entries, outcome and notes may then be deleted.
- A partition can be taken away at any moment. ``record`` and ``commit`` say so with ``BatchLost``; such a batch is
  dropped, and its next owner does the rest. What was stored of it meanwhile is what the next owner stores.

**Sinks** are what outcomes go to. The store takes each batch id once, and a batch is committed when the store has it.
Other sinks follow at their own pace: each batch at least once and in order, whatever happens to the others.

Appending is safe from several threads. Of a subscription, one thread may read and another record and commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Tally
from snowgauge.store.base import StoreBatch


class Erasures(Protocol):
    """What keeps the erased out of the store, on however many machines. Raises ``StateUnavailable`` where that cannot
    be said, so that nothing is stored."""

    def without(self, batch: StoreBatch) -> StoreBatch:
        """What of a batch may be stored; the same batch when that is all of it."""

    def after(self, stored: StoreBatch) -> None:
        """Take out of the store what belongs to those who were erased since ``without`` was asked. ``stored`` is all
        that may have been stored by now, by this attempt or an earlier one."""


class LogBatch(msgspec.Struct, frozen=True):
    """Entries to be stored together. ``id`` is unique and never reused for other entries.

    ``tenure`` tells two times apart at which a subscription held the partition.
    """

    id: str
    entries: Sequence[LogEntry]
    partition: str = ""
    tenure: int = 0


class Processed(msgspec.Struct):
    """What a log batch became: its rows, and the sums of its outcomes."""

    batch: StoreBatch
    tally: Tally


class PartitionStats(msgspec.Struct, frozen=True):
    """What waits in one partition, and the age of the oldest in seconds. ``reader`` is the machine whose worker holds
    it; empty: none does; ``None``: that is not known."""

    name: str
    entries: int
    oldest_seconds: float
    reader: str | None = None


class Doubt(msgspec.Struct, frozen=True):
    """Something about a log that could lose events or hold them up, and the cure."""

    what: str
    cure: str


class LogStats(msgspec.Struct, frozen=True):
    """What waits in a log: entries, their bytes (0 where the log does not know), and the age of the oldest in seconds
    (0 when empty). ``partitions`` tells them apart where there are several owners.

    ``capacity_bytes`` is the size at which the log refuses more, ``room_bytes`` what it would take at present, which
    other files on its disk may make less. ``unreadable`` counts acknowledged entries that were lost to damage, for as
    long as the reports of it are kept.
    """

    entries: int
    bytes: int
    oldest_seconds: float
    capacity_bytes: int | None = None
    room_bytes: int | None = None
    unreadable: int = 0
    partitions: Sequence[PartitionStats] = ()


class Amended(msgspec.Struct, frozen=True):
    """Entries looked at and changed. ``notes``: what could not be done, for a person to read."""

    seen: int = 0
    changed: int = 0
    notes: Sequence[str] = ()


def amended(entry: LogEntry, new: LogEntry | None) -> LogEntry:
    """What is kept in the place of an entry."""
    if new is None:
        return LogEntry(bytes(len(entry.body)), entry.received_at, "erased")
    if len(new.body) != len(entry.body):
        raise ValueError(f"an entry of {len(entry.body)} bytes cannot be replaced by one of {len(new.body)}")
    return new


class LogWriter(Protocol):
    def append(self, entries: Sequence[LogEntry]) -> None:
        """Keep entries; returns when they are durable. Raises ``LogUnavailable``: keep none of them for granted."""

    def healthy(self) -> bool:
        """Would an append succeed now? The first yes comes after a write that proves it, where that takes no entry."""

    def close(self) -> None:
        """Finish what is under way; later appends raise ``LogUnavailable``."""


class Subscription(Protocol):
    def read(self, timeout: float) -> LogBatch | None:
        """The next batch, waiting up to ``timeout`` seconds for a first entry; ``None`` when there is none.

        Raises ``LogUnavailable`` when nothing can be read at present.
        """

    def recall(self, batch: LogBatch) -> Processed | None:
        """What was recorded of it, by the worker that had it."""

    def record(self, batch: LogBatch, processed: Processed) -> None:
        """Keep what it became; durable when it returns. Raises ``LogUnavailable`` (try again) and ``BatchLost``."""

    def noted(self, batch: LogBatch) -> Mapping[str, Any]:
        """What was noted last about it, by the worker that had it; empty when nothing was."""

    def note(self, batch: LogBatch, about: Mapping[str, Any]) -> None:
        """Note something about a batch instead of what was noted before: a small JSON object.

        It outlives this process, though perhaps not a power cut. Raises ``LogUnavailable`` and ``BatchLost``.
        """

    def commit(self, batch: LogBatch) -> None:
        """The batch is stored. Committing twice is harmless, committing before an earlier batch a ``ValueError``.

        Raises ``LogUnavailable`` (try again) and ``BatchLost``.
        """

    def close(self) -> None:
        """Give the partitions back. What is in flight is the next owner's."""


class EventLog(Protocol):
    """One place where entries wait. Which process may open which part is the backend's business."""

    def writer(self) -> LogWriter:
        """A writer for this process."""

    def subscribe(self, share: int = 0, of: int = 1) -> Subscription:
        """Read as worker number ``share`` of ``of`` (0-based) on this machine. A log that knows its readers itself may
        give out partitions in another way; two subscriptions never hold the same one at once.

        Raises ``LogUnavailable`` where the share, or one of another division into shares, is being read.
        """

    def peek(self, limit: int | None = None, follow: bool = False) -> Iterator[LogEntry]:
        """Waiting entries in order of arrival, consuming nothing."""

    def stats(self) -> LogStats:
        """What waits. Raises ``LogUnavailable`` rather than to call a log empty that could not be read."""

    def amend(self, change: Callable[[LogEntry], LogEntry | None]) -> Amended:
        """Replace every entry that is still kept, waiting or not, by what ``change`` makes of it (the same object: it
        stays; ``None``: nothing is left of it). Repeatable. Numbers and boundaries of batches stay, and so must the
        length of an entry's body, which decides where a batch is cut.

        A batch that was read before may still be in its reader's hands as it was.
        """

    def doubts(self) -> Sequence[Doubt]:
        """What an operator should change about it. Raises ``LogUnavailable``."""


class Refusal(msgspec.Struct, frozen=True):
    """Rows that a sink's destination will never take, and why. ``batch.id`` is made of the rows, so that it is the same
    whenever they come again."""

    batch: StoreBatch
    reason: str


class Sink(Protocol):
    """A place beside the store that outcomes go to. Belongs to one thread, which may be kept waiting."""

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        """All of it is there when this returns, but for what was refused. The same batch may come again, with the same
        id and rows (fewer, once people were erased). Raises ``SinkUnavailable``: the batch comes again later, and those
        behind it wait."""

    def close(self) -> None: ...

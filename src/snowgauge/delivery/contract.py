"""The contract of an event log.

A log keeps *entries* in order of arrival from the moment ``append`` returns until a reader commits them. It is the
only thing between "the tracker got its 200" and "the row is stored", so its promises are about power cuts:

- ``append`` returns when every entry would survive one. When it raises ``LogUnavailable`` none may be taken as kept
  (the caller answers 503 and the tracker sends again).
- ``read`` gives a batch whose **boundaries are frozen**: until it is committed it comes again with the same id and the
  same entries, after any crash of reader or writer. Stores build exactly-once loading on that.
- ``commit`` means "stored"; the entries may then be deleted. A batch is committed whole.

Appending is safe from several threads. A subscription belongs to one thread; subscriptions of one log share its
entries out among themselves (each entry goes to exactly one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from snowgauge.events.log_entry import LogEntry


class LogBatch(msgspec.Struct, frozen=True):
    """Entries to be stored together. ``id`` is unique for ever and never reused for other entries."""

    id: str
    entries: Sequence[LogEntry]


class LogStats(msgspec.Struct, frozen=True):
    """What waits in a log: entries, their bytes, and the age of the oldest in seconds (0 when empty).

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

        A batch that was read and not committed is given again, first, by the next subscription of the same share.
        """

    def commit(self, batch: LogBatch) -> None:
        """The batch is stored. Committing twice is harmless."""

    def close(self) -> None: ...


class EventLog(Protocol):
    """One place where entries wait. Which process may open which part is the backend's business."""

    def writer(self) -> LogWriter:
        """A writer for this process."""

    def subscribe(self, share: int = 0, of: int = 1) -> Subscription:
        """Read share number ``share`` of ``of`` (0-based). Two subscriptions never hold the same share at once,
        nor shares of different divisions: raises ``LogUnavailable``."""

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

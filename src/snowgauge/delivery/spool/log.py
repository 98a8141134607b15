"""The spool as an event log, and how others look into it."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from snowgauge.delivery.backends import BatchLimits
from snowgauge.delivery.contract import Amended, Doubt, LogStats, LogWriter, Subscription
from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool.amend import amend
from snowgauge.delivery.spool.cursor import Place, read_place
from snowgauge.delivery.spool.loss import losses
from snowgauge.delivery.spool.reader import SpoolSubscription
from snowgauge.delivery.spool.reserve import Reserve
from snowgauge.delivery.spool.segment import DamagedSegment, SegmentReader
from snowgauge.delivery.spool.writer import SpoolWriter
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry

_FOLLOW_PAUSE = 0.1
_LISTINGS = 20


class SpoolLog:
    """One folder of SQLite files. Any number of processes of one machine may use it at the same time.

    ``max_bytes`` bounds what the files take on disk. ``min_free_bytes`` is what the disk keeps free for others, and the
    disk of ``drain_folder``, below which what batches became is written down (not set: the folder above). A segment is
    closed at ``segment_bytes``, or an eighth of ``max_bytes`` if that is less, since room comes back only by whole
    segments.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = 8 * 1024**3,
        min_free_bytes: int = 256 * 1024**2,
        segment_bytes: int = 64 * 1024**2,
        max_batch_entries: int = 5000,
        max_batch_bytes: int = 16 * 1024**2,
        linger: float = 0.2,
        fsync: bool = True,
        drain_folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._min_free = min_free_bytes
        self._segment_bytes = min(segment_bytes, max_bytes // 8)
        self._limits = BatchLimits(max_batch_entries, max_batch_bytes, linger)
        self._fsync = fsync
        self._reserve = Reserve(drain_folder or folder.absolute().parent, min_free_bytes)
        try:
            files.make(folder)
        except OSError as error:
            raise LogUnavailable(f"the event log's folder {folder} cannot be made: {error}") from error

    def writer(self) -> LogWriter:
        return SpoolWriter(
            self._folder,
            max_bytes=self._max_bytes,
            min_free_bytes=self._min_free,
            segment_bytes=self._segment_bytes,
            fsync=self._fsync,
            reserve=self._reserve,
        )

    def subscribe(self, share: int = 0, of: int = 1) -> Subscription:
        return SpoolSubscription(self._folder, share, of, self._limits, self._reserve)

    def peek(self, limit: int | None = None, follow: bool = False) -> Iterator[LogEntry]:
        """As the contract says. A damaged segment is passed over here: its repair is the reader's."""
        seen: dict[int, _Seen] = {}
        given = 0
        while limit is None or given < limit:
            names = self._segments()
            for number in names.keys() - seen.keys():
                seen[number] = _Seen()
            found = False
            streams = [self._after(number, names[number], seen[number]) for number in sorted(names)]
            for entry in heapq.merge(*streams, key=lambda entry: entry.received_at):
                found = True
                given += 1
                yield entry
                if given == limit:
                    return
            if not found:
                if not follow:
                    return
                time.sleep(_FOLLOW_PAUSE)

    def _segments(self) -> dict[int, list[files.SegmentName]]:
        names: dict[int, list[files.SegmentName]] = {}
        for name in files.scan(self._folder):
            names.setdefault(name.number, []).append(name)
        return names

    def _after(self, number: int, names: list[files.SegmentName], seen: _Seen) -> Iterator[LogEntry]:
        """Waiting entries of one number that were not given yet."""
        place = read_place(files.cursor_file(self._folder, number))
        for name in names:
            if name.order < seen.order or name.uuid in place.stored:
                continue
            if name.order > seen.order:
                seen.order, seen.seq = name.order, 0
            try:
                reader = SegmentReader(self._folder / name.file, gaps=name.revision > 0)
            except (DamagedSegment, LogUnavailable):  # damaged, or stored and deleted since the folder was listed
                continue
            try:
                for seq, entry in reader.entries(max(seen.seq, place.within(name.uuid))):
                    seen.seq = seq
                    yield entry
            except (DamagedSegment, LogUnavailable):
                continue
            finally:
                reader.close()

    def amend(self, change: Callable[[LogEntry], LogEntry | None]) -> Amended:
        return amend(self._folder, change)

    def doubts(self) -> Sequence[Doubt]:
        return ()

    def stats(self) -> LogStats:
        """As the contract says. Raises ``LogUnavailable`` where a segment cannot be read now: that something waits is
        not known then, and nothing may be said to be empty that is not. A damaged segment counts as one entry until
        its reader has saved what can be saved."""
        for _ in range(_LISTINGS):
            entries = size = 0
            oldest: int | None = None
            try:
                for number, names in self._segments().items():
                    place = read_place(files.cursor_file(self._folder, number))
                    for name in names:
                        count, waiting, first = self._waiting(name, place)
                        entries += count
                        size += waiting
                        if first is not None:
                            oldest = first if oldest is None else min(oldest, first)
            except FileNotFoundError:  # stored and deleted, or replaced, since the folder was listed
                continue
            age = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
            unreadable = sum(loss.unreadable for loss in losses(self._folder))
            return LogStats(entries, size, age, self._max_bytes, self._room(), unreadable)
        raise LogUnavailable(f"the event log's folder {self._folder} changes faster than it can be looked at")

    def _room(self) -> int:
        try:
            used = files.used_bytes(self._folder)
            free = min(files.free_bytes(self._folder), self._reserve.free_bytes())
        except OSError as error:
            raise LogUnavailable(f"the event log's folder {self._folder} cannot be read: {error}") from error
        return max(0, min(self._max_bytes - used, free - self._min_free))

    def _waiting(self, name: files.SegmentName, place: Place) -> tuple[int, int, int | None]:
        """Entries, bytes and the oldest entry's time of one segment. Raises ``FileNotFoundError`` if it is gone."""
        if name.uuid in place.stored:
            return 0, 0, None
        path = self._folder / name.file
        try:
            reader = SegmentReader(path, gaps=name.revision > 0)
            try:
                seq = place.within(name.uuid)
                return *reader.waiting_after(seq), reader.first_after(seq)
            finally:
                reader.close()
        except DamagedSegment:
            return 1, path.stat().st_size, None
        except LogUnavailable:
            path.stat()
            raise


class _Seen:
    """How far one call of ``peek`` has come in one number."""

    def __init__(self) -> None:
        self.order = 0
        self.seq = 0

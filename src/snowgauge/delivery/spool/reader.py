"""The pipeline's end of the spool: batches with frozen boundaries from every number of a share."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import msgspec

from snowgauge.delivery.contract import LogBatch
from snowgauge.delivery.reserve import Reserve
from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool import loss
from snowgauge.delivery.spool.cursor import Boundaries, Cursor
from snowgauge.delivery.spool.salvage import Damaged, replace_damaged
from snowgauge.delivery.spool.segment import DamagedSegment, SegmentReader
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.telemetry.logs import logger

log = logger("eventlog")

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05
_SCAN_EVERY, _SCAN_EVERY_IDLE = 0.05, 0.25  # seconds between two listings of the folder
_REPAIR_EVERY = 0.5


class BatchLimits(msgspec.Struct, frozen=True):
    """A batch ends at ``entries`` or ``bytes``, whichever comes first; ``linger`` is how long an entry may wait for
    company, in seconds."""

    entries: int
    bytes: int
    linger: float


class NumberReader:
    """Reads the segments of one number, oldest first. Held by one worker at a time."""

    def __init__(self, folder: Path, number: int, limits: BatchLimits, lock: files.Held) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = lock
        self.number = number
        self._cursor = Cursor(files.cursor_file(folder, number))
        self._segments: list[files.SegmentName] = []
        self._current: tuple[files.SegmentName, SegmentReader] | None = None
        self._batch: LogBatch | None = None
        self._repair_at = 0.0

    def found(self, segments: list[files.SegmentName]) -> None:
        """The number's segments as they lie in the folder now, oldest first."""
        stored = self._cursor.place.stored
        for name in segments:
            if name.uuid in stored:  # stored before, and not deleted for some reason
                files.remove(self._folder / name.file)
        uuids = {name.uuid for name in segments}
        gone = stored - uuids
        if gone:
            self._cursor.forget(gone)
        before, self._segments = self._segments, [name for name in segments if name.uuid not in stored]
        for name in before:
            if name.uuid not in uuids:
                self._vanished(name)

    def _vanished(self, name: files.SegmentName) -> None:
        """Someone moved or deleted a segment that is not stored. If it is open, it is still read to its end."""
        if self._current is not None and self._current[0] == name:
            self._segments.insert(0, name)
            return
        reason = "it was moved or deleted before it was stored; put it back to have it stored"
        self._report_gone(name.file, reason, 0)

    def _report_gone(self, segment: str, reason: str, unreadable: int) -> None:
        loss.report(self._folder, loss.Loss(segment, reason, 0, unreadable, False, time.time()), None)

    def displaced(self) -> bool:
        """Were the files that this reader holds moved or deleted? Then nothing it writes is found again."""
        return not (self._lock.in_place() and self._cursor.in_place())

    def frozen(self) -> LogBatch | None:
        """The batch that is out: read before and not committed."""
        boundaries = self._cursor.batch
        if boundaries is None or self._batch is not None:
            return self._batch
        try:
            if not self._open(boundaries.segment):
                entries: list[LogEntry] = []
                if boundaries.segment not in self._cursor.place.stored:
                    reason = "it was moved or deleted while a batch of it was being stored"
                    lost = boundaries.last - boundaries.first + 1
                    self._report_gone(boundaries.segment, reason, lost)
            else:
                entries = [entry for _, entry in self._reader.entries(boundaries.first - 1, boundaries.last)]
        except DamagedSegment as damage:
            self._repair(damage)
            return None
        if not entries:
            # beyond saving, which was reported: go on behind it
            self._cursor.commit(boundaries)
            return None
        self._batch = LogBatch(boundaries.id, entries)
        return self._batch

    def ripe(self, now: float, *, scanned: bool) -> float | None:
        """When the first waiting entry was received (clock seconds), once a batch may begin with it.

        Returns ``None`` while nothing waits, and infinity while entries wait for company. ``scanned``: the folder was
        listed just now, so that a segment without successor is known to be one.
        """
        try:
            return self._ripe(now, scanned)
        except DamagedSegment as damage:
            self._repair(damage)
            return None

    def _ripe(self, now: float, scanned: bool) -> float | None:
        while self._open():
            name, reader = self._current  # type: ignore[misc]
            place = self._cursor.place.within(name.uuid)
            available = reader.last() - place
            if available > 0:
                first = reader.first_after(place)
                assert first is not None
                received = min(first / 1000, now)
                if available >= self._limits.entries or now - received >= self._limits.linger:
                    return received
                return float("inf")
            if not self._left_behind(name, reader, place, scanned):
                return None
            reader.check()  # what SQLite takes for the segment's end may be the place where its log is damaged
            self._drop(name, reader)
        return None

    def freeze(self, room: int) -> LogBatch | None:
        """Make the next batch, of at most ``room`` bytes; its boundaries are on disk before it is returned."""
        name, reader = self._current  # type: ignore[misc]
        place = self._cursor.place.within(name.uuid)
        entries: list[LogEntry] = []
        first = last = size = 0
        try:
            for seq, entry in reader.entries(place, limit=self._limits.entries):
                size += len(entry.body)
                if entries and size > min(self._limits.bytes, room):
                    break
                first = first or seq
                last = seq
                entries.append(entry)
        except DamagedSegment as damage:
            self._repair(damage)
            return None
        boundaries = Boundaries(name.uuid, first, last)
        self._cursor.freeze(boundaries)
        self._batch = LogBatch(boundaries.id, entries)
        return self._batch

    def commit(self, batch: LogBatch) -> bool:
        """Whether the batch was this number's."""
        boundaries = self._cursor.batch
        if boundaries is None or boundaries.id != batch.id:
            return False
        self._cursor.commit(boundaries)
        self._batch = None
        return True

    @property
    def _reader(self) -> SegmentReader:
        assert self._current is not None
        return self._current[1]

    def _open(self, uuid: str | None = None) -> bool:
        """Have the oldest segment, or the one with this uuid, open as the current one."""
        wanted = next((name for name in self._segments if uuid is None or name.uuid == uuid), None)
        if wanted is None:
            return False
        if self._current is not None:
            if self._current[0] == wanted:
                return True
            self._close_current()
        reader = SegmentReader(self._folder / wanted.file, gaps=wanted.revision > 0)
        self._current = wanted, reader
        if wanted is not self._segments[-1] or self._writer_gone():
            reader.check()
        return True

    def _left_behind(self, name: files.SegmentName, reader: SegmentReader, place: int, scanned: bool) -> bool:
        """Whether nothing more will come in this segment. Looks once more, for what came just before that was so.

        In this order: a writer whose lock file was deleted finds, after its next commit and before it acknowledges it,
        the one that was made here to see whether it is gone.
        """
        sealed = any(other.order > name.order for other in self._segments) or (scanned and self._writer_gone())
        return sealed and reader.last() <= place

    def _writer_gone(self) -> bool:
        held = files.hold(files.writer_lock(self._folder, self.number))
        if held is None:
            return False
        held.release()
        return True

    def _drop(self, name: files.SegmentName, reader: SegmentReader) -> None:
        self._cursor.finish(name.uuid)
        self._current = None
        reader.delete()
        self._segments = [other for other in self._segments if other.uuid != name.uuid]

    def _repair(self, damage: DamagedSegment) -> None:
        """Save what can be saved, once the writer does not use the segment any more."""
        if self._current is None or time.monotonic() < self._repair_at:
            return
        self._repair_at = time.monotonic() + _REPAIR_EVERY
        name, reader = self._current
        self._close_current()
        if any(other.order > name.order for other in self._segments) or self._writer_gone():
            damaged = Damaged(name, str(damage), self._cursor.place.within(name.uuid), reader.note)
            replacement = replace_damaged(self._folder, damaged)
            self._segments = [replacement if other == name else other for other in self._segments]
            self._repair_at = 0.0
        else:
            log.error("eventlog_segment_damaged", file=name.file, reason=str(damage), effect="waits for a new segment")
            files.rotate_request(self._folder, self.number).touch()

    def _close_current(self) -> None:
        if self._current is not None:
            self._current[1].close()
            self._current = None

    def close(self) -> None:
        self._close_current()
        self._cursor.close()
        self._lock.release()


class SpoolSubscription:
    """Share ``share`` of ``of``: the numbers whose remainder by ``of`` is ``share``."""

    def __init__(self, folder: Path, share: int, of: int, limits: BatchLimits, reserve: Reserve) -> None:
        if not 0 <= share < of:
            raise ValueError(f"share must be from 0 to {of - 1}, found {share}")
        self._folder = folder
        self._share = share
        self._of = of
        self._limits = limits
        self._reserve = reserve
        self._numbers: dict[int, NumberReader] = {}
        self._scan_at = 0.0
        self._pause = _SHORTEST_PAUSE
        held = files.hold(files.share_lock(folder, share, of))
        if held is None:
            raise LogUnavailable(f"share {share} of {of} of the event log in {folder} is already being read")
        self._lock = held
        other = files.other_division(folder, of)
        if other is not None:
            held.release()
            raise LogUnavailable(
                f"share {share} of {of} of the event log in {folder} cannot be read: share {other[0]} of {other[1]} is "
                "being read; start all workers with the same pipeline.workers"
            )

    def read(self, timeout: float) -> LogBatch | None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._reserve.keep()
                batch, waiting = self._next()
            except (sqlite3.Error, OSError) as error:
                raise LogUnavailable(f"the event log in {self._folder} cannot be read now: {error}") from error
            if batch is not None:
                self._pause = _SHORTEST_PAUSE
                return batch
            left = deadline - time.monotonic()
            if left <= 0 and not waiting:
                return None
            time.sleep(self._pause if waiting else min(self._pause, left))
            self._pause = min(_LONGEST_PAUSE, self._pause * 1.5)

    def _next(self) -> tuple[LogBatch | None, bool]:
        """A batch if one can be had now, and whether entries wait for company."""
        scanned = self._scan()
        for number in self._numbers.values():
            if batch := number.frozen():
                return batch, True
        now = time.time()
        waiting = False
        oldest: tuple[float, NumberReader] | None = None
        for number in self._numbers.values():
            since = number.ripe(now, scanned=scanned)
            if since == float("inf"):
                waiting = True
            elif since is not None and (oldest is None or since < oldest[0]):
                oldest = since, number
        return (oldest[1].freeze(self._reserve.batch_bytes()) if oldest else None), waiting

    def _scan(self) -> bool:
        """Look for new segments, and for numbers that are nobody's yet, if it is time to."""
        if time.monotonic() < self._scan_at:
            return False
        found: dict[int, list[files.SegmentName]] = {number: [] for number in self._numbers}
        for name in files.scan(self._folder):
            if name.number % self._of == self._share:
                found.setdefault(name.number, []).append(name)
        self._replace_displaced()
        for number, segments in found.items():
            reader = self._numbers.get(number) or self._adopt(number)
            if reader is not None:
                reader.found(segments)
        idle = self._pause >= _LONGEST_PAUSE
        self._scan_at = time.monotonic() + (_SCAN_EVERY_IDLE if idle else _SCAN_EVERY)
        return True

    def _replace_displaced(self) -> None:
        """Take again what was moved or deleted under this subscription: it held nobody off any more."""
        if not self._lock.in_place():
            log.error("eventlog_lock_gone", share=self._share, effect="it is taken again")
            held = files.hold(files.share_lock(self._folder, self._share, self._of))
            if held is None:
                raise LogUnavailable(f"share {self._share} of the event log in {self._folder} was taken by another")
            self._lock.release()
            self._lock = held
        for number, reader in [*self._numbers.items()]:
            if reader.displaced():
                log.error(
                    "eventlog_cursor_gone",
                    number=number,
                    effect="entries that are still in the log are read again and may be stored twice",
                )
                reader.close()
                del self._numbers[number]

    def _adopt(self, number: int) -> NumberReader | None:
        held = files.hold(files.reader_lock(self._folder, number))
        if held is None:  # a worker that counts shares differently still reads it
            return None
        try:
            reader = NumberReader(self._folder, number, self._limits, held)
        except BaseException:
            held.release()
            raise
        self._numbers[number] = reader
        return reader

    def commit(self, batch: LogBatch) -> None:
        try:
            if not self._numbers:  # nothing was read by this subscription: the batch is an earlier one's
                self._scan()
            for number in self._numbers.values():
                if self._committed(number, batch):
                    return
        except (sqlite3.Error, OSError) as error:
            raise LogUnavailable(f"the event log in {self._folder} cannot be written: {error}") from error

    def _committed(self, number: NumberReader, batch: LogBatch) -> bool:
        try:
            return number.commit(batch)
        except sqlite3.Error:
            if not self._reserve.release():
                raise
            return number.commit(batch)

    def close(self) -> None:
        for number in self._numbers.values():
            number.close()
        self._numbers.clear()
        self._lock.release()

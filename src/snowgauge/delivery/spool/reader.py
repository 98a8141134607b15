"""The pipeline's end of the spool: batches with frozen boundaries from every number of a share."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snowgauge.delivery.backends import BatchLimits
from snowgauge.delivery.contract import LogBatch, Processed
from snowgauge.delivery.journal import Journal
from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool import loss
from snowgauge.delivery.spool.chunks import chunks
from snowgauge.delivery.spool.cursor import Boundaries, Cursor
from snowgauge.delivery.spool.linger import Linger
from snowgauge.delivery.spool.reserve import Reserve
from snowgauge.delivery.spool.salvage import Damaged, replace_damaged
from snowgauge.delivery.spool.segment import DamagedSegment, SegmentReader
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.telemetry.logs import logger

log = logger("eventlog")

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05
_SCAN_EVERY, _SCAN_EVERY_IDLE = 0.05, 0.25  # seconds between two listings of the folder
_REPAIR_EVERY = 0.5


class NumberReader:
    """Reads the segments of one number, oldest first. Held by one worker at a time."""

    def __init__(self, folder: Path, number: int, limits: BatchLimits, lock: files.Held) -> None:
        self._folder = folder
        self._limits = limits
        self._linger = Linger()
        self._lock = lock
        self.number = number
        self._cursor = Cursor(files.cursor_file(folder, number))
        self._segments: list[files.SegmentName] = []
        self._current: tuple[files.SegmentName, SegmentReader] | None = None
        self._again = deque(self._cursor.in_flight)  # in flight before, and not given out by this reader yet
        self._finished: set[str] = set()  # segments read to their end, which wait for commits
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
        """Someone moved or deleted a segment that is not stored. If it is open, it is still read to its end; if it was
        read, what came of it is in flight."""
        if name.uuid in self._finished or (self._current is not None and self._current[0] == name):
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
        """The next of the batches that were in flight when this reader began."""
        try:
            if self._cursor.begun is not None:
                self._divide(self._cursor.begun)
            while self._again:
                entries = [entry for _, entry in self._entries(self._again[0])]
                boundaries = self._again.popleft()
                if entries:
                    return LogBatch(boundaries.id, entries, f"{self.number:04d}")
                # beyond saving, which was reported: go on behind it
                self._cursor.skip(boundaries)
        except DamagedSegment as damage:
            self._repair(damage)
        return None

    def _divide(self, begun: Boundaries) -> None:
        sizes = [(seq, len(entry.body)) for seq, entry in self._entries(begun)]
        self._cursor.divide(chunks(begun, sizes))
        self._again.extend(self._cursor.in_flight)

    def _entries(self, boundaries: Boundaries) -> list[tuple[int, LogEntry]]:
        if not self._open(boundaries.segment):
            if boundaries.segment not in self._cursor.place.stored:
                reason = "it was moved or deleted while a batch of it was being stored"
                self._report_gone(boundaries.segment, reason, boundaries.last - boundaries.first + 1)
            return []
        return list(self._reader.entries(boundaries.first - 1, boundaries.last))

    def ripe(self, now: float, *, scanned: bool) -> float | None:
        """When the first waiting entry was received (clock seconds), once a batch may begin with it.

        Returns ``None`` while nothing waits, and infinity while entries wait for company. ``scanned``: the folder was
        listed just now, so that a segment without successor is known to be one.
        """
        if self._again or self._cursor.begun is not None:  # damaged, and not repaired yet
            return None
        try:
            return self._ripe(now, scanned)
        except DamagedSegment as damage:
            self._repair(damage)
            return None

    def _ripe(self, now: float, scanned: bool) -> float | None:
        while self._open():
            name, reader = self._current  # type: ignore[misc]
            head = self._head(name.uuid)
            available = reader.last() - head
            if available > 0:
                first = reader.first_after(head)
                assert first is not None
                received = min(first / 1000, now)
                if available >= self._limits.entries or self._linger.over(now - received, self._limits.linger):
                    return received
                return float("inf")
            if not self._left_behind(name, reader, head, scanned):
                return None
            reader.check()  # what SQLite takes for the segment's end may be the place where its log is damaged
            self._finished.add(name.uuid)
            self._close_current()
            self._drop_finished()
        return None

    def _head(self, segment: str) -> int:
        """The last entry of a segment that is stored or in flight."""
        ahead = (batch.last for batch in reversed(self._cursor.in_flight) if batch.segment == segment)
        return next(ahead, self._cursor.place.within(segment))

    def freeze(self, room: int) -> LogBatch | None:
        """Make the next batch, of at most ``room`` bytes; its boundaries are on disk before it is returned."""
        name, reader = self._current  # type: ignore[misc]
        entries: list[LogEntry] = []
        first = last = size = 0
        try:
            for seq, entry in reader.entries(self._head(name.uuid), limit=self._limits.entries):
                size += len(entry.body)
                if entries and size > min(self._limits.bytes, room):
                    break
                first = first or seq
                last = seq
                entries.append(entry)
        except DamagedSegment as damage:
            self._repair(damage)
            return None
        boundaries = Boundaries(f"{name.uuid}-{first}-{last}", name.uuid, first, last)
        self._cursor.freeze(boundaries)
        self._linger.cut()
        return LogBatch(boundaries.id, entries, f"{self.number:04d}")

    def commit(self, batch: LogBatch) -> bool:
        """Whether the batch was this number's."""
        in_flight = self._cursor.in_flight
        boundaries = next((one for one in in_flight if one.id == batch.id), None)
        if boundaries is None:
            return False
        if boundaries is not in_flight[0]:
            raise ValueError(f"{batch.id} comes after {in_flight[0].id}, which is not committed")
        self._cursor.commit(boundaries)
        if boundaries in self._again:
            self._again.remove(boundaries)
        self._drop_finished()
        return True

    @property
    def _reader(self) -> SegmentReader:
        assert self._current is not None
        return self._current[1]

    def _open(self, uuid: str | None = None) -> bool:
        """Have the oldest segment that is not finished, or the one with this uuid, open as the current one."""
        unfinished = (name for name in self._segments if name.uuid not in self._finished)
        wanted = next(unfinished if uuid is None else (name for name in self._segments if name.uuid == uuid), None)
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

    def _drop_finished(self) -> None:
        """Delete the segments of which everything is stored."""
        held = {batch.segment for batch in self._cursor.in_flight}
        for name in [name for name in self._segments if name.uuid in self._finished - held]:
            self._cursor.finish(name.uuid)
            files.remove(self._folder / name.file)
            self._segments.remove(name)
            self._finished.remove(name.uuid)

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
    """Share ``share`` of ``of``: the numbers whose remainder by ``of`` is ``share``.

    What batches became lies in files of ``journal`` where the reserve is; beside them the note about the batch that is
    being enriched, which is not flushed to the disk.
    """

    def __init__(self, folder: Path, share: int, of: int, limits: BatchLimits, reserve: Reserve) -> None:
        if not 0 <= share < of:
            raise ValueError(f"share must be from 0 to {of - 1}, found {share}")
        self._folder = folder
        self._share = share
        self._of = of
        self._limits = limits
        self._reserve = reserve
        self._numbers: dict[int, NumberReader] = {}
        self._using = threading.Lock()
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
        journal = reserve.folder / "journal"
        self._journal = Journal(journal)
        self._note = journal / f"worker-{share}.attempts.json"

    def read(self, timeout: float) -> LogBatch | None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._reserve.keep()
                with self._using:
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
        """A batch if one is available now, and whether entries wait for company."""
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
            for name in files.replaced(self._folder, number):
                files.set_aside(self._folder / name.file)
            reader = NumberReader(self._folder, number, self._limits, held)
        except BaseException:
            held.release()
            raise
        self._numbers[number] = reader
        return reader

    def recall(self, batch: LogBatch) -> Processed | None:
        return self._journal.load(batch.id)

    def record(self, batch: LogBatch, processed: Processed) -> None:
        assert processed.batch.id == batch.id
        try:
            self._save(processed)
        except OSError as error:
            raise LogUnavailable(
                f"what a batch became cannot be written down: {error}; free disk space in the data folder"
            ) from error

    def _save(self, processed: Processed) -> None:
        try:
            self._journal.save(processed)
        except OSError:
            if not self._reserve.release():
                raise
            self._journal.save(processed)

    def noted(self, batch: LogBatch) -> Mapping[str, Any]:
        try:
            left = json.loads(self._note.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return left if left.pop("batch", None) == batch.id else {}

    def note(self, batch: LogBatch, about: Mapping[str, Any]) -> None:
        try:
            self._note.write_text(json.dumps({"batch": batch.id, **about}), "utf-8")
        except OSError as error:  # a full disk must not stop what would empty it
            effect = "a death of this process now is not laid to a record"
            log.warning("note_not_written", file=str(self._note), reason=str(error), effect=effect)

    def commit(self, batch: LogBatch) -> None:
        try:
            with self._using:
                if not self._numbers:  # nothing was read by this subscription: the batch is an earlier one's
                    self._scan()
                for number in self._numbers.values():
                    if self._committed(number, batch):
                        break
            self._journal.forget(batch.id)
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
        with self._using:
            for number in self._numbers.values():
                number.close()
            self._numbers.clear()
            self._lock.release()

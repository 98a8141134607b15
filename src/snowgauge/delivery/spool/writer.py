"""The collector's end of the spool: durable writes, bounded size, recovery after a full or failing disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool.reserve import Reserve
from snowgauge.delivery.spool.segment import SegmentGone, SegmentWriter
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.telemetry.logs import logger

log = logger("eventlog")

_MEASURE_EVERY = 0.2  # seconds between two looks at the disk


class SpoolWriter:
    """Owns the first number that no other process holds, until it is closed or its process ends.

    Each call of ``append`` is one commit, and calls from several threads take turns: who has many entries waiting (the
    collector's ``Submitter``, an import) hands them over together.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        min_free_bytes: int,
        segment_bytes: int,
        fsync: bool,
        reserve: Reserve,
    ) -> None:
        self._folder = folder
        self._reserve = reserve
        self._max_bytes = max_bytes
        self._min_free = min_free_bytes
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._turn = threading.Lock()
        self._segment: SegmentWriter | None = None
        self._measured_at = float("-inf")
        self._used = self._free = 0
        self._refusing = False
        self._closed = False
        self.number, self._lock = self._take_number()
        self._clear_drafts()

    def _take_number(self) -> tuple[int, files.Held]:
        for number in range(10_000):
            held = files.hold(files.writer_lock(self._folder, number))
            if held is not None:
                return number, held
        raise LogUnavailable(f"all 10000 numbers of the event log in {self._folder} are held by running processes")

    def _clear_drafts(self) -> None:
        """Remove segments that a process which had this number before did not finish making."""
        for draft in self._folder.glob(f"{self.number:04d}-*-0.sqlite.new*"):
            draft.unlink(missing_ok=True)
        for note in self._folder.glob(f"{self.number:04d}-*-0.sqlite-kept"):
            if not note.with_name(note.name.removesuffix("-kept")).exists():
                note.unlink(missing_ok=True)

    def append(self, entries: Sequence[LogEntry]) -> None:
        if not entries:
            return
        with self._turn:
            try:
                self._keep(entries)
            except LogUnavailable as error:
                if not self._refusing:
                    log.error("eventlog_refuses", reason=str(error), effect="the collector answers 503")
                self._refusing = True
                raise
            if self._refusing:
                log.info("eventlog_accepts_again")
            self._refusing = False

    def _keep(self, entries: Sequence[LogEntry]) -> None:
        self._check_in_place()
        self._check_room(sum([len(entry.body) for entry in entries]))
        try:
            segment = self._ready_segment()
            before = segment.bytes
            segment.append(entries)
            if not self._lock.in_place():
                self._check_in_place()
        except (LogUnavailable, sqlite3.Error, OSError) as error:
            self._rotate()
            raise LogUnavailable(f"the event log in {self._folder} cannot be written: {error}") from error
        taken = segment.bytes - before
        self._used += taken
        self._free -= taken

    def _check_in_place(self) -> None:
        """Raises when what this writer holds was moved or deleted, once, and makes ready to go on without it.

        A segment that is not under its name is read by nobody. Without its lock file another process takes the same
        number, and readers take the segment for one that is left behind.
        """
        if self._closed:
            raise LogUnavailable("the event log is closed")
        try:
            if not self._lock.in_place():
                raise SegmentGone(f"the lock file of number {self.number} in {self._folder} was moved or deleted")
            if self._segment is not None:
                self._segment.check_in_place()
        except OSError as gone:
            acknowledged = 0 if self._segment is None else self._segment.entries
            log.error(
                "eventlog_segment_gone",
                reason=str(gone),
                acknowledged_entries=acknowledged,
                effect="those of them that no worker had read are not stored unless the file is put back",
            )
            self._rotate()
            self._take_number_again()
            raise LogUnavailable(f"the event log lost its file: {gone}; it goes on in a new one") from gone

    def _take_number_again(self) -> None:
        try:
            files.make(self._folder)
            if not self._lock.in_place():
                number, held = self._take_number()
                self._lock.release()
                self.number, self._lock = number, held
        except OSError as error:
            raise LogUnavailable(f"the event log's folder {self._folder} cannot be made: {error}") from error

    def _check_room(self, size: int) -> None:
        """Raises when ``size`` more bytes may not be kept."""
        now = time.monotonic()
        if now - self._measured_at > _MEASURE_EVERY:
            try:
                self._used = files.used_bytes(self._folder)
                self._free = min(files.free_bytes(self._folder), self._reserve.free_bytes())
            except OSError as error:
                raise LogUnavailable(f"the event log's folder {self._folder} cannot be read: {error}") from error
            self._measured_at = now
            self._heed_rotate_request()
        if self._used + size > self._max_bytes:
            raise LogUnavailable(
                f"the event log is full: {self._used} of eventlog.spool.max_bytes = {self._max_bytes} bytes are in use "
                f"and {size} more came; it accepts again when the pipeline has stored some. Is the store up?"
            )
        if self._free - size < self._min_free:
            raise LogUnavailable(
                f"the disk of {self._folder} has {self._free} bytes free, eventlog.spool.min_free_bytes = "
                f"{self._min_free} have to stay free; it accepts again when there is room"
            )

    def _ready_segment(self) -> SegmentWriter:
        if self._segment is not None and self._segment.bytes >= self._segment_bytes:
            self._rotate()
        if self._segment is None:
            name = files.next_segment(self.number, files.scan(self._folder), time.time())
            self._segment = SegmentWriter(self._folder / name.file, fsync=self._fsync)
            self._measured_at = float("-inf")
        return self._segment

    def _rotate(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _heed_rotate_request(self) -> None:
        request = files.rotate_request(self._folder, self.number)
        if request.exists():
            self._rotate()
            request.unlink(missing_ok=True)

    def healthy(self) -> bool:
        with self._turn:
            try:
                self._check_in_place()
                self._check_room(1)
                self._ready_segment()
            except (LogUnavailable, sqlite3.Error, OSError):
                return False
            return True

    def close(self) -> None:
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._rotate()
            self._lock.release()

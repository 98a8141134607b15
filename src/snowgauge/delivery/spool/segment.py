"""One segment: an SQLite file with one row per entry, written by one process and read by another.

The write-ahead log of a segment is never copied back while it is in use: every byte is written once, and most
segments are deleted before SQLite would have copied anything. ``synchronous=FULL`` makes each commit wait for the disk;
readers see a transaction only after that.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool import kept
from snowgauge.delivery.spool.frames import PAGE_BYTES, last_logged
from snowgauge.delivery.spool.kept import Kept
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import EntryKind, LogEntry

_SCHEMA = """CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, kind INTEGER NOT NULL,
    crc INTEGER NOT NULL, total INTEGER NOT NULL, body BLOB NOT NULL
)"""
_INSERT = "INSERT INTO entry (seq, received_at, kind, crc, total, body) VALUES (?, ?, ?, ?, ?, ?)"
KINDS: tuple[EntryKind, ...] = ("payload", "bad_row", "erased")
KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}

Row = tuple[int, int, int, int, int, bytes]
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_SHORT_READ = 522  # SQLITE_IOERR_SHORT_READ: the file ends before its last page


class DamagedSegment(Exception):
    """A segment that cannot be read in full; the reader saves what can be saved."""


class SegmentGone(OSError):
    """A segment's files were moved or deleted while it was being written."""


class Checksums:
    """The checksums of one segment's entries, over all that an entry is and where.

    They depend on the segment's own random name: what a visitor sends can then hold nothing that passes for an entry
    when the bytes of a damaged file are searched.
    """

    _COLUMNS = struct.Struct(">QqB")

    def __init__(self, path: Path) -> None:
        name = files.segment_name(path.name)
        self._start = zlib.crc32(name.uuid.encode()) if name else 0

    def of(self, seq: int, received_at: int, kind: int, body: bytes) -> int:
        return zlib.crc32(body, zlib.crc32(self._COLUMNS.pack(seq, received_at, kind), self._start))

    def right(self, row: Row, *, plain: bool) -> bool:
        """``plain``: a checksum of the body alone will do, as in segments from before there was a note beside them."""
        seq, received_at, kind, crc, _, body = row
        if not 0 <= kind < len(KINDS) or not 0 <= seq < 2**63 or not -(2**63) <= received_at < 2**63:
            return False
        return crc == self.of(seq, received_at, kind, body) or (plain and crc == zlib.crc32(body))


def translated(error: sqlite3.Error, path: Path) -> Exception:
    """Tell damage, which is repaired, from trouble of the surroundings, which passes."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in _DAMAGE or code == _SHORT_READ:
        return DamagedSegment(f"{path.name}: {error}")
    return LogUnavailable(f"the event log's file {path} cannot be used now: {error}")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing file; calls may come from several threads, one after the other."""
    mode = "ro" if read_only else "rw"
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    try:
        database.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        database.close()
        raise
    return database


def create(path: Path, rows: Sequence[Row] = (), note: Kept | None = None) -> None:
    """Make a new segment that appears under its name whole or not at all. ``note``: what is noted beside it."""
    draft = path.with_name(path.name + ".new")
    files.remove(draft)
    database = sqlite3.connect(draft, isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        database.execute("PRAGMA synchronous = OFF")  # one fsync below is for all of it
        database.execute("BEGIN")
        database.execute(_SCHEMA)
        database.executemany(_INSERT, rows)
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        database.close()
        files.remove(draft)
        raise
    database.close()
    handle = os.open(draft, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    kept.write(path, note or Kept())
    draft.rename(path)
    files.sync_folder(path.parent)


class SegmentWriter:
    """The writing end. Not safe for threads: its owner takes turns. After any error from ``append`` it is of no more
    use: what is in its files behind the last acknowledged entry must never be written over by other entries of the
    same numbers."""

    def __init__(self, path: Path, *, fsync: bool) -> None:
        self.path = path
        self.entries = 0
        """How many were acknowledged."""
        self.bytes = 0
        """What the segment takes on disk; looked up after each write."""
        self._total = 0
        self._checksums = Checksums(path)
        create(path)
        self._note = os.open(files.kept_file(path), os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._database = connect(path)
            self._database.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
            self._database.execute("SELECT max(seq) FROM entry").fetchone()  # makes SQLite's files beside it
        except BaseException:
            os.close(self._note)
            raise
        self._files = tuple(map(str, (path, files.log_file(path), files.kept_file(path))))
        self._identities = [files.identity(file) for file in self._files]
        self.check_in_place()

    def check_in_place(self) -> None:
        """Raises ``SegmentGone`` unless the files under the segment's names are still the ones that are written to."""
        self.bytes = 0
        for file, identity in zip(self._files, self._identities, strict=True):
            try:
                stats = os.stat(file)
            except (FileNotFoundError, NotADirectoryError):
                raise SegmentGone(f"{file} was moved or deleted") from None
            if (stats.st_dev, stats.st_ino) != identity:
                raise SegmentGone(f"another file was put in the place of {file}")
            self.bytes += stats.st_size

    def append(self, entries: Sequence[LogEntry]) -> None:
        """All entries durable and where their reader looks for them, or an exception and none to be taken as kept."""
        seq, total = self.entries, self._total
        rows: list[Row] = []
        for entry in entries:
            seq += 1
            total += len(entry.body)
            kind = KIND_CODES[entry.kind]
            crc = self._checksums.of(seq, entry.received_at, kind, entry.body)
            rows.append((seq, entry.received_at, kind, crc, total, entry.body))
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(_INSERT, rows)
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
            raise
        self.check_in_place()
        os.pwrite(self._note, kept.encoded(Kept(seq)), 0)
        self.entries, self._total = seq, total

    def close(self) -> None:
        """Leave the file to its readers as it is.

        SQLite copies the log back when the last connection closes, unless that one is read-only. The copy would take
        time and, on a full disk, the room that the reader needs.
        """
        os.close(self._note)
        with suppress(sqlite3.Error):
            last = connect(self.path, read_only=True)
            try:
                last.execute("SELECT 1 FROM entry LIMIT 1").fetchall()
                self._database.close()
            finally:
                last.close()
        self._database.close()


class SegmentReader:
    """The reading end, of one thread. Every method raises ``DamagedSegment`` or ``LogUnavailable``.

    It opens the file read-only: closing it then never makes SQLite copy the log back, which would spend time on what
    is deleted soon and destroy what a damaged log still holds.
    """

    def __init__(self, path: Path, *, gaps: bool) -> None:
        """``gaps``: entry numbers may be missing, as in a segment that was salvaged."""
        self.path = path
        self._gaps = gaps
        self._checksums = Checksums(path)
        self._kept = kept.read(path)
        try:
            self._database = connect(path, read_only=True)
        except sqlite3.Error as error:
            raise translated(error, path) from error

    def _rows(self, sql: str, values: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
        try:
            yield from self._database.execute(sql, values)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    @property
    def note(self) -> Kept | None:
        """What was noted beside it when that was last looked at."""
        return self._kept

    def last(self) -> int:
        """The newest entry's number; 0 for none."""
        return next(self._rows("SELECT coalesce(max(seq), 0) FROM entry"))[0]

    def first_after(self, seq: int) -> int | None:
        """When the first entry after ``seq`` was received."""
        row = next(self._rows("SELECT received_at FROM entry WHERE seq > ? ORDER BY seq LIMIT 1", (seq,)), None)
        return None if row is None else row[0]

    def waiting_after(self, seq: int) -> tuple[int, int]:
        """Number and bytes of the entries after ``seq``. Without gaps in the numbers nothing has to be counted."""
        until, last = next(self._rows("SELECT total, seq FROM entry ORDER BY seq DESC LIMIT 1"), (0, 0))
        before = next(self._rows("SELECT total FROM entry WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,)), (0,))[0]
        count = next(self._rows("SELECT count(*) FROM entry WHERE seq > ?", (seq,)))[0] if self._gaps else last - seq
        return max(0, count), max(0, until - before)

    def entries(self, after: int, until: int | None = None, limit: int = -1) -> Iterator[tuple[int, LogEntry]]:
        """Entries with their numbers, in order, ``after`` exclusive and ``until`` inclusive."""
        sql = (
            "SELECT seq, received_at, kind, crc, total, body FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        )
        expected = after + 1
        try:
            for row in self._database.execute(sql, (after, until or 2**62, limit)):
                seq, received_at, kind, _, _, body = row
                if not self._checksums.right(row, plain=self._kept is None):
                    raise DamagedSegment(f"{self.path.name}: entry {seq} does not have the checksum it was kept with")
                if not self._may_follow(seq, expected):
                    raise DamagedSegment(f"{self.path.name}: entry {seq} follows where {expected} should")
                expected = seq + 1
                yield seq, LogEntry(body, received_at, KINDS[kind])
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        except (TypeError, struct.error) as error:  # columns that do not hold what their writer put there
            raise DamagedSegment(f"{self.path.name}: {error}") from error

    def _may_follow(self, seq: int, expected: int) -> bool:
        if seq == expected:
            return True
        if self._kept is None:
            return self._gaps
        return seq - expected == self._kept.absent(expected, seq - 1)

    def check(self) -> None:
        """Find what SQLite does not report. For segments that have no writer any more.

        SQLite reads a write-ahead log up to the first frame that is not whole and forgets all later ones; it takes
        what lies beyond the end of a file for zeros.
        """
        self._kept = kept.read(self.path) or self._kept
        if self._kept is None and self._gaps:  # salvaged before such notes were made: how many there were is not known
            return
        note = self._kept or Kept()
        found = self.last()
        highest = max(found, note.acknowledged, last_logged(self.path))
        counted = next(self._rows("SELECT count(*) FROM entry"))[0]
        expected = highest - note.absent(1, highest)
        if counted != expected or found != note.last_present(highest):
            raise DamagedSegment(
                f"{self.path.name}: {expected} entries were kept up to number {highest}, readable are {counted} up to "
                f"{found}"
            )

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._database.close()

    def delete(self) -> None:
        """Close and remove the file."""
        files.remove(self.path)
        self.close()

"""One segment: an SQLite file with one row per entry, written by one process and read by another.

The write-ahead log of a segment is never copied back while it is in use: every byte is written once, and most
segments are deleted before SQLite would have copied anything. ``synchronous=FULL`` makes each commit wait for the disk;
readers see a transaction only after that.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from snowgauge.delivery.spool import folder as files
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import EntryKind, LogEntry

_PAGE_BYTES = 8192  # two typical payloads; the middle of what was measured (docs/decisions)
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


def create(path: Path, rows: Sequence[Row] = ()) -> None:
    """Make a new segment that appears under its name whole or not at all."""
    draft = path.with_name(path.name + ".new")
    files.remove(draft)
    database = sqlite3.connect(draft, isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
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
    draft.rename(path)
    files.sync_folder(path.parent)


class SegmentWriter:
    """The writing end. Not safe for threads: its owner takes turns."""

    def __init__(self, path: Path, *, fsync: bool) -> None:
        self.path = path
        create(path)
        self._database = connect(path)
        self._database.execute(f"PRAGMA synchronous = {'FULL' if fsync else 'NORMAL'}")
        self._files = str(path), f"{path}-wal"
        self._seq = 0
        self._total = 0
        self.bytes = 0
        """What the segment takes on disk; looked up after each write."""
        self._measure()

    def _measure(self) -> None:
        self.bytes = 0
        for file in self._files:
            with suppress(FileNotFoundError):
                self.bytes += os.stat(file).st_size

    def append(self, entries: Sequence[LogEntry]) -> None:
        """All entries durable, or an exception and (but for a failing disk) none of them kept."""
        seq, total = self._seq, self._total
        rows: list[Row] = []
        for entry in entries:
            seq += 1
            total += len(entry.body)
            rows.append((seq, entry.received_at, KIND_CODES[entry.kind], zlib.crc32(entry.body), total, entry.body))
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(_INSERT, rows)
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
            raise
        finally:
            self._measure()
        self._seq, self._total = seq, total

    def close(self) -> None:
        """Leave the file to its readers as it is.

        SQLite copies the log back when the last connection closes, unless that one is read-only. The copy would take
        time and, on a full disk, the room that the reader needs.
        """
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
        try:
            self._database = connect(path, read_only=True)
        except sqlite3.Error as error:
            raise translated(error, path) from error

    def _rows(self, sql: str, values: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
        try:
            yield from self._database.execute(sql, values)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

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
        sql = "SELECT seq, received_at, kind, crc, body FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        expected = after + 1
        try:
            for seq, received_at, kind, crc, body in self._database.execute(sql, (after, until or 2**62, limit)):
                if zlib.crc32(body) != crc:
                    raise DamagedSegment(f"{self.path.name}: entry {seq} does not have the checksum it was kept with")
                if seq != expected and not self._gaps:
                    raise DamagedSegment(f"{self.path.name}: entry {seq} follows where {expected} should")
                expected = seq + 1
                yield seq, LogEntry(body, received_at, KINDS[kind])
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        except (TypeError, IndexError) as error:  # columns that do not hold what their writer put there
            raise DamagedSegment(f"{self.path.name}: {error}") from error

    def check(self) -> None:
        """Find what SQLite does not report. For segments that have no writer any more, when first opened.

        SQLite reads a write-ahead log up to the first frame that is not whole and forgets all later ones; it takes
        what lies beyond the end of a file for zeros.
        """
        found = self.last()
        logged = _last_logged(self.path.with_name(self.path.name + "-wal"))
        if logged > found:
            raise DamagedSegment(f"{self.path.name}: its log holds entries up to {logged}, readable are {found}")
        counted = next(self._rows("SELECT count(*) FROM entry"))[0]
        if counted != found and not self._gaps:
            raise DamagedSegment(f"{self.path.name}: it has {counted} entries, the last of them is number {found}")

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._database.close()

    def delete(self) -> None:
        """Close and remove the file."""
        files.remove(self.path)
        self.close()


_FRAME = struct.Struct(">IIII")  # page number, pages after commit (0: none), salts (sqlite.org/fileformat2.html)


def log_frames(log: bytes | mmap.mmap) -> Iterator[tuple[int, bool, int, int]]:
    """Frames of a write-ahead log, whole or not: page number, whether it ends a commit, where its page starts, and
    the page size."""
    if len(log) < 32 or struct.unpack_from(">I", log, 0)[0] & ~1 != 0x377F0682:
        return
    page_bytes = struct.unpack_from(">I", log, 8)[0]
    salts = struct.unpack_from(">II", log, 16)
    if page_bytes < 512 or page_bytes > 65536:
        return
    for start in range(32, len(log) - page_bytes - 24 + 1, page_bytes + 24):
        page, committed, *frame_salts = _FRAME.unpack_from(log, start)
        if tuple(frame_salts) == salts:
            yield page, committed != 0, start + 24, page_bytes


def _last_logged(path: Path) -> int:
    """The highest entry number in any transaction of a log that was written to its end."""
    if not path.exists() or path.stat().st_size < 32:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
        highest = pending = 0
        for page, commits, at, page_bytes in log_frames(log):
            if page > 1:
                pending = max(pending, _last_rowid(log, at, page_bytes))
            if commits:
                highest = max(highest, pending)
        return highest


def _last_rowid(log: mmap.mmap, at: int, page_bytes: int) -> int:
    """The number of the last row of a table's leaf page; 0 for pages of another kind."""
    if log[at] != 0x0D:
        return 0
    cells = struct.unpack_from(">H", log, at + 3)[0]
    if not 0 < cells < page_bytes // 4:
        return 0
    cell = struct.unpack_from(">H", log, at + 8 + 2 * (cells - 1))[0]
    if not 8 < cell < page_bytes - 18:
        return 0
    _, cell = varint(log, at + cell)
    return varint(log, cell)[0]


def varint(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    """SQLite's variable-length integer at a place, and the place after it."""
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9

"""How far one number of the spool has been stored, and which batches are in flight at present.

A small SQLite file of its own, so that reader and writer never wait for each other. Every change is on disk before the
call returns: a batch's boundaries are durable before anyone sees the batch.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool.segment import connect
from snowgauge.telemetry.logs import logger

log = logger("eventlog")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), segment TEXT NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batch (one INTEGER PRIMARY KEY CHECK (one = 1), segment TEXT NOT NULL,
                                  first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS stored (segment TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS in_flight (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL, segment TEXT NOT NULL,
                                      first INTEGER NOT NULL, last INTEGER NOT NULL);
"""
"""``batch`` is the first version's, which had one batch out and cut it into chunks (see ``chunks``)."""


class Boundaries(msgspec.Struct, frozen=True):
    """A batch as the cursor remembers it: entries ``first`` to ``last`` of one segment."""

    id: str
    segment: str
    first: int
    last: int


class Place(msgspec.Struct, frozen=True):
    """Entries of ``segment`` up to ``seq`` are stored, and all of the segments in ``stored``."""

    segment: str = ""
    seq: int = 0
    stored: frozenset[str] = frozenset()

    def within(self, segment: str) -> int:
        """The last stored entry of a segment."""
        return self.seq if segment == self.segment else 0


class Cursor:
    """The reader's own cursor. A file that cannot be read is set aside and everything still there is read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname != "SQLITE_IOERR_SHORT_READ":
                raise
            aside = files.set_aside(path)
            log.error(
                "eventlog_cursor_damaged",
                file=str(path),
                set_aside=str(aside),
                error=str(error),
                effect="entries that are still in the log are read again and may be stored twice",
            )
            self._open()

    def _open(self) -> None:
        if not self._path.exists():
            sqlite3.connect(self._path).close()
        self._database = connect(self._path)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA wal_autocheckpoint = 20")  # small, for a full disk
            self._database.executescript(_SCHEMA)
            self.place = _place(self._database)
            self._identity = files.identity(self._path)
            row = self._database.execute("SELECT segment || '-' || first || '-' || last, * FROM batch").fetchone()
            self.begun: Boundaries | None = Boundaries(row[0], *row[2:]) if row else None
            """What the first version had out, until ``divide`` says what it consists of."""
            rows = self._database.execute("SELECT id, segment, first, last FROM in_flight ORDER BY ordinal")
            self.in_flight = [Boundaries(*row) for row in rows]
            """In the order of reading."""
        except BaseException:
            self._database.close()
            raise

    def in_place(self) -> bool:
        """Is the file still under its name?"""
        return files.identity(self._path) == self._identity

    def freeze(self, batch: Boundaries) -> None:
        """From now on this batch comes after those in flight, until it is committed."""
        self._add(batch)
        self.in_flight.append(batch)

    def _add(self, batch: Boundaries) -> None:
        self._database.execute(
            "INSERT INTO in_flight (id, segment, first, last) VALUES (?, ?, ?, ?)",
            (batch.id, batch.segment, batch.first, batch.last),
        )

    def divide(self, batches: list[Boundaries]) -> None:
        """What the first version had out is these batches."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM batch")
            for batch in batches:
                self._add(batch)
        self.begun = None
        self.in_flight = batches

    def commit(self, batch: Boundaries) -> None:
        """The first of those in flight is stored."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM in_flight WHERE id = ?", (batch.id,))
            self._database.execute("INSERT OR REPLACE INTO place VALUES (1, ?, ?)", (batch.segment, batch.last))
        self.in_flight.remove(batch)
        self.place = Place(batch.segment, batch.last, self.place.stored)

    def skip(self, batch: Boundaries) -> None:
        """Nothing is left of a batch in flight."""
        self._database.execute("DELETE FROM in_flight WHERE id = ?", (batch.id,))
        self.in_flight.remove(batch)

    def finish(self, segment: str) -> None:
        """All of a segment is stored; it is not read again even if its file should come back."""
        self._database.execute("INSERT OR IGNORE INTO stored VALUES (?)", (segment,))
        self.place = Place(self.place.segment, self.place.seq, self.place.stored | {segment})

    def forget(self, segments: frozenset[str]) -> None:
        """The files of these segments are gone."""
        self._database.executemany("DELETE FROM stored WHERE segment = ?", [(segment,) for segment in segments])
        self.place = Place(self.place.segment, self.place.seq, self.place.stored - segments)

    def close(self) -> None:
        self._database.close()


def read_place(path: Path) -> Place:
    """The place as it is now, for those who only look."""
    if not path.exists():
        return Place()
    try:
        database = connect(path, read_only=True)
        try:
            return _place(database)
        finally:
            database.close()
    except sqlite3.Error:
        return Place()


def _place(database: sqlite3.Connection) -> Place:
    stored = frozenset(row[0] for row in database.execute("SELECT segment FROM stored"))
    row = database.execute("SELECT segment, seq FROM place").fetchone()
    return Place(row[0], row[1], stored) if row else Place(stored=stored)

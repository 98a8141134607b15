"""What was imported already: every line once, whatever file it comes in again.

A chunk of lines goes through three steps: its keys are written down together with how to recognise it (*pending*), it
is handed on, it is *done*. A run that was killed in between leaves one pending chunk, and the next run first finds
out what became of it. The file grows by some 20 bytes a line.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from snowgauge.errors import SnowgaugeError

KEY_BYTES = 16
_SCHEMA = """
CREATE TABLE IF NOT EXISTS line (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY, version TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, keys BLOB, detail BLOB);
CREATE TEMP TABLE occurrence (key BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID;
"""


class Pending(msgspec.Struct, frozen=True):
    """A chunk of which nothing is known yet. ``detail`` is its maker's."""

    id: int
    kind: str
    keys: bytes
    detail: bytes


class Ledger:
    """One import at a time per data folder. Raises :class:`SnowgaugeError` when another one runs.

    ``durable=False`` does not wait for the disk: for ledgers that are thrown away.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise SnowgaugeError(f"another import is running (it holds {folder / 'lock'}); wait for its end") from None
        self._path = folder / "ledger.sqlite"
        self._claimed = False
        try:
            self._database = sqlite3.connect(self._path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
            self._database.execute("PRAGMA cache_size = -65536")
            self._database.execute("PRAGMA temp_store = FILE")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._lock.close()
            raise SnowgaugeError(f"the ledger of imports {self._path} cannot be used: {error}") from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._settle()
        self._database.close()
        self._lock.close()

    # ---- lines ------------------------------------------------------------------------------------------------

    def claim(self, keys: Sequence[bytes]) -> list[bool]:
        """Which lines are new. They are remembered only once ``begin`` is called."""
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")
        self._claimed = True
        insert = self._database.execute
        return [insert("INSERT OR IGNORE INTO line VALUES (?)", (key,)).rowcount == 1 for key in keys]

    def begin(self, kind: str, keys: Sequence[bytes], detail: bytes) -> int:
        """Write down, durably, that the claimed lines are about to be handed on. Returns the chunk's id."""
        try:
            if not self._database.in_transaction:
                self._database.execute("BEGIN IMMEDIATE")
            row = self._database.execute(
                "INSERT INTO pending (kind, keys, detail) VALUES (?, ?, ?)", (kind, b"".join(keys), detail)
            )
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._settle()
            raise SnowgaugeError(f"the ledger of imports {self._path} cannot be written: {error}") from error
        self._claimed = False
        assert row.lastrowid is not None
        return row.lastrowid

    def done(self, chunk: int) -> None:
        """The chunk was handed on. Durable together with the next chunk, or at the end: until then it is pending, and
        recognised."""
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("DELETE FROM pending WHERE id = ?", (chunk,))

    def pending(self) -> list[Pending]:
        """Chunks of a run that was killed."""
        rows = self._database.execute("SELECT id, kind, keys, detail FROM pending ORDER BY id").fetchall()
        return [Pending(*row) for row in rows]

    def forget(self, chunk: Pending) -> None:
        """The chunk was not handed on: its lines are new again."""
        keys = chunk.keys
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(
            "DELETE FROM line WHERE key = ?", ((keys[at : at + KEY_BYTES],) for at in range(0, len(keys), KEY_BYTES))
        )
        self.done(chunk.id)
        self._settle()

    # ---- files ------------------------------------------------------------------------------------------------

    def has_file(self, name: str, version: str) -> bool:
        """Was this file, as it is now, read to its end?"""
        row = self._database.execute("SELECT version FROM file WHERE name = ?", (name,)).fetchone()
        return row is not None and row[0] == version

    def add_file(self, name: str, version: str) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT OR REPLACE INTO file VALUES (?, ?)", (name, version))
        self._settle()

    # ---- equal lines ------------------------------------------------------------------------------------------

    def new_file(self) -> None:
        """Begin counting equal lines again."""
        self._database.execute("DELETE FROM temp.occurrence")

    def occurrence(self, key: bytes) -> int:
        """The how-manieth such line of its file this is, from 1. Equal lines of one file are different requests; the
        same line in a copy of the file is not."""
        row = self._database.execute(
            "INSERT INTO temp.occurrence VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n", (key,)
        ).fetchone()
        return int(row[0])

    def _settle(self) -> None:
        """End the transaction. Lines that were claimed and never begun stay new; then a chunk that was done before
        them stays pending too, and is recognised by the next run."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK" if self._claimed else "COMMIT")
        self._claimed = False

"""What the registry knows beside the files of schemas: visibility, times, superseding, keys, drafts; in SQLite."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snowgauge.state.tables import SharedTables

LAYOUT = """
CREATE TABLE IF NOT EXISTS schemas (
    vendor TEXT, name TEXT, format TEXT, model INTEGER, revision INTEGER, addition INTEGER,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, is_public INTEGER NOT NULL,
    PRIMARY KEY (vendor, name, format, model, revision, addition)
);
CREATE TABLE IF NOT EXISTS permissions (
    key_hash TEXT PRIMARY KEY, vendor TEXT NOT NULL, schema_action TEXT, key_actions TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS drafts (
    vendor TEXT, name TEXT, format TEXT, version INTEGER, body TEXT NOT NULL, created_at INTEGER NOT NULL,
    is_public INTEGER NOT NULL, PRIMARY KEY (vendor, name, format, version)
);
"""


KEYS = {
    "schemas": ("vendor", "name", "format", "model", "revision", "addition"),
    "permissions": ("key_hash",),
    "drafts": ("vendor", "name", "format", "version"),
}
"""The primary key of each table."""


class RegistryDatabase:
    """One file, made at its first use, or the tables that machines share. Safe for threads; several processes take
    turns."""

    def __init__(self, place: Path | SharedTables) -> None:
        self._place = place
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        if isinstance(self._place, SharedTables):
            with self._place.reading() as connection:
                yield connection
            return
        with self._lock:
            yield self._open(self._place)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block is kept, or nothing; no other process writes meanwhile."""
        if isinstance(self._place, SharedTables):
            with self._place.writing() as connection:
                yield connection
            return
        with self._lock:
            connection = self._open(self._place)
            if connection.in_transaction:  # a block within a block is part of it
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self, file: Path) -> sqlite3.Connection:
        if self._connection is None:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(mode=0o600)
            self._connection = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(LAYOUT)
        return self._connection

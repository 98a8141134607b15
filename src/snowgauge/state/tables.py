"""Tables that all machines share: a SQLite file on each, and a book of the rows that were changed.

Without a book the file is all there is. With one the file is this machine's copy: before a transaction writes, it is
brought up to date; what the transaction changed becomes a commit; and only when the commit has its number, the file
keeps the change. Reading asks the book again after ``max_age``, and goes on without it for ``outage`` at most.

Rows are found by triggers of the connection, so a table is shared by naming its key. Others, which count tries and the
like, stay with the file.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.errors import ActionRefused, StateUnavailable
from snowgauge.state.book import Book, Commit
from snowgauge.telemetry.logs import logger

_POSITION = "CREATE TABLE IF NOT EXISTS shared_position (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER)"
_SMALL = 262_144
_AFTER_TROUBLE = 5.0
"""Seconds for which a store that did not answer is not asked again."""
log = logger("state")


class Overtaken(ActionRefused):
    """Another machine had the number of the commit; nothing was changed."""


class Sharing(msgspec.Struct, frozen=True):
    """``book`` and the copy in ``file``. ``first``: the file of this machine alone, whose rows begin the book where it
    is empty. Times in seconds, see ``settings``."""

    book: Book
    first: Path
    max_age: float
    outage: float


class SharedTables:
    """``keys``: table -> the columns of its primary key, of the tables that are shared. Safe for threads and processes.

    Opened at its first use; ``layout`` is made then. One connection, used by one thread at a time.
    """

    def __init__(
        self,
        file: Path,
        layout: str,
        keys: Mapping[str, Sequence[str]],
        sharing: Sharing | None = None,
        *,
        prepare: Callable[[sqlite3.Connection], None] = lambda _: None,
    ) -> None:
        """``prepare`` brings a file of an earlier version up to date, after ``layout``."""
        self._file = file
        self._layout = layout
        self._prepare = prepare
        self._keys = {table: tuple(columns) for table, columns in keys.items()}
        self._sharing = sharing
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._asked = self._answered = float("-inf")
        self._sizes = 0
        self._trouble = ""

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Raises ``StateUnavailable`` where the copy is too old and cannot be renewed."""
        with self._lock:
            db = self._opened()
            if self._sharing is not None and not db.in_transaction:
                self._renew(db, self._sharing)
            yield db

    @contextmanager
    def local(self) -> Iterator[sqlite3.Connection]:
        """For tables that are not shared, in transactions of the caller's."""
        with self._lock:
            yield self._opened()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing. Raises ``StateUnavailable``, and ``ActionRefused`` where another
        machine was faster."""
        with self._lock:
            db = self._opened()
            if db.in_transaction:  # a block within a block is part of it
                yield db
                return
            db.execute("BEGIN IMMEDIATE")
            try:
                if self._sharing is not None:
                    self._catch_up(db, self._sharing)
                yield db
                if self._sharing is not None:
                    self._commit(db, self._sharing.book)
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.touch(mode=0o600)
        db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None, timeout=30)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            db.executescript(self._layout)
            self._prepare(db)
            if self._sharing is not None:
                db.execute("PRAGMA recursive_triggers=ON")  # so that a row that is replaced is seen to go
                db.execute(_POSITION)
                db.executescript(self._triggers())
        except BaseException:
            db.close()
            raise
        self._db = db
        return db

    def _triggers(self) -> str:
        statements = ["CREATE TEMP TABLE changed (tab TEXT, key TEXT)"]
        for table, key in self._keys.items():
            for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",))):
                listed = [", ".join(f"{row}.{column}" for column in key) for row in rows]
                noted = "; ".join(
                    f"INSERT INTO changed VALUES ('{table}', json_array({values}))"  # noqa: S608
                    for values in listed
                )
                statements.append(
                    f"CREATE TEMP TRIGGER {table}_{event} AFTER {event} ON main.{table} BEGIN {noted}; END"
                )
        return ";\n".join(statements) + ";"

    # ---- keeping up -------------------------------------------------------------------------------------------

    def _renew(self, db: sqlite3.Connection, sharing: Sharing) -> None:
        now = time.monotonic()
        if now - self._asked < sharing.max_age:
            if now - self._answered > max(sharing.outage, sharing.max_age + _AFTER_TROUBLE):
                raise StateUnavailable(self._trouble)
            return
        self._asked = now
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                self._catch_up(db, sharing)
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        except StateUnavailable as error:
            self._asked = time.monotonic() + _AFTER_TROUBLE - sharing.max_age
            if now - self._answered > sharing.outage:
                self._trouble = str(error)
                raise
            log.warning("copy_not_renewed", file=self._file.name, reason=str(error))

    def _catch_up(self, db: sqlite3.Connection, sharing: Sharing) -> None:
        number = self._position(db)
        for commit in sharing.book.after(number):
            self._apply(db, commit)
            number = commit.number
        if number == 0 and sharing.first.exists():
            self._take_over(db, sharing)
        db.execute("DELETE FROM temp.changed")
        self._answered = time.monotonic()

    def _apply(self, db: sqlite3.Connection, commit: Commit) -> None:
        db.execute("PRAGMA defer_foreign_keys=ON")
        if commit.whole:
            for table in self._keys:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours
            self._sizes = 0
        else:
            self._sizes += commit.size
        # what goes first: another row may have its name by now
        for name, body in sorted(commit.changes.items(), key=lambda change: change[1] is not None):
            table, _, key = name.partition("/")
            if table not in self._keys:
                continue  # of a later version
            if body is None:
                where = " AND ".join(f"{column} IS ?" for column in self._keys[table])
                db.execute(f"DELETE FROM {table} WHERE {where}", msgspec.json.decode(key))  # noqa: S608
            else:
                self._put(db, table, msgspec.msgpack.decode(body))
        db.execute("INSERT OR REPLACE INTO shared_position VALUES (1, ?)", (commit.number,))

    def _put(self, db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
        there = {str(found[1]) for found in db.execute(f"PRAGMA table_info({table})")}
        names = [name for name in row if name in there]
        rest = [name for name in names if name not in self._keys[table]]
        change = ", ".join(f"{name} = excluded.{name}" for name in rest)
        db.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "  # noqa: S608
            f"ON CONFLICT ({', '.join(self._keys[table])}) DO {f'UPDATE SET {change}' if rest else 'NOTHING'}",
            [row[name] for name in names],
        )

    def _take_over(self, db: sqlite3.Connection, sharing: Sharing) -> None:
        """Begin the book with the rows of this machine; where another was faster, with that one's."""
        own = sqlite3.connect(f"{sharing.first.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            own.row_factory = sqlite3.Row
            for table in self._keys:
                if own.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                    for row in own.execute(f"SELECT * FROM {table}"):  # noqa: S608 - a name of ours
                        self._put(db, table, dict(row))
        finally:
            own.close()
        self._commit(db, sharing.book)

    def _commit(self, db: sqlite3.Connection, book: Book) -> None:
        changes = self._changes(db)
        if not changes:
            return
        number = self._position(db) + 1
        whole = self._sizes > _SMALL and self._sizes > sum(len(body or b"") for body in self._rows(db).values())
        commit = book.append(number, self._rows(db) if whole else changes, whole=whole)
        if commit is None:
            raise Overtaken("another machine changed this at the same moment: try again", status=409, retry_after=1)
        self._sizes = 0 if whole else self._sizes + commit.size
        db.execute("INSERT OR REPLACE INTO shared_position VALUES (1, ?)", (number,))
        db.execute("DELETE FROM temp.changed")
        if whole:
            book.forget(number)

    def _changes(self, db: sqlite3.Connection) -> dict[str, bytes | None]:
        changes: dict[str, bytes | None] = {}
        for table, key in db.execute("SELECT DISTINCT tab, key FROM temp.changed").fetchall():
            where = " AND ".join(f"{column} IS ?" for column in self._keys[table])
            row = db.execute(f"SELECT * FROM {table} WHERE {where}", msgspec.json.decode(key)).fetchone()  # noqa: S608
            changes[f"{table}/{key}"] = None if row is None else msgspec.msgpack.encode(dict(row))
        return changes

    def _rows(self, db: sqlite3.Connection) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        for table, key in self._keys.items():
            for row in db.execute(f"SELECT * FROM {table}"):  # noqa: S608 - a name of ours
                name = msgspec.json.encode([row[column] for column in key]).decode()
                found[f"{table}/{name}"] = msgspec.msgpack.encode(dict(row))
        return found

    @staticmethod
    def _position(db: sqlite3.Connection) -> int:
        row = db.execute("SELECT number FROM shared_position").fetchone()
        return 0 if row is None else int(row[0])

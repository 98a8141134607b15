"""The tables of what people keep, beside those of the people themselves. Safe for threads and several processes."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from snowgauge.actions.access.roles import Principal
from snowgauge.errors import ActionRefused
from snowgauge.state.tables import SharedTables

LAYOUT = """
CREATE TABLE IF NOT EXISTS people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL, role TEXT NOT NULL,
  created_at INTEGER NOT NULL, last_login INTEGER);
CREATE TABLE IF NOT EXISTS segments (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, app TEXT NOT NULL, filters TEXT NOT NULL, shared INTEGER NOT NULL,
  owner TEXT NOT NULL, person TEXT REFERENCES people(id) ON DELETE CASCADE, author TEXT NOT NULL,
  changed_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS annotations (
  id TEXT PRIMARY KEY, app TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, shared INTEGER NOT NULL,
  owner TEXT NOT NULL, person TEXT REFERENCES people(id) ON DELETE CASCADE, author TEXT NOT NULL,
  changed_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS annotations_at ON annotations (at);
CREATE TABLE IF NOT EXISTS saved_reports (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, question TEXT NOT NULL, show TEXT NOT NULL,
  shared INTEGER NOT NULL, owner TEXT NOT NULL, person TEXT REFERENCES people(id) ON DELETE CASCADE,
  author TEXT NOT NULL, changed_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dashboards (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, refresh_s INTEGER NOT NULL, shared INTEGER NOT NULL,
  owner TEXT NOT NULL, person TEXT REFERENCES people(id) ON DELETE CASCADE, author TEXT NOT NULL,
  changed_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dashboard_tiles (
  id TEXT NOT NULL, dashboard TEXT NOT NULL REFERENCES dashboards(id) ON DELETE CASCADE,
  report TEXT REFERENCES saved_reports(id) ON DELETE CASCADE, title TEXT NOT NULL, text TEXT NOT NULL,
  x INTEGER NOT NULL, y INTEGER NOT NULL, w INTEGER NOT NULL, h INTEGER NOT NULL, PRIMARY KEY (dashboard, id));
CREATE INDEX IF NOT EXISTS dashboard_tiles_report ON dashboard_tiles (report);
CREATE TABLE IF NOT EXISTS shares (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, password TEXT NOT NULL, apps TEXT NOT NULL,
  filters TEXT NOT NULL, dimensions TEXT, frame_ancestors TEXT NOT NULL, created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, last_used INTEGER,
  dashboard TEXT REFERENCES dashboards(id) ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS share_tickets (
  hash TEXT PRIMARY KEY, share TEXT NOT NULL REFERENCES shares(id) ON DELETE CASCADE, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sql_history (
  owner TEXT NOT NULL, person TEXT REFERENCES people(id) ON DELETE CASCADE, sql TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sql_history_owner ON sql_history (owner, at);
CREATE TABLE IF NOT EXISTS email_reports (
  id TEXT PRIMARY KEY, app TEXT NOT NULL, every TEXT NOT NULL, recipients TEXT NOT NULL, secret TEXT NOT NULL,
  created_by TEXT NOT NULL, created_at INTEGER NOT NULL,
  dashboard TEXT REFERENCES dashboards(id) ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS cohorts (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, rule TEXT, shared INTEGER NOT NULL,
  owner TEXT NOT NULL, person TEXT REFERENCES people(id) ON DELETE CASCADE, author TEXT NOT NULL,
  changed_at INTEGER NOT NULL, ids INTEGER NOT NULL, people INTEGER, counted_at INTEGER);
CREATE TABLE IF NOT EXISTS spend (
  day TEXT NOT NULL, currency TEXT NOT NULL, app TEXT NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL,
  medium TEXT NOT NULL, campaign TEXT NOT NULL, amount REAL NOT NULL,
  PRIMARY KEY (day, currency, app, channel, source, medium, campaign));
CREATE TABLE IF NOT EXISTS email_sends (
  report TEXT NOT NULL REFERENCES email_reports(id) ON DELETE CASCADE, period TEXT NOT NULL, recipient TEXT NOT NULL,
  at INTEGER NOT NULL, result TEXT NOT NULL, PRIMARY KEY (report, period, recipient));
"""
_LATER = {"shares": "dashboard", "email_reports": "dashboard"}
"""Columns that a database of an earlier version lacks: references to a dashboard."""
MOST = 1_000
"""Rows of a kind, so that nobody fills the disk."""


class SavedDatabase:
    """``place``: the file of the people, or the tables that machines share. ``clock`` gives milliseconds."""

    def __init__(
        self, place: Path | SharedTables, *, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._place = place
        self.clock = clock

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        if isinstance(self._place, SharedTables):
            with self._place.reading() as db:
                yield db
            return
        with closing(_opened(self._place)) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing."""
        if isinstance(self._place, SharedTables):
            with self._place.writing() as db:
                yield db
            return
        with closing(_opened(self._place)) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


def _opened(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    db = sqlite3.connect(file, isolation_level=None, timeout=10)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA foreign_keys=ON")
        db.executescript(LAYOUT)
        add_later(db)
    except BaseException:
        db.close()
        raise
    return db


def add_later(db: sqlite3.Connection) -> None:
    """Columns that a database of an earlier version lacks."""
    for table, column in _LATER.items():
        _add_reference(db, table, column)


def _add_reference(db: sqlite3.Connection, table: str, column: str) -> None:
    """Another process may add it at the same moment: whichever is first."""
    if any(row["name"] == column for row in db.execute(f"PRAGMA table_info({table})")):
        return
    try:
        db.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT REFERENCES dashboards(id) ON DELETE CASCADE")
    except sqlite3.OperationalError as raised:
        if "duplicate column" not in str(raised):
            raise


def owner_of(who: Principal) -> str:
    """What tells the things of one caller from those of others."""
    return who.person_id or f"{who.kind} {who.name}"


def new_id() -> str:
    return str(uuid.uuid4())


def checked(text: str, what: str, most: int) -> str:
    """A text without blanks around it. Raises ``ActionRefused`` for an empty or too long one."""
    found = text.strip()
    if not 1 <= len(found) <= most:
        raise ActionRefused(f"{what} must have 1 to {most} characters, found {len(found)}", status=422)
    return found


def room(db: sqlite3.Connection, table: str) -> None:
    """Raises ``ActionRefused`` where there are too many already. ``table`` is a name of ours."""
    if db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] >= MOST:  # noqa: S608 - a name of ours
        raise ActionRefused(f"there are {MOST:,} {table} already: remove some first", status=409)


def own(db: sqlite3.Connection, table: str, row_id: str, who: Principal) -> sqlite3.Row:
    """A row that someone may change: their own, or a shared one where they may share. Raises ``ActionRefused``.
    ``table`` is a name of ours."""
    row = db.execute(
        f"SELECT * FROM {table} WHERE id = ? AND (owner = ? OR (shared AND ?))",  # noqa: S608 - a name of ours
        (row_id, owner_of(who), who.may("write:analytics")),
    ).fetchone()
    if row is None:
        raise ActionRefused(f"{row_id[:100]!r} is none of your {table}", status=404)
    found: sqlite3.Row = row
    return found

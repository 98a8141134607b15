"""Changing entries where they lie, for the erasure of a person.

An entry is overwritten in its segment under its own number, so that batches keep their boundaries, and an entry of
which nothing is left stays as zeros of the kind ``erased``. That goes for entries that are stored already too:
their segment is deleted only when all of it is. SQLite overwrites what it frees (``secure_delete``), and the
write-ahead log, which still has the old pages, is copied back and emptied. A collector or a worker may use the segment
meanwhile: each change is one short transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from snowgauge.delivery.contract import Amended, amended
from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool.segment import KIND_CODES, KINDS, Checksums, connect
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry

_TOGETHER = 200
_TRIES = 50
_PAUSE = 0.1


def amend(folder: Path, change: Callable[[LogEntry], LogEntry | None]) -> Amended:
    """As ``EventLog.amend`` promises."""
    total = Amended()
    for name in files.scan(folder):
        path = folder / name.file
        try:
            done = _segment(path, change)
        except sqlite3.Error as error:
            if not path.exists():  # stored and deleted meanwhile
                continue
            raise LogUnavailable(f"the event log's file {path} cannot be changed now: {error}") from error
        total = Amended(total.seen + done.seen, total.changed + done.changed, (*total.notes, *done.notes))
    aside = folder / files.DAMAGED
    damaged = [file for file in aside.iterdir() if file.suffix != ".json"] if aside.is_dir() else []
    if damaged:
        note = f"{len(damaged)} damaged files in {aside} cannot be searched; delete them once they are not needed"
        total = Amended(total.seen, total.changed, (*total.notes, note))
    return total


def _segment(path: Path, change: Callable[[LogEntry], LogEntry | None]) -> Amended:
    if not path.exists():
        return Amended()
    database = connect(path)
    try:
        seen, changes = 0, []
        rows = database.execute("SELECT seq, received_at, kind, body FROM entry ORDER BY seq")
        for seq, received_at, kind, body in rows:
            if KINDS[kind] == "erased":
                continue
            seen += 1
            entry = LogEntry(body, received_at, KINDS[kind])
            changed = change(entry)
            if changed is not entry:
                changes.append((seq, amended(entry, changed)))
        notes = _write(database, path, changes) if changes else ()
        return Amended(seen, len(changes), notes)
    finally:
        database.close()


def _write(database: sqlite3.Connection, path: Path, changes: list[tuple[int, LogEntry]]) -> tuple[str, ...]:
    database.execute("PRAGMA secure_delete = ON")
    database.execute("PRAGMA synchronous = FULL")
    checksums = Checksums(path)
    for start in range(0, len(changes), _TOGETHER):
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "UPDATE entry SET kind = ?, crc = ?, body = ? WHERE seq = ?",
            [
                (kind, checksums.of(seq, entry.received_at, kind, entry.body), entry.body, seq)
                for seq, entry in changes[start : start + _TOGETHER]
                for kind in [KIND_CODES[entry.kind]]
            ],
        )
        database.execute("COMMIT")
    for _ in range(_TRIES):
        busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return ()
        time.sleep(_PAUSE)
    return (f"{path.name}: in use all the time, so its log keeps old bytes until the segment is stored and deleted",)

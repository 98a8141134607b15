"""No table of the console is forgotten where machines share them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from snowgauge.actions import console_tables
from snowgauge.actions.access.layout import LAYOUT as ACCESS
from snowgauge.actions.analytics.saved.database import LAYOUT as SAVED

STAY = {"sql_history", "guesses", "familiar", "sqlite_sequence"}
"""What stays with each machine."""


def test_every_table_is_shared_by_its_primary_key_or_stays() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(ACCESS + SAVED)
        names = [str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        keys = {
            name: tuple(
                str(column)
                for _, column, *_, place in sorted(db.execute(f"PRAGMA table_info({name})"), key=lambda row: row[5])
                if place
            )
            for name in names
        }
    shared = {name: key for name, key in keys.items() if name not in STAY}
    assert shared == console_tables._KEYS

"""Annotations: notes at a time on a chart, of one's own or for everyone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, own, owner_of, room
from snowgauge.errors import ActionRefused

_MOST_SHOWN = 500


@dataclass(frozen=True)
class Annotation:
    """``at`` in ms since 1970. ``app``: whose chart; empty: every application's."""

    id: str
    app: str
    at: int
    text: str
    shared: bool
    mine: bool
    author: str
    changed_at: int


class Annotations:
    def __init__(self, database: SavedDatabase) -> None:
        self._database = database

    def listed(self, who: Principal, *, app: str = "", since: int = 0, until: int = 2**53) -> list[Annotation]:
        """Of an application and of all, one's own and the shared ones, in the order of time; at most 500."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM annotations WHERE (shared OR owner = ?) AND (? = '' OR app IN ('', ?)) AND at >= ? AND "
                "at < ? ORDER BY at, id LIMIT ?",
                (owner_of(who), app, app, since, until, _MOST_SHOWN),
            ).fetchall()
        return [one for one in (_annotation(row, who) for row in rows) if one.mine or not one.app or who.sees(one.app)]

    def add(self, app: str, at: int, text: str, *, shared: bool, who: Principal) -> Annotation:
        annotation_id = new_id()
        with self._database.writing() as db:
            room(db, "annotations")
            db.execute(
                "INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (annotation_id, app.strip()[:200], _time(at), checked(text, "the note", 500), shared, owner_of(who),
                 who.person_id, who.name, self._database.clock()),
            )  # fmt: skip
            return _annotation(own(db, "annotations", annotation_id, who), who)

    def change(
        self, annotation_id: str, who: Principal, *, at: int | None, text: str | None, shared: bool | None
    ) -> Annotation:
        """Its author may change it, and of a shared one everyone who may share."""
        with self._database.writing() as db:
            row = own(db, "annotations", annotation_id, who)
            db.execute(
                "UPDATE annotations SET at = ?, text = ?, shared = ?, changed_at = ? WHERE id = ?",
                (
                    row["at"] if at is None else _time(at),
                    row["text"] if text is None else checked(text, "the note", 500),
                    row["shared"] if shared is None else shared, self._database.clock(), annotation_id,
                ),
            )  # fmt: skip
            return _annotation(own(db, "annotations", annotation_id, who), who)

    def remove(self, annotation_id: str, who: Principal) -> Annotation:
        with self._database.writing() as db:
            found = _annotation(own(db, "annotations", annotation_id, who), who)
            db.execute("DELETE FROM annotations WHERE id = ?", (annotation_id,))
            return found


def _time(at: int) -> int:
    if not 0 <= at < 2**53:
        raise ActionRefused(f"{at} is no time: write milliseconds since 1970", status=422)
    return at


def _annotation(row: sqlite3.Row, who: Principal) -> Annotation:
    return Annotation(
        row["id"], row["app"], row["at"], row["text"], bool(row["shared"]), row["owner"] == owner_of(who),
        row["author"], row["changed_at"],
    )  # fmt: skip

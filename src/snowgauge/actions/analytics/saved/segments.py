"""Segments: filters with a name, of one's own or shared with everyone who sees figures."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, own, owner_of, room
from snowgauge.analytics.conditions import Members
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.errors import ActionRefused


@dataclass(frozen=True)
class Segment:
    """``app``: where it is offered; empty: everywhere. ``mine``: made by the caller. ``changed_at`` in ms."""

    id: str
    name: str
    app: str
    filters: list[Any]
    shared: bool
    mine: bool
    author: str
    changed_at: int


class Segments:
    """``cohort``: the cohorts that filters may name, as questions are read with it."""

    def __init__(
        self,
        database: SavedDatabase,
        cohort: Callable[[str, Principal], Members | None] = lambda _cohort_id, _who: None,
    ) -> None:
        self._database = database
        self._cohort = cohort

    def listed(self, who: Principal) -> list[Segment]:
        """One's own and the shared ones, by name."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM segments WHERE shared OR owner = ? ORDER BY name COLLATE NOCASE, id", (owner_of(who),)
            ).fetchall()
        return [one for one in (_segment(row, who) for row in rows) if one.mine or not one.app or who.sees(one.app)]

    def filters(self, segment_id: str, who: Principal | None) -> list[Any] | None:
        """Those of a segment that someone may use; ``who`` ``None``: of a shared one."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT filters FROM segments WHERE id = ? AND (shared OR owner = ?)",
                (segment_id, owner_of(who) if who is not None else ""),
            ).fetchone()
        return None if row is None else list(json.loads(row["filters"]))

    def add(self, name: str, app: str, filters: list[Any], *, shared: bool, who: Principal) -> Segment:
        """Raises ``QuestionRefused`` for filters that make no sense."""
        self._check(filters, who)
        segment_id = new_id()
        with self._database.writing() as db:
            room(db, "segments")
            db.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (segment_id, checked(name, "the name", 100), app.strip()[:200], json.dumps(filters), shared,
                 owner_of(who), who.person_id, who.name, self._database.clock()),
            )  # fmt: skip
            return _segment(own(db, "segments", segment_id, who), who)

    def change(
        self, segment_id: str, who: Principal, *, name: str | None, filters: list[Any] | None, shared: bool | None
    ) -> Segment:
        """Its author may change it, and of a shared one everyone who may share."""
        if filters is not None:
            self._check(filters, who, inside=segment_id)
        with self._database.writing() as db:
            row = own(db, "segments", segment_id, who)
            db.execute(
                "UPDATE segments SET name = ?, filters = ?, shared = ?, changed_at = ? WHERE id = ?",
                (
                    row["name"] if name is None else checked(name, "the name", 100),
                    row["filters"] if filters is None else json.dumps(filters),
                    row["shared"] if shared is None else shared, self._database.clock(), segment_id,
                ),
            )  # fmt: skip
            return _segment(own(db, "segments", segment_id, who), who)

    def remove(self, segment_id: str, who: Principal) -> Segment:
        with self._database.writing() as db:
            found = _segment(own(db, "segments", segment_id, who), who)
            db.execute("DELETE FROM segments WHERE id = ?", (segment_id,))
            return found

    def _check(self, filters: list[Any], who: Principal, *, inside: str = "") -> None:
        def saved(segment_id: str) -> list[Any] | None:
            return filters if segment_id == inside else self.filters(segment_id, who)

        if not filters:
            raise ActionRefused("a segment needs at least one filter", status=422)
        around = Surroundings(
            self._database.clock(), segment=saved, cohort=lambda cohort_id: self._cohort(cohort_id, who)
        )
        read({"metrics": ["visits"], "filters": filters}, around)


def _segment(row: sqlite3.Row, who: Principal) -> Segment:
    return Segment(
        row["id"], row["name"], row["app"], json.loads(row["filters"]), bool(row["shared"]),
        row["owner"] == owner_of(who), row["author"], row["changed_at"],
    )  # fmt: skip

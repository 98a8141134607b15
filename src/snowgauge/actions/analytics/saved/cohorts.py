"""Cohorts: sets of people with a name, by rule or as a list of IDs, of one's own or shared.

A rule is kept beside the other things that people save. The IDs of a list are personal data and may be many: they lie
in the store, from where an erasure takes them out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, own, owner_of, room
from snowgauge.errors import ActionRefused
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables.cohorts import MEMBERS

MOST_IDS = 100_000
"""Of one list."""
LONGEST_ID = 255
_TOGETHER = 5_000
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class SavedCohort:
    """``rule``: what makes people members; ``None``: it is a list of ``ids`` IDs. ``people``: how many people it had at
    ``counted_at`` (ms); ``None``: not counted, or too few to be told. ``mine``: made by the caller."""

    id: str
    name: str
    rule: dict[str, Any] | None
    ids: int
    shared: bool
    mine: bool
    author: str
    changed_at: int
    people: int | None
    counted_at: int | None


@dataclass(frozen=True)
class CohortChange:
    """What is not given stays."""

    name: str | None = None
    rule: Mapping[str, Any] | None = None
    shared: bool | None = None


class Cohorts:
    """``store``: where the IDs of lists are kept. ``lists``: of which cohorts there are some, and when the last was
    written (ms). Raises ``ActionRefused``, ``StoreUnavailable``."""

    def __init__(self, database: SavedDatabase, store: ModelStore, lists: Callable[[], Mapping[str, int]]) -> None:
        self._database = database
        self._store = store
        self._lists = lists

    def listed(self, who: Principal) -> list[SavedCohort]:
        """One's own and the shared ones, by name."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM cohorts WHERE shared OR owner = ? ORDER BY name COLLATE NOCASE, id", (owner_of(who),)
            ).fetchall()
        return [_cohort(row, who) for row in rows]

    def get(self, cohort_id: str, who: Principal) -> SavedCohort:
        """One's own, or a shared one."""
        found = next((one for one in self.listed(who) if one.id == cohort_id), None)
        if found is None:
            raise ActionRefused(f"there is no cohort {cohort_id[:100]!r}", status=404)
        return found

    def rule(self, cohort_id: str, who: Principal | None) -> Mapping[str, Any] | None:
        """That of a cohort that someone may use: empty of a list, ``None`` where there is no such cohort. ``who``
        ``None``: of a shared one."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT rule FROM cohorts WHERE id = ? AND (shared OR owner = ?)",
                (cohort_id, owner_of(who) if who is not None else ""),
            ).fetchone()
        if row is None:
            return None
        found: Mapping[str, Any] = {} if row["rule"] is None else json.loads(row["rule"])
        return found

    def add(
        self, name: str, members: Mapping[str, Any] | Sequence[str], *, shared: bool, who: Principal
    ) -> SavedCohort:
        """``members``: a rule that makes sense, or IDs."""
        cohort_id = new_id()
        rule = json.dumps(members) if isinstance(members, Mapping) else None
        ids = [] if isinstance(members, Mapping) else usable(members)
        checked(name, "the name", 100)
        if ids:
            self._sweep()
            # before the cohort is there: a list that is there is whole
            self._write(cohort_id, ids)
        with self._database.writing() as db:
            room(db, "cohorts")
            db.execute(
                "INSERT INTO cohorts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (cohort_id, checked(name, "the name", 100), rule, shared, owner_of(who), who.person_id, who.name,
                 self._database.clock(), len(ids)),
            )  # fmt: skip
            return _cohort(own(db, "cohorts", cohort_id, who), who)

    def change(self, cohort_id: str, who: Principal, change: CohortChange) -> SavedCohort:
        """Its author may change it, and of a shared one everyone who may share. A list stays what it is."""
        with self._database.writing() as db:
            row = own(db, "cohorts", cohort_id, who)
            if change.rule is not None and row["rule"] is None:
                raise ActionRefused("this cohort is a list of IDs: make another cohort for a rule", status=422)
            name = row["name"] if change.name is None else checked(change.name, "the name", 100)
            rule = row["rule"] if change.rule is None else json.dumps(change.rule)
            counted = (None, None) if rule != row["rule"] else (row["people"], row["counted_at"])
            db.execute(
                "UPDATE cohorts SET name = ?, rule = ?, shared = ?, changed_at = ?, people = ?, counted_at = ? "
                "WHERE id = ?",
                (name, rule, row["shared"] if change.shared is None else change.shared, self._database.clock(),
                 *counted, cohort_id),
            )  # fmt: skip
            return _cohort(own(db, "cohorts", cohort_id, who), who)

    def counted(self, cohort_id: str, people: int, at: int) -> None:
        """Write down how many people it has."""
        with self._database.writing() as db:
            db.execute("UPDATE cohorts SET people = ?, counted_at = ? WHERE id = ?", (people, at, cohort_id))

    def remove(self, cohort_id: str, who: Principal) -> SavedCohort:
        """The cohort, and the IDs of a list."""
        with self._database.writing() as db:
            found = _cohort(own(db, "cohorts", cohort_id, who), who)
            db.execute("DELETE FROM cohorts WHERE id = ?", (cohort_id,))
        take_out(self._store, "cohort_id", [cohort_id])
        return found

    def _write(self, cohort_id: str, ids: Sequence[str]) -> None:
        now = self._store.now()
        for start in range(0, len(ids), _TOGETHER):
            rows = [
                {"cohort_id": cohort_id, "id": one, "folded": one.lower(), "at": now}
                for one in ids[start : start + _TOGETHER]
            ]
            self._store.replace([Change(MEMBERS, [], rows)], now * 1000)

    def _sweep(self) -> None:
        """IDs of lists that are gone: their owner was removed, or they were written and no cohort followed."""
        with self._database.reading() as db:
            known = {str(row["id"]) for row in db.execute("SELECT id FROM cohorts WHERE rule IS NULL")}
        long_ago = self._store.now() - _HOUR_MS
        gone = [cohort_id for cohort_id, at in self._lists().items() if cohort_id not in known and at < long_ago]
        if gone:
            take_out(self._store, "cohort_id", gone)


def take_out(store: ModelStore, column: Literal["cohort_id", "folded"], values: Sequence[str]) -> int:
    """Have nothing left of the IDs with one of these values in a column. Answers how many there were."""
    rows = store.rows(MEMBERS, column, values)
    if rows:
        at = max(store.now(), *(row["at"] for row in rows)) + 1
        store.replace([Change(MEMBERS, [{**row, "at": at} for row in rows], [])], at * 1000)
        store.purge({MEMBERS: (column, sorted({str(row[column]) for row in rows}))}, at * 1000)
    return len(rows)


def usable(ids: Iterable[str]) -> list[str]:
    """Each ID once. Raises ``ActionRefused`` for what is no ID, for none, and for too many."""
    found: dict[str, None] = {}
    for at, one in enumerate(ids, 1):
        text = one.strip()
        if not text:
            continue
        if len(text) > LONGEST_ID or not text.isprintable():
            raise ActionRefused(
                f"ID {at}: expected at most {LONGEST_ID} printable characters, found {text[:40]!r}", status=422
            )
        found[text] = None
        if len(found) > MOST_IDS:
            raise ActionRefused(f"a list has at most {MOST_IDS:,} IDs: make a rule instead", status=422)
    if not found:
        raise ActionRefused("there is no ID in the list", status=422)
    return list(found)


def _cohort(row: sqlite3.Row, who: Principal) -> SavedCohort:
    return SavedCohort(
        row["id"], row["name"], None if row["rule"] is None else json.loads(row["rule"]), row["ids"],
        bool(row["shared"]), row["owner"] == owner_of(who), row["author"], row["changed_at"], row["people"],
        row["counted_at"],
    )  # fmt: skip

"""Saved reports: a question with a name, of one's own or shared with everyone who sees figures."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, own, owner_of, room
from snowgauge.actions.analytics.saved.kinds import LARGEST, Kind, check
from snowgauge.analytics.reading import Surroundings
from snowgauge.errors import ActionRefused


@dataclass(frozen=True)
class SavedReport:
    """``question``: what the API of its kind takes. ``show``: how it is drawn, a word of the console; empty: as usual.
    ``mine``: made by the caller. ``dashboards``: how many have it. ``changed_at`` in ms."""

    id: str
    name: str
    kind: Kind
    question: dict[str, Any]
    show: str
    shared: bool
    mine: bool
    author: str
    dashboards: int
    changed_at: int


@dataclass(frozen=True)
class NewReport:
    name: str
    kind: Kind
    question: Mapping[str, Any]
    show: str = ""
    shared: bool = False


@dataclass(frozen=True)
class ReportChange:
    """``None``: as it was."""

    name: str | None = None
    question: Mapping[str, Any] | None = None
    show: str | None = None
    shared: bool | None = None


class SavedReports:
    """``around``: what a question of someone is read against."""

    def __init__(self, database: SavedDatabase, around: Callable[[Principal | None], Surroundings]) -> None:
        self._database = database
        self._around = around

    def listed(self, who: Principal) -> list[SavedReport]:
        """One's own and the shared ones, by name."""
        with self._database.reading() as db:
            rows = db.execute(
                SELECT + " WHERE shared OR owner = ? ORDER BY name COLLATE NOCASE, id", (owner_of(who),)
            ).fetchall()
        return [report_of(row, who) for row in rows]

    def get(self, report_id: str, who: Principal) -> SavedReport:
        """One that the caller may use. Raises ``ActionRefused``."""
        with self._database.reading() as db:
            return report_of(_usable(db, report_id, who), who)

    def add(self, wanted: NewReport, who: Principal) -> SavedReport:
        """Raises ``QuestionRefused`` for a question that its kind does not answer."""
        self._check(wanted.kind, wanted.question, who)
        report_id = new_id()
        with self._database.writing() as db:
            room(db, "saved_reports")
            db.execute(
                "INSERT INTO saved_reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (report_id, checked(wanted.name, "the name", 100), wanted.kind, json.dumps(wanted.question),
                 wanted.show, wanted.shared, owner_of(who), who.person_id, who.name, self._database.clock()),
            )  # fmt: skip
            return report_of(_usable(db, report_id, who), who)

    def change(self, report_id: str, who: Principal, change: ReportChange) -> SavedReport:
        """Its author may change it, and of a shared one everyone who may share."""
        if change.question is not None:
            self._check(self.get(report_id, who).kind, change.question, who)
        with self._database.writing() as db:
            row = own(db, "saved_reports", report_id, who)
            if change.shared is False:
                _keep_shared(db, row)
            db.execute(
                "UPDATE saved_reports SET name = ?, question = ?, show = ?, shared = ?, changed_at = ? WHERE id = ?",
                (
                    row["name"] if change.name is None else checked(change.name, "the name", 100),
                    row["question"] if change.question is None else json.dumps(change.question),
                    row["show"] if change.show is None else change.show,
                    row["shared"] if change.shared is None else change.shared, self._database.clock(), report_id,
                ),
            )  # fmt: skip
            return report_of(_usable(db, report_id, who), who)

    def remove(self, report_id: str, who: Principal) -> SavedReport:
        """It leaves every dashboard, too."""
        with self._database.writing() as db:
            own(db, "saved_reports", report_id, who)
            gone = report_of(_usable(db, report_id, who), who)
            db.execute("DELETE FROM saved_reports WHERE id = ?", (report_id,))
            return gone

    def _check(self, kind: Kind, question: Mapping[str, Any], who: Principal) -> None:
        if len(json.dumps(question)) > LARGEST:
            raise ActionRefused(f"a question has at most {LARGEST:,} characters", status=422)
        if kind == "sql" and not who.may("query:sql"):
            raise ActionRefused("saving SQL needs the scope query:sql", status=403)
        check(kind, question, self._around(who))


SELECT = (
    "SELECT *, (SELECT count(DISTINCT dashboard) FROM dashboard_tiles WHERE dashboard_tiles.report = saved_reports.id) "
    "AS dashboards FROM saved_reports"
)
"""Rows for :func:`report_of`, up to their conditions."""


def _usable(db: sqlite3.Connection, report_id: str, who: Principal) -> sqlite3.Row:
    row = db.execute(SELECT + " WHERE id = ? AND (shared OR owner = ?)", (report_id, owner_of(who))).fetchone()
    if row is None:
        raise ActionRefused(f"there is no saved report {report_id[:100]!r} that you may use", status=404)
    found: sqlite3.Row = row
    return found


def _keep_shared(db: sqlite3.Connection, report: sqlite3.Row) -> None:
    """Raises ``ActionRefused`` where others see it on a dashboard."""
    row = db.execute(
        "SELECT dashboards.name FROM dashboards JOIN dashboard_tiles ON dashboard_tiles.dashboard = dashboards.id "
        "WHERE dashboard_tiles.report = ? AND (dashboards.shared OR dashboards.owner <> ?) LIMIT 1",
        (report["id"], report["owner"]),
    ).fetchone()
    if row is not None:
        raise ActionRefused(
            f"{report['name']!r} is on the dashboard {row['name']!r}, which others use: remove it from there first",
            status=409,
        )


def report_of(row: sqlite3.Row, who: Principal | None) -> SavedReport:
    """A row of ``saved_reports`` with the number of its dashboards, as someone sees it: SQL may name a person, so only
    those who may ask it read it."""
    kind: Kind = msgspec.convert(row["kind"], Kind)
    hidden = kind == "sql" and not (who is not None and who.may("query:sql"))
    return SavedReport(
        row["id"], row["name"], kind, {} if hidden else json.loads(row["question"]), row["show"],
        bool(row["shared"]), who is not None and row["owner"] == owner_of(who), row["author"], row["dashboards"],
        row["changed_at"],
    )  # fmt: skip

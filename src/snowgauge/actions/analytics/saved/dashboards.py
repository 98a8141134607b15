"""Dashboards: saved reports and texts on a grid, with one period and filter for all, of one's own or shared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, own, owner_of, room
from snowgauge.actions.analytics.saved.scope import check_scope
from snowgauge.actions.analytics.saved.tiles import GRID, GivenTile, Tile, put_tiles, share_reports, tiles_of
from snowgauge.analytics.reading import Surroundings
from snowgauge.errors import ActionRefused

REFRESHES = (0, 30, 60, 300, 900)
"""Seconds between two refreshes of an open dashboard; 0: only when asked."""


@dataclass(frozen=True)
class DashboardEntry:
    """One of the list. ``tiles``: how many it has. ``changed_at`` in ms."""

    id: str
    name: str
    shared: bool
    mine: bool
    author: str
    tiles: int
    changed_at: int


@dataclass(frozen=True)
class Dashboard:
    """``scope``: period, application, filters and comparison of every tile, as fields of a question; what is missing is
    as each report has it. ``refresh_s``: seconds between refreshes; 0: none. ``may_change``: by the caller."""

    id: str
    name: str
    scope: dict[str, Any]
    refresh_s: int
    shared: bool
    mine: bool
    may_change: bool
    author: str
    tiles: list[Tile]
    changed_at: int


@dataclass(frozen=True)
class DashboardChange:
    """``None``: as it was. ``changed_at``: of the dashboard that was changed; another one since then is refused."""

    name: str | None = None
    scope: Mapping[str, Any] | None = None
    refresh_s: int | None = None
    shared: bool | None = None
    tiles: Sequence[GivenTile] | None = None
    changed_at: int | None = None


class Dashboards:
    """``around``: what the scope of someone's dashboard is read against."""

    def __init__(self, database: SavedDatabase, around: Callable[[Principal | None], Surroundings]) -> None:
        self._database = database
        self._around = around

    def listed(self, who: Principal) -> list[DashboardEntry]:
        """One's own and the shared ones, by name."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT *, (SELECT count(*) FROM dashboard_tiles WHERE dashboard = dashboards.id) AS tiles "
                "FROM dashboards WHERE shared OR owner = ? ORDER BY name COLLATE NOCASE, id",
                (owner_of(who),),
            ).fetchall()
        return [
            DashboardEntry(
                row["id"], row["name"], bool(row["shared"]), row["owner"] == owner_of(who), row["author"], row["tiles"],
                row["changed_at"],
            )
            for row in rows
        ]  # fmt: skip

    def get(self, dashboard_id: str, who: Principal) -> Dashboard:
        """Raises ``ActionRefused``."""
        with self._database.reading() as db:
            return _dashboard(db, _visible(db, dashboard_id, who), who)

    def whole(self, dashboard_id: str) -> Dashboard:
        """With every report, as someone with a link to it, or its e-mail, sees it. Raises ``ActionRefused``."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM dashboards WHERE id = ?", (dashboard_id,)).fetchone()
            if row is None:
                raise _none(dashboard_id)
            return _dashboard(db, row, None, whole=True)

    def add(self, name: str, *, shared: bool, who: Principal) -> Dashboard:
        """One without tiles."""
        dashboard_id = new_id()
        with self._database.writing() as db:
            room(db, "dashboards")
            db.execute(
                "INSERT INTO dashboards VALUES (?, ?, '{}', 0, ?, ?, ?, ?, ?)",
                (dashboard_id, checked(name, "the name", 100), shared, owner_of(who), who.person_id, who.name,
                 self._database.clock()),
            )  # fmt: skip
            return _dashboard(db, _visible(db, dashboard_id, who), who)

    def copied(self, dashboard_id: str, name: str, who: Principal) -> Dashboard:
        """One's own copy, with the same reports on it."""
        made = new_id()
        with self._database.writing() as db:
            row = _visible(db, dashboard_id, who)
            room(db, "dashboards")
            db.execute(
                "INSERT INTO dashboards VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?)",
                (made, checked(name, "the name", 100), row["scope"], row["refresh_s"], owner_of(who), who.person_id,
                 who.name, self._database.clock()),
            )  # fmt: skip
            db.execute(
                "INSERT INTO dashboard_tiles SELECT id, ?, report, title, text, x, y, w, h FROM dashboard_tiles "
                "WHERE dashboard = ?",
                (made, dashboard_id),
            )
            return _dashboard(db, _visible(db, made, who), who)

    def change(self, dashboard_id: str, who: Principal, change: DashboardChange) -> Dashboard:
        """Its author may change it, and of a shared one everyone who may share."""
        if change.scope is not None:
            check_scope(change.scope, self._around(who))
        if change.refresh_s is not None and change.refresh_s not in REFRESHES:
            raise ActionRefused(
                f"refresh_s: {change.refresh_s} is none of {', '.join(map(str, REFRESHES))}", status=422
            )
        with self._database.writing() as db:
            row = own(db, "dashboards", dashboard_id, who)
            if change.changed_at is not None and change.changed_at != row["changed_at"]:
                raise ActionRefused("someone has changed this dashboard meanwhile: load it again", status=409)
            if change.tiles is not None:
                put_tiles(db, row, change.tiles, who)
            shared = bool(row["shared"] if change.shared is None else change.shared)
            if shared:
                share_reports(db, dashboard_id, who)
            db.execute(
                "UPDATE dashboards SET name = ?, scope = ?, refresh_s = ?, shared = ?, changed_at = ? WHERE id = ?",
                (
                    row["name"] if change.name is None else checked(change.name, "the name", 100),
                    row["scope"] if change.scope is None else json.dumps(change.scope),
                    row["refresh_s"] if change.refresh_s is None else change.refresh_s,
                    shared, self._now(row), dashboard_id,
                ),
            )  # fmt: skip
            return _dashboard(db, _visible(db, dashboard_id, who), who)

    def put_on(self, dashboard_id: str, report_id: str, who: Principal, *, w: int = 6, h: int = 6) -> Dashboard:
        """A saved report below all other tiles."""
        with self._database.writing() as db:
            row = own(db, "dashboards", dashboard_id, who)
            held = db.execute("SELECT * FROM dashboard_tiles WHERE dashboard = ?", (dashboard_id,)).fetchall()
            given = [
                GivenTile(one["x"], one["y"], one["w"], one["h"], one["report"], one["title"], one["text"], one["id"])
                for one in held
            ]
            x, y = _place(given, w)
            put_tiles(db, row, [*given, GivenTile(x, y, w, h, report_id)], who)
            if row["shared"]:
                share_reports(db, dashboard_id, who)
            db.execute("UPDATE dashboards SET changed_at = ? WHERE id = ?", (self._now(row), dashboard_id))
            return _dashboard(db, _visible(db, dashboard_id, who), who)

    def remove(self, dashboard_id: str, who: Principal) -> DashboardEntry:
        """With its links and its e-mails; its reports stay."""
        with self._database.writing() as db:
            row = own(db, "dashboards", dashboard_id, who)
            db.execute("DELETE FROM dashboards WHERE id = ?", (dashboard_id,))
            return DashboardEntry(
                row["id"], row["name"], bool(row["shared"]), row["owner"] == owner_of(who), row["author"], 0,
                row["changed_at"],
            )  # fmt: skip

    def _now(self, row: sqlite3.Row) -> int:
        """Later than the last change, so that each has a time of its own."""
        return max(self._database.clock(), int(row["changed_at"]) + 1)


def _place(tiles: Sequence[GivenTile], width: int) -> tuple[int, int]:
    """Beside the last tile of the lowest row where there is room, else below."""
    low = max((one.y + one.h for one in tiles), default=0)
    last = [one for one in tiles if one.y + one.h == low]
    right = max((one.x + one.w for one in last), default=0)
    if last and right + width <= GRID:
        top = min(one.y for one in last)
        beside = [one for one in tiles if one.x < right + width and right < one.x + one.w and one.y + one.h > top]
        if not beside:
            return right, top
    return 0, low


def _visible(db: sqlite3.Connection, dashboard_id: str, who: Principal) -> sqlite3.Row:
    row = db.execute(
        "SELECT * FROM dashboards WHERE id = ? AND (shared OR owner = ?)", (dashboard_id, owner_of(who))
    ).fetchone()
    if row is None:
        raise _none(dashboard_id)
    found: sqlite3.Row = row
    return found


def _none(dashboard_id: str) -> ActionRefused:
    return ActionRefused(f"there is no dashboard {dashboard_id[:100]!r} that you may see", status=404)


def _dashboard(db: sqlite3.Connection, row: sqlite3.Row, who: Principal | None, *, whole: bool = False) -> Dashboard:
    mine = who is not None and row["owner"] == owner_of(who)
    may_change = mine or (bool(row["shared"]) and who is not None and who.may("write:analytics"))
    return Dashboard(
        row["id"], row["name"], json.loads(row["scope"]), row["refresh_s"], bool(row["shared"]), mine, may_change,
        row["author"], tiles_of(db, row["id"], who, whole=whole), row["changed_at"],
    )  # fmt: skip

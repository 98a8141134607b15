"""Tiles of a dashboard: where they lie on its grid, and what they show."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import new_id, owner_of
from snowgauge.actions.analytics.saved.reports import SELECT, SavedReport, report_of
from snowgauge.errors import ActionRefused

GRID = 12
"""Columns of the grid."""
MOST_TILES = 60
_LOWEST = 2_000
_HIGHEST_TILE = 40


@dataclass(frozen=True)
class GivenTile:
    """``report``: the id of a saved report; ``None``: a tile of text, in Markdown. ``title``: instead of the report's
    name. ``x`` and ``w`` in columns of twelve, ``y`` and ``h`` in rows."""

    x: int
    y: int
    w: int
    h: int
    report: str | None = None
    title: str = ""
    text: str = ""
    id: str = ""


@dataclass(frozen=True)
class Tile:
    """``report``: ``None`` where it is a tile of text, or where the caller may not see the report (``withheld``)."""

    id: str
    x: int
    y: int
    w: int
    h: int
    title: str
    text: str
    report: SavedReport | None
    withheld: bool


def tiles_of(db: sqlite3.Connection, dashboard_id: str, who: Principal | None, *, whole: bool = False) -> list[Tile]:
    """In reading order. ``whole``: with reports that only their author may see, as a link shows them."""
    owner = owner_of(who) if who is not None else ""
    tiles = []
    for row in db.execute("SELECT * FROM dashboard_tiles WHERE dashboard = ? ORDER BY y, x, id", (dashboard_id,)):
        report = None
        if row["report"] is not None:
            held = db.execute(
                SELECT + " WHERE id = ? AND (shared OR owner = ? OR ?)", (row["report"], owner, whole)
            ).fetchone()
            report = None if held is None else report_of(held, who)
        withheld = row["report"] is not None and report is None
        x, y, w, h = row["x"], row["y"], row["w"], row["h"]
        tiles.append(Tile(row["id"], x, y, w, h, row["title"], row["text"], report, withheld))
    return tiles


def put_tiles(db: sqlite3.Connection, dashboard: sqlite3.Row, given: Sequence[GivenTile], who: Principal) -> None:
    """These tiles instead of those it has. Raises ``ActionRefused``."""
    if len(given) > MOST_TILES:
        raise ActionRefused(f"a dashboard has at most {MOST_TILES} tiles, found {len(given)}", status=422)
    for one in given:
        _check(one)
    before = {
        row["report"]
        for row in db.execute("SELECT report FROM dashboard_tiles WHERE dashboard = ?", (dashboard["id"],))
    }
    wanted = {one.report for one in given if one.report is not None}
    for report_id in wanted - before:
        row = db.execute(
            "SELECT 1 FROM saved_reports WHERE id = ? AND (shared OR owner = ?)", (report_id, owner_of(who))
        ).fetchone()
        if row is None:
            raise ActionRefused(f"there is no saved report {report_id[:100]!r} that you may use", status=422)
    db.execute("DELETE FROM dashboard_tiles WHERE dashboard = ?", (dashboard["id"],))
    ids: set[str] = set()
    for one in given:
        tile_id = one.id if one.id and one.id not in ids else new_id()
        ids.add(tile_id)
        db.execute(
            "INSERT INTO dashboard_tiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (tile_id, dashboard["id"], one.report, one.title.strip(), one.text, one.x, one.y, one.w, one.h),
        )


def share_reports(db: sqlite3.Connection, dashboard_id: str, who: Principal) -> None:
    """Who sees a dashboard sees its reports: the caller's own become shared. Raises ``ActionRefused`` where there
    is someone else's."""
    for row in db.execute(
        "SELECT DISTINCT saved_reports.id, saved_reports.name, owner FROM saved_reports JOIN dashboard_tiles ON "
        "report = saved_reports.id WHERE dashboard = ? AND NOT shared",
        (dashboard_id,),
    ).fetchall():
        if row["owner"] != owner_of(who):
            raise ActionRefused(f"the report {row['name']!r} is its author's own: only they can share it", status=409)
        db.execute("UPDATE saved_reports SET shared = 1 WHERE id = ?", (row["id"],))


def _check(tile: GivenTile) -> None:
    fits = tile.x >= 0 and tile.w >= 1 and tile.x + tile.w <= GRID
    if not fits or not 0 <= tile.y <= _LOWEST or not 1 <= tile.h <= _HIGHEST_TILE:
        raise ActionRefused(
            f"a tile at x {tile.x}, y {tile.y} of {tile.w} × {tile.h} does not lie on the grid of {GRID} columns",
            status=422,
        )

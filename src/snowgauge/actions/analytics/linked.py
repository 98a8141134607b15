"""A dashboard by a share link: its texts and its own questions, in another period at most. No SQL, and no person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from snowgauge.actions.analytics.answering import Asker, ReportAnswer, SqlLimits, answered, dashboards
from snowgauge.actions.analytics.saved.dashboards import Dashboard
from snowgauge.actions.analytics.saved.kinds import Kind
from snowgauge.actions.analytics.saved.shares import Share, of_dashboard
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.errors import AccessRefused, ActionRefused

_CHOICES = ("date_range", "timezone", "include")
_NO_SQL = SqlLimits(1, 1.0)


@dataclass(frozen=True)
class LinkedTile:
    """``kind``: ``None``: a text. ``shown``: SQL is not, since nobody can tell whether it shows a person."""

    id: str
    x: int
    y: int
    w: int
    h: int
    title: str
    text: str
    kind: Kind | None
    show: str
    shown: bool


@dataclass(frozen=True)
class LinkedDashboard:
    """``scope``: its period, zone and comparison."""

    name: str
    scope: dict[str, Any]
    refresh_s: int
    tiles: list[LinkedTile]


def linked(deployment: Deployment, share: Share) -> LinkedDashboard:
    """Raises ``ActionRefused`` where the link is to no dashboard."""
    board = _board(deployment, share)
    tiles = []
    for one in board.tiles:
        report = one.report
        title = one.title or (report.name if report else "")
        kind, show = (report.kind, report.show) if report else (None, "")
        tiles.append(LinkedTile(one.id, one.x, one.y, one.w, one.h, title, one.text, kind, show, shown=kind != "sql"))
    scope = {name: board.scope[name] for name in _CHOICES if name in board.scope}
    return LinkedDashboard(board.name, scope, board.refresh_s, tiles)


def linked_answer(deployment: Deployment, share: Share, tile_id: str, choices: Mapping[str, Any]) -> ReportAnswer:
    """One tile. ``choices``: the period of the viewer, and what it is compared with. Raises ``QuestionRefused``."""
    for name in choices:
        if name not in _CHOICES:
            raise QuestionRefused(str(name)[:100], f"only {', '.join(_CHOICES)} can be chosen on a shared dashboard")
    board = _board(deployment, share)
    tile = next((one for one in board.tiles if one.id == tile_id and one.report is not None), None)
    if tile is None or tile.report is None:
        raise ActionRefused(f"there is no report {tile_id[:100]!r} on this dashboard", status=404)
    if tile.report.kind == "sql":
        raise AccessRefused("results of SQL are not shown by a link", status=403)
    asker = Asker(None, _NO_SQL, partial(of_dashboard, share))
    return answered(deployment, tile.report.kind, tile.report.question, {**board.scope, **choices}, asker)


def _board(deployment: Deployment, share: Share) -> Dashboard:
    if share.dashboard is None:
        raise ActionRefused("this link shows the analytics page, not a dashboard", status=404)
    return dashboards(deployment).whole(share.dashboard)

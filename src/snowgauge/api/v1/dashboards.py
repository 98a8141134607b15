"""Dashboards: saved reports and texts on a grid."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from snowgauge.actions.analytics import answering
from snowgauge.actions.analytics.saved.dashboards import Dashboard, DashboardChange, DashboardEntry
from snowgauge.actions.analytics.saved.tiles import GivenTile
from snowgauge.api.doors import Caller, needs
from snowgauge.api.v1.parts import Parts
from snowgauge.api.v1.saved_reports import may_share

router = APIRouter(
    prefix="/analytics/dashboards", tags=["dashboards"], dependencies=[needs("read:aggregates", by_application=True)]
)


class GivenDashboard(BaseModel):
    """``copy_of``: a dashboard whose tiles and scope it gets."""

    name: str = Field(max_length=200)
    shared: bool = False
    copy_of: str | None = Field(default=None, max_length=100)


class PlacedTile(BaseModel):
    """``report``: a saved report; without one it is a text, in Markdown. ``x`` and ``w`` in columns of twelve, ``y``
    and ``h`` in rows. ``id``: of a tile that it has already."""

    x: int
    y: int
    w: int
    h: int
    report: str | None = Field(default=None, max_length=100)
    title: str = Field(default="", max_length=200)
    text: str = Field(default="", max_length=20_000)
    id: str = Field(default="", max_length=100)


class GivenDashboardChange(BaseModel):
    """``changed_at``: of the dashboard as it was read; it is refused (409) where someone changed it since."""

    name: str | None = Field(default=None, max_length=200)
    scope: dict[str, Any] | None = None
    refresh_s: int | None = None
    shared: bool | None = None
    tiles: list[PlacedTile] | None = Field(default=None, max_length=200)
    changed_at: int | None = None


class PlacedReport(BaseModel):
    report: str = Field(max_length=100)


@router.get("")
def dashboards(parts: Parts, who: Caller) -> list[DashboardEntry]:
    """Your dashboards and the shared ones, by name."""
    return answering.dashboards(parts).listed(who)


@router.post("", status_code=201)
def add_dashboard(given: GivenDashboard, parts: Parts, who: Caller) -> Dashboard:
    """Make a dashboard, or copy one. A shared one needs `write:analytics`."""
    may_share(who, given.shared)
    book = answering.dashboards(parts)
    if given.copy_of is not None:
        return book.copied(given.copy_of, given.name, who)
    return book.add(given.name, shared=given.shared, who=who)


@router.get("/{dashboard_id}")
def dashboard(dashboard_id: str, parts: Parts, who: Caller) -> Dashboard:
    """One that is yours or shared, with its tiles."""
    return answering.dashboards(parts).get(dashboard_id, who)


@router.patch("/{dashboard_id}")
def change_dashboard(dashboard_id: str, given: GivenDashboardChange, parts: Parts, who: Caller) -> Dashboard:
    """Change your dashboard; a shared one needs `write:analytics`. Sharing it shares your reports on it."""
    may_share(who, given.shared)
    placed = None if given.tiles is None else [GivenTile(**one.model_dump()) for one in given.tiles]
    change = DashboardChange(given.name, given.scope, given.refresh_s, given.shared, placed, given.changed_at)
    return answering.dashboards(parts).change(dashboard_id, who, change)


@router.post("/{dashboard_id}/tiles", status_code=201)
def put_on_dashboard(dashboard_id: str, given: PlacedReport, parts: Parts, who: Caller) -> Dashboard:
    """Put a saved report on a dashboard, after its other tiles."""
    return answering.dashboards(parts).put_on(dashboard_id, given.report, who)


@router.delete("/{dashboard_id}", status_code=204)
def remove_dashboard(dashboard_id: str, parts: Parts, who: Caller) -> None:
    """Remove your dashboard with its links; a shared one needs `write:analytics`. Its reports stay."""
    answering.dashboards(parts).remove(dashboard_id, who)

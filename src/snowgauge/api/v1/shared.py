"""Figures by a share link, without an account. The link's secret is exchanged for a ticket, which comes with every
question as ``Authorization: Share <ticket>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from snowgauge.actions.analytics import asking
from snowgauge.actions.analytics.answering import ReportAnswer
from snowgauge.actions.analytics.linked import LinkedDashboard, linked, linked_answer
from snowgauge.actions.analytics.saved.shares import Share, Shares, narrowed
from snowgauge.analytics.answer import AnalyticsAnswer
from snowgauge.analytics.definitions import Definitions, definitions
from snowgauge.analytics.live import Live
from snowgauge.api.doors import address
from snowgauge.api.v1.analytics import AnalyticsQuestion, Files, Text, question_of, zipped
from snowgauge.api.v1.parts import Parts
from snowgauge.api.v1.saved_reports import ReportScope
from snowgauge.errors import AccessRefused

router = APIRouter(prefix="/shared/{share_id}", tags=["shared"])


class Opening(BaseModel):
    secret: str = Field(max_length=200)
    password: str = Field(default="", max_length=1000)


@dataclass(frozen=True)
class SharedView:
    """What a link shows. ``dimensions``: ``null``: all that show no person. ``dashboard``: whether it is one; else it
    is the analytics page."""

    name: str
    apps: list[str]
    dimensions: list[str] | None
    expires_at: int | None
    dashboard: bool


@dataclass(frozen=True)
class Opened:
    """``ticket`` goes with every question, as ``Authorization: Share <ticket>``."""

    view: SharedView
    ticket: str


@router.post("/open")
def open_link(share_id: str, given: Opening, parts: Parts, request: Request) -> Opened:
    """Exchange the secret of a link, and its password where it has one (403 asks for it), for a ticket. Open to all."""
    share, handed = Shares(asking.saved(parts)).open(share_id, given.secret, given.password, ip=address(request))
    view = SharedView(share.name, share.apps, share.dimensions, share.expires_at, share.dashboard is not None)
    return Opened(view, handed)


def shared(share_id: str, request: Request, parts: Parts) -> Share:
    """The link whose ticket came with the request. Raises ``AccessRefused``."""
    scheme, _, handed = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "share" or not handed:
        raise AccessRefused("open the link first", status=401)
    return Shares(asking.saved(parts)).by_ticket(share_id, handed.strip())


def of_page(link: Annotated[Share, Depends(shared)]) -> Share:
    """As ``shared``, of a link to the analytics page: one to a dashboard opens nothing but its tiles."""
    if link.dashboard is not None:
        raise AccessRefused("this link shows one dashboard, and only its own questions can be asked", status=403)
    return link


AnyLink = Annotated[Share, Depends(shared)]
Link = Annotated[Share, Depends(of_page)]


@router.post("/query")
def query(parts: Parts, link: Link, asked: AnalyticsQuestion) -> AnalyticsAnswer:
    """Answer a question within what the link shows. For those with a ticket."""
    return asking.ask(parts, narrowed(link, asked.root))


@router.get("/csv")
def as_csv(parts: Parts, link: Link, question: Text) -> StreamingResponse:
    """The answer as CSV. For those with a ticket."""
    headers = {"content-disposition": 'attachment; filename="analytics.csv"'}
    pieces = asking.as_csv(parts, narrowed(link, question_of(question)))
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)


@router.post("/files", response_class=StreamingResponse)
def as_zip(parts: Parts, link: Link, asked: Files) -> StreamingResponse:
    """The answers to several questions as a ZIP of CSV files. For those with a ticket."""
    return zipped(asking.as_zip(parts, {name: narrowed(link, one) for name, one in asked.questions().items()}))


@router.get("/values")
def values(
    parts: Parts,
    link: Link,
    dimension: Annotated[str, Query(max_length=1000)],
    search: Annotated[str, Query(max_length=500)] = "",
    question: Text = "{}",
) -> list[asking.Suggestion]:
    """Values to filter by. For those with a ticket."""
    asked = narrowed(link, {**question_of(question), "dimensions": [dimension]})
    return asking.suggest(parts, dimension, search, asked)


@router.get("/live")
def live(parts: Parts, link: Link) -> Live:
    """Who is there now, in the link's applications. For those with a ticket."""
    return asking.now(parts, tuple(link.apps))


@router.get("/definitions")
def everything(link: AnyLink) -> Definitions:  # noqa: ARG001 - only for those with a ticket
    """Measures, dimensions and operators. For those with a ticket."""
    return definitions()


@router.get("/dashboard")
def dashboard(parts: Parts, link: AnyLink) -> LinkedDashboard:
    """The dashboard that the link shows. For those with a ticket."""
    return linked(parts, link)


@router.post("/tiles/{tile_id}")
def tile(parts: Parts, link: AnyLink, tile_id: str, given: ReportScope) -> ReportAnswer:
    """The answer of one of its tiles, in its own period or another. For those with a ticket."""
    return linked_answer(parts, link, tile_id, given.scope)

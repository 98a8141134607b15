"""What people keep of their questions: segments, annotations, share links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.answering import dashboards
from snowgauge.actions.analytics.asking import saved, segments_of
from snowgauge.actions.analytics.saved.annotations import Annotation, Annotations
from snowgauge.actions.analytics.saved.segments import Segment
from snowgauge.actions.analytics.saved.shares import NewShare, Share, Shares
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors

router = APIRouter(prefix="/analytics", tags=["analytics"])


class GivenSegment(BaseModel):
    name: str = Field(max_length=200)
    app: str = Field(default="", max_length=200)
    filters: list[Any] = Field(max_length=100)
    shared: bool = False


class SegmentChange(BaseModel):
    name: str | None = Field(default=None, max_length=200)
    filters: list[Any] | None = Field(default=None, max_length=100)
    shared: bool | None = None


class GivenAnnotation(BaseModel):
    """``at`` in ms since 1970; ``app`` empty: every application's chart."""

    app: str = Field(default="", max_length=200)
    at: int
    text: str = Field(max_length=1000)
    shared: bool = False


class AnnotationChange(BaseModel):
    at: int | None = None
    text: str | None = Field(default=None, max_length=1000)
    shared: bool | None = None


class GivenShare(BaseModel):
    """``apps``: none: all. ``dimensions``: those that may be asked for; ``null``: all that show no person.
    ``frame_ancestors``: origins that may embed the page. ``expires_at`` in ms. ``dashboard``: the link shows only this
    one."""

    name: str = Field(max_length=200)
    apps: list[str] = Field(default=[], max_length=50)
    filters: list[Any] = Field(default=[], max_length=100)
    dimensions: list[str] | None = Field(default=None, max_length=100)
    password: str = Field(default="", max_length=1000)
    frame_ancestors: list[str] = Field(default=[], max_length=20)
    expires_at: int | None = None
    dashboard: str | None = Field(default=None, max_length=100)


@dataclass(frozen=True)
class CreatedShare:
    """``secret`` is shown this once; ``path`` is where the link leads, secret included."""

    share: Share
    secret: str
    path: str


@router.get("/segments", dependencies=[needs("read:aggregates", by_application=True)])
def segments(parts: Parts, who: Caller) -> list[Segment]:
    """Your segments and the shared ones."""
    return segments_of(parts).listed(who)


@router.post("/segments", status_code=201, dependencies=[needs("read:aggregates", by_application=True)])
def add_segment(given: GivenSegment, parts: Parts, who: Caller) -> Segment:
    """Keep filters under a name. A shared segment needs `write:analytics`."""
    _may_share(who, given.shared)
    return segments_of(parts).add(given.name, given.app, given.filters, shared=given.shared, who=who)


@router.patch("/segments/{segment_id}", dependencies=[needs("read:aggregates", by_application=True)])
def change_segment(segment_id: str, given: SegmentChange, parts: Parts, who: Caller) -> Segment:
    """Change your segment; a shared one needs `write:analytics`."""
    _may_share(who, given.shared)
    return segments_of(parts).change(
        segment_id, who, name=given.name, filters=given.filters, shared=given.shared
    )  # fmt: skip


@router.delete("/segments/{segment_id}", status_code=204, dependencies=[needs("read:aggregates", by_application=True)])
def remove_segment(segment_id: str, parts: Parts, who: Caller) -> None:
    """Remove your segment; a shared one needs `write:analytics`."""
    segments_of(parts).remove(segment_id, who)


@router.get("/annotations", dependencies=[needs("read:aggregates", by_application=True)])
def notes(
    parts: Parts,
    who: Caller,
    app: Annotated[str, Query(max_length=200)] = "",
    since: Annotated[int, Query(description="From this time (ms).")] = 0,
    until: Annotated[int, Query(description="Before this time (ms).")] = 2**53,
) -> list[Annotation]:
    """Notes on an application's chart, yours and the shared ones, in the order of time."""
    return Annotations(saved(parts)).listed(who, app=app, since=since, until=until)


@router.post("/annotations", status_code=201, dependencies=[needs("read:aggregates", by_application=True)])
def add_annotation(given: GivenAnnotation, parts: Parts, who: Caller) -> Annotation:
    """Note something at a time. A shared note needs `write:analytics`."""
    _may_share(who, given.shared)
    return Annotations(saved(parts)).add(given.app, given.at, given.text, shared=given.shared, who=who)


@router.patch("/annotations/{annotation_id}", dependencies=[needs("read:aggregates", by_application=True)])
def change_annotation(annotation_id: str, given: AnnotationChange, parts: Parts, who: Caller) -> Annotation:
    """Change your note; a shared one needs `write:analytics`."""
    _may_share(who, given.shared)
    return Annotations(saved(parts)).change(
        annotation_id, who, at=given.at, text=given.text, shared=given.shared
    )  # fmt: skip


@router.delete(
    "/annotations/{annotation_id}", status_code=204, dependencies=[needs("read:aggregates", by_application=True)]
)
def remove_annotation(annotation_id: str, parts: Parts, who: Caller) -> None:
    """Remove your note; a shared one needs `write:analytics`."""
    Annotations(saved(parts)).remove(annotation_id, who)


@router.get("/shares", dependencies=[needs("write:analytics")])
def shares(parts: Parts) -> list[Share]:
    """Share links, without their secrets."""
    return Shares(saved(parts)).listed()


@router.post("/shares", status_code=201, dependencies=[needs("write:analytics")])
def add_share(given: GivenShare, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> CreatedShare:
    """Make a share link. Its secret is in this answer and nowhere else."""
    if given.dashboard is not None:
        dashboards(parts).get(given.dashboard, who)  # one that the caller may see
    share, secret = Shares(saved(parts)).add(NewShare(**given.model_dump()), who)
    doors.access.record(who, "add share link", share.name, ", ".join(share.apps) or "all", ip=address(request))
    return CreatedShare(share, secret, f"/share/{share.id}#{secret}")


@router.delete("/shares/{share_id}", status_code=204, dependencies=[needs("write:analytics")])
def revoke_share(share_id: str, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> None:
    """End a share link, at once."""
    share = Shares(saved(parts)).revoke(share_id)
    doors.access.record(who, "revoke share link", share.name, ip=address(request))


def _may_share(who: Principal, shared: bool | None) -> None:
    if shared and not who.may("write:analytics"):
        raise HTTPException(403, "sharing with others needs the scope write:analytics")

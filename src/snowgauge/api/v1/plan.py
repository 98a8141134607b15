"""The tracking plan: what is sent, what was meant to be, and where the two part."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from snowgauge.actions import plan
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.api.waiting import WHILE_WAITED_FOR
from snowgauge.plan.catalogue import PlanNote
from snowgauge.plan.drift import DriftEntry

router = APIRouter(prefix="/plan", tags=["tracking plan"])
Apps = Annotated[list[str], Query(description="Applications; without any: all.")]


class EventNote(BaseModel):
    """What you say about an event. ``status``: planned, deprecated, ignored, or nothing."""

    app: str = Field(max_length=255)
    event: str = Field(min_length=1, max_length=1000)
    status: str = Field(default="", max_length=20)
    owner: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=2000)


class DriftDecision(BaseModel):
    """``status``: accepted, ignored, or open again. ``app`` and ``event``: whose, where it is about what an event
    carries."""

    status: str = Field(max_length=20)
    app: str = Field(default="", max_length=255)
    event: str = Field(default="", max_length=1000)


@router.get("", dependencies=[needs("read:aggregates")])
def tracking_plan(parts: Parts, app: Apps = []) -> plan.TrackingPlan:  # noqa: B006 - FastAPI copies it
    """Every event of every application, since when and by what it is sent, and what changed."""
    return plan.tracking_plan(parts, tuple(app))


@router.get("/csv", dependencies=[needs("read:aggregates")])
def as_csv(parts: Parts, app: Apps = []) -> Response:  # noqa: B006
    """The events of the plan as CSV. No cell begins like a formula."""
    headers = {"content-disposition": 'attachment; filename="tracking-plan.csv"'}
    return Response(plan.as_csv(plan.tracking_plan(parts, tuple(app))), media_type="text/csv", headers=headers)


@router.get("/markdown", dependencies=[needs("read:aggregates")])
def as_markdown(parts: Parts, app: Apps = []) -> Response:  # noqa: B006
    """The plan as Markdown."""
    headers = {"content-disposition": 'attachment; filename="tracking-plan.md"'}
    return Response(
        plan.as_markdown(plan.tracking_plan(parts, tuple(app))), media_type="text/markdown", headers=headers
    )


App = Annotated[str, Query(max_length=255)]
Event = Annotated[str, Query(min_length=1, max_length=1000)]


@router.get("/event", dependencies=[needs("read:aggregates"), WHILE_WAITED_FOR])
def event(parts: Parts, who: Caller, event: Event, app: App = "") -> plan.EventDetail:
    """What an event carries: properties and entities, how often and as what, and what changed in the last 24 hours.
    Frequent values need `read:events`."""
    return plan.event_detail(parts, app, event, values=who.may("read:events"))


@router.get("/draft", dependencies=[needs("read:events"), WHILE_WAITED_FOR])
def draft(parts: Parts, event: Event, app: App = "") -> dict[str, Any]:
    """A draft of a schema that the event's own data fit. Look it over before publishing."""
    return plan.draft_of(parts, app, event)


@router.get("/properties/drift", dependencies=[needs("read:aggregates"), WHILE_WAITED_FOR])
def property_drift(parts: Parts, app: Apps = []) -> list[DriftEntry]:  # noqa: B006
    """What changed in what the 25 most frequent events carry: the last 24 hours beside the 14 days before."""
    return plan.property_drift(parts, tuple(app))


@router.put("/event", dependencies=[needs("write:alerts")])
def say(given: EventNote, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> PlanNote:
    """Plan an event, give it an owner and a description, or ignore it."""
    note = PlanNote(given.status, given.owner, given.description)
    made = plan.say_about_event(parts, given.app, given.event, note, who.name)
    doors.access.record(who, "tracking plan", f"{given.app}/{given.event}"[:200], given.status, ip=address(request))
    return made


@router.put("/drift/{drift_id}", dependencies=[needs("write:alerts")])
def decide(
    drift_id: str, given: DriftDecision, parts: Parts, doors: TheDoors, who: Caller, request: Request
) -> DriftEntry:
    """Accept what changed, or ignore it: then no alert tells it."""
    of = (given.app, given.event) if given.event else None
    made = plan.decide_drift(parts, drift_id, given.status, who.name, of)
    doors.access.record(who, "drift", made.summary[:200], given.status, ip=address(request))
    return made

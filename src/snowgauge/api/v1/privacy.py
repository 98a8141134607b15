"""One person's data: export, and erasure with a plan before it. For admins."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from snowgauge.actions import privacy
from snowgauge.actions.lifetime.erasing import Identifier
from snowgauge.actions.privacy import MOST_IDENTIFIERS, ErasurePlan, ErasureState
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors

router = APIRouter(prefix="/privacy", tags=["privacy"], dependencies=[needs("admin")])


class GivenIdentifier(BaseModel):
    kind: Literal["user_id", "domain_userid", "network_userid"]
    value: str = Field(min_length=1, max_length=1000)


class GivenPerson(BaseModel):
    """Any of the identifiers is enough to be meant."""

    identifiers: list[GivenIdentifier] = Field(min_length=1, max_length=MOST_IDENTIFIERS)

    def all(self) -> list[Identifier]:
        return [(one.kind, one.value) for one in self.identifiers]


class GivenErasure(GivenPerson):
    """``reason``: for the report, such as a ticket's number."""

    reason: str = Field(default="", max_length=500)


@router.post("/plan")
def plan(given: GivenPerson, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> ErasurePlan:
    """What an erasure would take out, place by place. Nothing is changed."""
    doors.access.record(who, "plan erasure", _kinds(given), ip=address(request))
    return privacy.plan(parts, given.all())


@router.post("/export", response_class=StreamingResponse)
def export(given: GivenPerson, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> StreamingResponse:
    """Everything that is held about the person, as a ZIP of JSON and CSV files."""
    doors.access.record(who, "export person", _kinds(given), ip=address(request))
    headers = {"content-disposition": 'attachment; filename="person.zip"'}
    return StreamingResponse(privacy.export(parts, given.all()), media_type="application/zip", headers=headers)


@router.post("/erasures", status_code=202)
def erase(given: GivenErasure, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> ErasureState:
    """Erase the person everywhere. The order is written down first: what breaks off is finished by
    `snowgauge erase --resume`."""
    made = privacy.erase(parts, given.all(), by=who.name, reason=given.reason)
    doors.access.record(who, "erase person", made.id, _kinds(given), ip=address(request))
    return made


@router.get("/erasures/{erasure_id}")
def erasure(erasure_id: str, parts: Parts) -> ErasureState:
    """How far an erasure is."""
    return privacy.state(parts, erasure_id)


def _kinds(given: GivenPerson) -> str:
    """For the audit log, which outlives the person's data: what kinds of identifiers, not which."""
    kinds = [one.kind for one in given.identifiers]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))

"""Invitations by link: made by admins, accepted by those who have one."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from snowgauge.actions.access.invitations import LONGEST_MS, PATH
from snowgauge.actions.access.records import Invitation
from snowgauge.actions.access.roles import Role
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.access import Apps, Me, begin_session, me_of, only
from snowgauge.api.v1.parts import TheDoors

router = APIRouter(prefix="/access/invitations", tags=["access"])


class NewInvitation(BaseModel):
    name: str = Field(max_length=200)
    role: Role
    apps: Apps = []
    days: int = Field(default=7, ge=1, le=LONGEST_MS // 86_400_000, description="For how long the link works.")


class InvitationLink(BaseModel):
    """``secret``: what the link has behind ``#``."""

    secret: str = Field(max_length=200)


class AcceptedInvitation(InvitationLink):
    password: str = Field(max_length=2000)


@dataclass(frozen=True)
class CreatedInvitation:
    """``path`` is where the link leads, secret included. It is shown this once."""

    invitation: Invitation
    path: str


@dataclass(frozen=True)
class Invited:
    """Who is invited, as what, and until when (ms)."""

    name: str
    role: Role
    expires_at: int


@router.get("", dependencies=[needs("admin")])
def invitations(doors: TheDoors) -> list[Invitation]:
    """Invitations that can be accepted, without their secrets."""
    return doors.access.invitations.listed()


@router.post("", status_code=201, dependencies=[needs("admin")])
def invite(given: NewInvitation, request: Request, doors: TheDoors, who: Caller) -> CreatedInvitation:
    """Invite a user by a link that works once; they choose the password. Another for the same name replaces it."""
    made, secret = doors.access.invitations.add(
        given.name, given.role, who.name, lasts_ms=given.days * 86_400_000, apps=given.apps
    )  # fmt: skip
    doors.access.record(who, "invite person", made.name, f"role {made.role}{only(made.apps)}", ip=address(request))
    return CreatedInvitation(made, f"{PATH}#{secret}")


@router.delete("/{invitation_id}", status_code=204, dependencies=[needs("admin")])
def revoke_invitation(invitation_id: str, request: Request, doors: TheDoors, who: Caller) -> None:
    """Revoke an invitation, at once."""
    revoked = doors.access.invitations.revoke(invitation_id)
    doors.access.record(who, "revoke invitation", revoked.name, ip=address(request))


@router.post("/open")
def open_invitation(given: InvitationLink, doors: TheDoors) -> Invited:
    """Whom an invitation is for. Open to everyone who has its secret."""
    invited = doors.access.invitations.opened(given.secret)
    return Invited(invited.name, invited.role, invited.expires_at)


@router.post("/accept", status_code=201)
def accept_invitation(given: AcceptedInvitation, request: Request, response: Response, doors: TheDoors) -> Me:
    """Choose the password: the account is made, and its first session begins. Open to everyone who has the secret."""
    session = doors.access.accept_invitation(given.secret, given.password)
    return me_of(begin_session(session, request, response, doors, "accepted an invitation"), doors)

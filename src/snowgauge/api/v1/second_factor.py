"""The second factor of one's own login, and its removal for those who have lost it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from snowgauge.actions.access.records import Person
from snowgauge.actions.access.second_factor import demanded
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import TheDoors

router = APIRouter(prefix="/access", tags=["access"])


class GivenPassword(BaseModel):
    password: str = Field(max_length=2000)


class GivenCode(BaseModel):
    code: str = Field(max_length=100)


@dataclass(frozen=True)
class SecondFactorState:
    """``required``: of someone with this role. ``recovery_codes``: how many are left."""

    on: bool
    required: bool
    recovery_codes: int


@dataclass(frozen=True)
class EnrolmentShown:
    """``secret`` in base32 to type, ``uri`` to scan, and ``qr``, its QR code as an SVG image."""

    secret: str
    uri: str
    qr: str


@dataclass(frozen=True)
class RecoveryCodes:
    """Each works once in place of a code. They are shown this once."""

    codes: list[str]


@router.get("/second-factor")
def second_factor(doors: TheDoors, who: Caller) -> SecondFactorState:
    """Whether a code of an authenticator app is asked for when you log in."""
    required = who.role is not None and demanded(doors.settings.second_factor_required_for, who.role)
    if who.person_id is None:
        return SecondFactorState(False, False, 0)
    factors = doors.access.second_factors
    return SecondFactorState(factors.has(who.person_id), required, factors.left(who.person_id))


@router.post("/second-factor")
def begin_second_factor(given: GivenPassword, doors: TheDoors, who: Caller) -> EnrolmentShown:
    """A new secret for your authenticator app. Codes are asked for once you have confirmed it with one."""
    made = doors.access.begin_second_factor(who, given.password)
    return EnrolmentShown(made.secret, made.uri, _qr(made.uri))


@router.post("/second-factor/confirm")
def confirm_second_factor(given: GivenCode, request: Request, doors: TheDoors, who: Caller) -> RecoveryCodes:
    """Confirm it with a code of the app. Your other sessions end."""
    codes = doors.access.confirm_second_factor(who, given.code)
    doors.access.record(who, "add second factor", who.name, ip=address(request))
    return RecoveryCodes(codes)


@router.post("/second-factor/remove", status_code=204)
def remove_second_factor(given: GivenPassword, request: Request, doors: TheDoors, who: Caller) -> None:
    """Log in without codes from now on. Refused where the settings require them."""
    doors.access.remove_second_factor(who, given.password)
    doors.access.record(who, "remove second factor", who.name, ip=address(request))


@router.delete("/people/{person_id}/second-factor", dependencies=[needs("admin")])
def reset_second_factor(person_id: str, request: Request, doors: TheDoors, who: Caller) -> Person:
    """Remove a user's second factor, for one who has lost it. Their sessions end."""
    person = doors.access.reset_second_factor(person_id)
    doors.access.record(who, "reset second factor", person.name, ip=address(request))
    return person


def _qr(text: str) -> str:
    """Drawn here: the secret goes to no other host."""
    import segno

    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", scale=4, border=4, light="#fff", xmldecl=False)
    return drawn.getvalue().decode()

"""Logging in and out; people, keys and the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from snowgauge.actions.access.book import ApiKey, AuditEntry, Person
from snowgauge.actions.access.roles import ROLES, SCOPES, Principal, Role, Scope
from snowgauge.api.doors import COOKIE, Caller, address, needs
from snowgauge.api.v1.parts import TheDoors

router = APIRouter(prefix="/access", tags=["access"])


class Login(BaseModel):
    name: str = Field(max_length=200)
    password: str = Field(max_length=2000)


class NewPerson(Login):
    role: Role


class PersonChange(BaseModel):
    role: Role | None = None
    password: str | None = Field(default=None, max_length=2000)


class NewKey(BaseModel):
    name: str = Field(max_length=200)
    scopes: list[Scope]
    expires_at: int | None = None


@dataclass(frozen=True)
class Me:
    """``login_needed``: whether the private port asks for one at all."""

    login_needed: bool
    known: bool
    name: str = ""
    kind: str = ""
    role: str | None = None
    scopes: tuple[str, ...] = ()
    csrf: str | None = None


@dataclass(frozen=True)
class CreatedKey:
    """``secret`` is shown this once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True)
class Rules:
    """What each role may do, and what each scope opens."""

    roles: dict[str, list[str]]
    scopes: dict[str, str]


@router.get("/me")
def me(request: Request, doors: TheDoors) -> Me:
    """Who I am here. Open to everybody."""
    return _me(doors.principal(request), doors.open())


def _me(who: Principal | None, is_open: bool) -> Me:
    if who is None:
        return Me(not is_open, False)
    return Me(not is_open, True, who.name, who.kind, who.role, tuple(sorted(who.scopes)), who.csrf)


@router.post("/login")
def login(given: Login, request: Request, response: Response, doors: TheDoors) -> Me:
    """Start a session: its token comes as a cookie that scripts cannot read. Open to everybody."""
    session = doors.access.log_in(given.name, given.password, ip=address(request))
    response.set_cookie(
        COOKIE, session.token, max_age=int(doors.settings.session_lifetime.total_seconds()), path="/",
        secure=doors.secure_cookies, httponly=True, samesite="strict",
    )  # fmt: skip
    who = doors.access.by_session(session.token)
    assert who is not None
    doors.access.record(who, "login", ip=address(request))
    return _me(who, doors.open())


@router.post("/logout", status_code=204)
def logout(request: Request, response: Response, doors: TheDoors, _: Caller) -> None:
    """End this session."""
    doors.access.log_out(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/", secure=doors.secure_cookies, httponly=True, samesite="strict")


@router.get("/rules")
def rules(_: Caller) -> Rules:
    """Roles and scopes."""
    return Rules({role: sorted(scopes) for role, scopes in ROLES.items()}, {str(k): v for k, v in SCOPES.items()})


@router.get("/people", dependencies=[needs("admin")])
def people(doors: TheDoors) -> list[Person]:
    """Everybody who may log in."""
    return doors.access.people()


@router.post("/people", status_code=201, dependencies=[needs("admin")])
def add_person(given: NewPerson, request: Request, doors: TheDoors, who: Caller) -> Person:
    """Let somebody in. The first person must be an admin; from then on everybody has to log in."""
    person = doors.access.add_person(given.name, given.password, given.role)
    doors.access.record(who, "add person", person.name, f"role {person.role}", ip=address(request))
    return person


@router.patch("/people/{person_id}", dependencies=[needs("admin")])
def change_person(person_id: str, given: PersonChange, request: Request, doors: TheDoors, who: Caller) -> Person:
    """Another role, or a new password, which ends the person's sessions."""
    person = doors.access.change_person(person_id, role=given.role, password=given.password)
    done = [f"role {given.role}"] * (given.role is not None) + ["new password"] * (given.password is not None)
    doors.access.record(who, "change person", person.name, ", ".join(done), ip=address(request))
    return person


@router.delete("/people/{person_id}", status_code=204, dependencies=[needs("admin")])
def remove_person(person_id: str, request: Request, doors: TheDoors, who: Caller) -> None:
    """Shut somebody out, at once."""
    person = doors.access.remove_person(person_id)
    doors.access.record(who, "remove person", person.name, ip=address(request))


@router.get("/keys", dependencies=[needs("admin")])
def keys(doors: TheDoors) -> list[ApiKey]:
    """API keys, without their secrets."""
    return doors.access.keys()


@router.post("/keys", status_code=201, dependencies=[needs("admin")])
def add_key(given: NewKey, request: Request, doors: TheDoors, who: Caller) -> CreatedKey:
    """A key for a program. Its secret is in this answer and nowhere else."""
    key, secret = doors.access.add_key(given.name, given.scopes, created_by=who.name, expires_at=given.expires_at)
    doors.access.record(who, "add key", key.name, ", ".join(key.scopes), ip=address(request))
    return CreatedKey(key, secret)


@router.delete("/keys/{key_id}", status_code=204, dependencies=[needs("admin")])
def remove_key(key_id: str, request: Request, doors: TheDoors, who: Caller) -> None:
    """End a key, at once."""
    key = doors.access.remove_key(key_id)
    doors.access.record(who, "remove key", key.name, ip=address(request))


@router.get("/audit", dependencies=[needs("admin")])
def audit(
    doors: TheDoors, limit: Annotated[int, Query(ge=1, le=500)] = 100, before: int | None = None
) -> list[AuditEntry]:
    """What was done, newest first."""
    return doors.access.audit(limit=limit, before=before)

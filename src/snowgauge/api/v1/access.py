"""Logging in and out; people, keys and the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from snowgauge.actions.access.records import ApiKey, AuditEntry, OpenSession, Person, Session
from snowgauge.actions.access.roles import ROLE_TEXTS, ROLES, SCOPES, Principal, Role, Scope
from snowgauge.actions.access.second_factor import CodeNeeded
from snowgauge.api.doors import COOKIE, Caller, Doors, address, needs
from snowgauge.api.oidc.login import Attempt, LoginFailed, OidcLogin, Returned
from snowgauge.api.v1.parts import TheDoors
from snowgauge.errors import ActionRefused
from snowgauge.telemetry.logs import logger

router = APIRouter(prefix="/access", tags=["access"])
_log = logger("access")
_ATTEMPT = "snowgauge_login"
_OIDC_PATH = "/api/v1/access/oidc"


class Login(BaseModel):
    name: str = Field(max_length=200)
    password: str = Field(max_length=2000)


class LoginWithCode(Login):
    """``code``: of the authenticator app, or a recovery code, where a second factor is on."""

    code: str = Field(default="", max_length=100)


Apps = Annotated[
    list[Annotated[str, Field(max_length=255)]],
    Field(max_length=50, description="The only applications that may be seen; none: all."),
]


class NewPerson(Login):
    role: Role
    apps: Apps = []


class PersonChange(BaseModel):
    role: Role | None = None
    password: str | None = Field(default=None, max_length=2000)
    apps: Apps | None = None


class NewPassword(BaseModel):
    current: str = Field(max_length=2000)
    new: str = Field(max_length=2000)


class NewKey(BaseModel):
    name: str = Field(max_length=200)
    scopes: list[Scope]
    expires_at: int | None = None
    apps: Apps = []


@dataclass(frozen=True)
class Me:
    """``login_needed``: whether the private port asks for one at all. ``login_through``: what the identity provider is
    called, where there is one (`oidc/start`). ``code_needed``: the password was right, and a code has to come with it.
    ``owes_second_factor``: nothing is allowed before one is set up. ``apps``: the only applications that I may see."""

    login_needed: bool
    known: bool
    name: str = ""
    kind: str = ""
    role: str | None = None
    scopes: tuple[str, ...] = ()
    csrf: str | None = None
    login_through: str | None = None
    code_needed: bool = False
    owes_second_factor: bool = False
    apps: tuple[str, ...] | None = None


@dataclass(frozen=True)
class CreatedKey:
    """``secret`` is shown this once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True)
class Rules:
    """What each role may do, as scopes and in words, the least first; and what each scope opens."""

    roles: dict[str, list[str]]
    role_texts: dict[str, str]
    scopes: dict[str, str]


def only(apps: Sequence[str]) -> str:
    """A limit in words, for the audit log."""
    return f", only {', '.join(apps)}" if apps else ""


@router.get("/me")
def me(request: Request, doors: TheDoors) -> Me:
    """Who I am here. Open to everyone."""
    return me_of(doors.principal(request), doors)


def me_of(who: Principal | None, doors: Doors) -> Me:
    """``None``: someone unknown."""
    through = doors.settings.oidc.name if doors.oidc is not None else None
    if who is None:
        return Me(not doors.open(), False, login_through=through)
    return Me(
        not doors.open(), True, who.name, who.kind, who.role, tuple(sorted(who.scopes)), who.csrf, through,
        owes_second_factor=who.owes_second_factor, apps=who.apps,
    )  # fmt: skip


@router.post("/login")
def login(given: LoginWithCode, request: Request, response: Response, doors: TheDoors) -> Me:
    """Start a session: its token comes as a cookie that scripts cannot read. Open to everyone. Where the answer has
    `code_needed`, none was started: send a code as well."""
    try:
        session = doors.access.log_in(given.name, given.password, code=given.code, ip=address(request))
    except CodeNeeded:
        return replace(me_of(None, doors), code_needed=True)
    return me_of(begin_session(session, request, response, doors, ""), doors)


def begin_session(session: Session, request: Request, response: Response, doors: Doors, detail: str) -> Principal:
    """Give the browser the session's cookie."""
    response.set_cookie(
        COOKIE, session.token, max_age=int(doors.settings.session_lifetime.total_seconds()), path="/",
        secure=doors.secure_cookies, httponly=True, samesite="strict",
    )  # fmt: skip
    who = doors.access.by_session(session.token)
    assert who is not None
    doors.access.record(who, "login", detail=detail, ip=address(request))
    return who


@router.get("/oidc/start", status_code=303, response_class=RedirectResponse)
def oidc_start(
    request: Request, doors: TheDoors, to: Annotated[str, Query(max_length=2000, description="Page to go to.")] = "/"
) -> RedirectResponse:
    """Send the browser to the identity provider to log in. Open to everyone."""
    try:
        there, attempt = _oidc(doors).begin(to, _callback(request, doors))
    except LoginFailed as failed:
        return _back(failed, doors)
    response = RedirectResponse(there, 303)
    # lax: it has to come back with the provider's redirect
    response.set_cookie(
        _ATTEMPT, attempt.text(), max_age=600, path=_OIDC_PATH, secure=doors.secure_cookies, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return response


@router.get("/oidc/callback", status_code=303, response_class=RedirectResponse)
def oidc_callback(
    request: Request, doors: TheDoors, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> RedirectResponse:
    """Where the identity provider sends the browser back to: starts a session as `login` does. Open to everyone."""
    oidc = _oidc(doors)
    attempt = Attempt.read(request.cookies.get(_ATTEMPT, ""))
    try:
        session, target = oidc.finish(Returned(state, code, error, iss), attempt, ip=address(request))
    except LoginFailed as failed:
        response = _back(failed, doors)
    else:
        response = RedirectResponse(target, 303)
        begin_session(session, request, response, doors, f"through {doors.settings.oidc.issuer}")
    response.delete_cookie(_ATTEMPT, path=_OIDC_PATH, secure=doors.secure_cookies, httponly=True, samesite="lax")
    return response


def _oidc(doors: Doors) -> OidcLogin:
    if doors.oidc is None:
        raise ActionRefused("there is no identity provider: console.oidc.issuer is not set", status=404)
    return doors.oidc


def _callback(request: Request, doors: Doors) -> str:
    scheme = "https" if doors.secure_cookies else "http"
    return f"{scheme}://{request.headers.get('host', '')}{_OIDC_PATH}/callback"


def _back(failed: LoginFailed, doors: Doors) -> RedirectResponse:
    """To the console's login page, which says why in its own words."""
    _log.warning("login_failed", issuer=doors.settings.oidc.issuer, reason=failed.reason, detail=str(failed)[:500])
    page, mark, query = failed.target.partition("?")
    return RedirectResponse(f"{page}?{query}{'&' if mark and query else ''}refused={failed.reason}", 303)


@router.post("/logout", status_code=204)
def logout(request: Request, response: Response, doors: TheDoors, _: Caller) -> None:
    """End this session."""
    doors.access.log_out(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/", secure=doors.secure_cookies, httponly=True, samesite="strict")


@router.get("/rules")
def rules(_: Caller) -> Rules:
    """Roles and scopes."""
    return Rules(
        {role: sorted(scopes) for role, scopes in ROLES.items()},
        {str(role): text for role, text in ROLE_TEXTS.items()},
        {str(scope): text for scope, text in SCOPES.items()},
    )


@router.post("/password", status_code=204)
def change_password(given: NewPassword, request: Request, doors: TheDoors, who: Caller) -> None:
    """Change your own password. Your other sessions end."""
    doors.access.change_own_password(who, given.current, given.new)
    doors.access.record(who, "change own password", who.name, ip=address(request))


@router.get("/sessions")
def sessions(doors: TheDoors, who: Caller) -> list[OpenSession]:
    """Your own sessions."""
    return doors.access.sessions_of(who)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: str, request: Request, doors: TheDoors, who: Caller) -> None:
    """End one of your own sessions, at once."""
    doors.access.end_session(who, session_id)
    doors.access.record(who, "end session", session_id, ip=address(request))


@router.get("/people", dependencies=[needs("admin")])
def people(doors: TheDoors) -> list[Person]:
    """Everyone who may log in."""
    return doors.access.people()


@router.post("/people", status_code=201, dependencies=[needs("admin")])
def add_person(given: NewPerson, request: Request, doors: TheDoors, who: Caller) -> Person:
    """Add a user. The first user must be an admin; from then on everyone has to log in."""
    person = doors.access.add_person(given.name, given.password, given.role, given.apps)
    doors.access.record(who, "add person", person.name, f"role {person.role}{only(person.apps)}", ip=address(request))
    return person


@router.patch("/people/{person_id}", dependencies=[needs("admin")])
def change_person(person_id: str, given: PersonChange, request: Request, doors: TheDoors, who: Caller) -> Person:
    """Another role, other applications, or a new password, which ends the person's sessions."""
    person = doors.access.change_person(person_id, role=given.role, password=given.password, apps=given.apps)
    done = [f"role {given.role}"] * (given.role is not None) + ["new password"] * (given.password is not None)
    done += [f"applications {', '.join(person.apps) or 'all'}"] * (given.apps is not None)
    doors.access.record(who, "change person", person.name, ", ".join(done), ip=address(request))
    return person


@router.delete("/people/{person_id}", status_code=204, dependencies=[needs("admin")])
def remove_person(person_id: str, request: Request, doors: TheDoors, who: Caller) -> None:
    """Remove a user at once."""
    person = doors.access.remove_person(person_id)
    doors.access.record(who, "remove person", person.name, ip=address(request))


@router.get("/keys", dependencies=[needs("admin")])
def keys(doors: TheDoors) -> list[ApiKey]:
    """API keys, without their secrets."""
    return doors.access.keys()


@router.post("/keys", status_code=201, dependencies=[needs("admin")])
def add_key(given: NewKey, request: Request, doors: TheDoors, who: Caller) -> CreatedKey:
    """A key for a program. Its secret is in this answer and nowhere else."""
    key, secret = doors.access.add_key(given.name, given.scopes, created_by=who.name, expires_at=given.expires_at,
                                          apps=given.apps)  # fmt: skip
    doors.access.record(who, "add key", key.name, ", ".join(key.scopes) + only(key.apps), ip=address(request))
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
    """The audit log, newest first."""
    return doors.access.audit(limit=limit, before=before)

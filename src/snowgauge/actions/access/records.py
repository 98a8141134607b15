"""What the register of people, keys and sessions answers with. Times are milliseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

from snowgauge.actions.access.roles import Role, Scope


@dataclass(frozen=True)
class Person:
    """``issuer``: the identity provider through which the person logs in. ``second_factor``: a code is asked for at the
    login. ``apps``: the only applications that the person may see; none: all."""

    id: str
    name: str
    role: Role
    created_at: int
    last_login: int | None = None
    issuer: str | None = None
    second_factor: bool = False
    apps: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Invitation:
    """Someone who may become a person of this name and role by following a link."""

    id: str
    name: str
    role: Role
    apps: list[str]
    created_by: str
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs: ``secret`` in base32 to type, ``uri`` to scan."""

    secret: str
    uri: str


@dataclass(frozen=True)
class ApiKey:
    """``hint`` are the first characters, to tell keys apart; the rest is not kept."""

    id: str
    name: str
    hint: str
    scopes: list[Scope]
    created_by: str
    created_at: int
    last_used: int | None = None
    expires_at: int | None = None
    apps: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AuditEntry:
    number: int
    at: int
    who: str
    kind: str
    action: str
    subject: str
    detail: str
    ip: str


@dataclass(frozen=True)
class Session:
    """``token`` goes into the cookie and is not kept; ``csrf`` is shown to the page."""

    token: str
    csrf: str
    expires_at: int
    person: Person


@dataclass(frozen=True)
class OpenSession:
    """``id`` are the first characters of the token's hash. ``here``: it is the one that asks. Times in ms."""

    id: str
    created_at: int
    expires_at: int
    here: bool

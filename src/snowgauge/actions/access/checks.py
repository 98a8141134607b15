"""What holds of every user, key and invitation. Each raises ``AccessRefused`` for what cannot be."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

from snowgauge.actions.access.roles import ROLES, SCOPES, Role, Scope
from snowgauge.errors import AccessRefused

_LONGEST_NAME = 100


def name_of(text: str) -> str:
    """Without blanks around it."""
    name = text.strip()
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise AccessRefused(f"the name must have 1 to {_LONGEST_NAME} characters")
    return name


def role_of(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise AccessRefused(f"unknown role {text!r}: use one of {', '.join(ROLES)}")


def scopes_of(texts: Iterable[str]) -> list[Scope]:
    """Each once, in order; at least one."""
    wanted = sorted(set(texts))
    for text in wanted:
        if text not in SCOPES:
            raise AccessRefused(f"unknown scope {text!r}: use any of {', '.join(SCOPES)}")
    if not wanted:
        raise AccessRefused("a key needs at least one scope")
    return sorted(scope for scope in SCOPES if scope in wanted)


def refuse_first_but_admin(db: sqlite3.Connection, role: Role) -> None:
    """The first user closes the open door, so it has to be one who can add others."""
    if role != "admin" and not db.execute("SELECT 1 FROM people WHERE role = 'admin' LIMIT 1").fetchone():
        raise AccessRefused("the first user must be an admin, who can then add others")


def digest(secret: str) -> str:
    """What is kept of a secret of many random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

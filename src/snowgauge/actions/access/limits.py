"""Access to single applications: a person, a key or an invitation may be limited to some app ids."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Literal

from snowgauge.actions.access.roles import BY_APPLICATION, Role, Scope
from snowgauge.errors import AccessRefused

MOST = 50
"""Of one question, which is asked of all of them at once."""
_LONGEST = 255


def checked(apps: Iterable[str]) -> list[str]:
    """App ids as they are kept; none: all applications. Raises ``AccessRefused``."""
    wanted = sorted({app.strip() for app in apps})
    if any(not app or len(app) > _LONGEST or not app.isprintable() for app in wanted):
        raise AccessRefused(f"an app id has 1 to {_LONGEST} printable characters")
    if len(wanted) > MOST:
        raise AccessRefused(f"access can be limited to at most {MOST} applications, these are {len(wanted)}")
    return wanted


def refuse_admin(role: Role, apps: list[str]) -> None:
    """Raises ``AccessRefused`` for an admin with a limit, who could lift it."""
    if role == "admin" and apps:
        raise AccessRefused("an admin sees every application: choose another role, or no applications")


def keep(db: sqlite3.Connection, table: Literal["person_limits", "key_limits"], subject: str, apps: list[str]) -> None:
    """Limit a person or a key, or lift the limit where there are no ``apps``."""
    column = table.partition("_")[0]
    if apps:
        db.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (subject, json.dumps(apps)))  # noqa: S608
    else:
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (subject,))  # noqa: S608


def kept(text: str | None) -> list[str]:
    """``text``: of the column ``apps``; ``None``: there is no limit."""
    return [] if text is None else [str(app) for app in json.loads(text)]


def within(scopes: frozenset[Scope], apps: list[str]) -> frozenset[Scope]:
    """What is left of a role's or key's scopes."""
    return scopes & BY_APPLICATION if apps else scopes

"""Invitations by link: an admin names a person and a role, the person chooses the password.

A link works once and for a limited time. Only the hash of its secret (256 random bits) is kept. The link carries the
secret behind ``#``, so that neither servers nor proxies write it down.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Iterable

from snowgauge.actions.access import limits
from snowgauge.actions.access.checks import digest, name_of, refuse_first_but_admin, role_of
from snowgauge.actions.access.records import Invitation
from snowgauge.errors import AccessRefused
from snowgauge.state.tables import SharedTables

PATH = "/invitation"
"""The console's page that a link leads to; the secret follows behind ``#``."""
USUAL_MS = 7 * 86_400_000
LONGEST_MS = 30 * 86_400_000
_MOST = 200


class Invitations:
    """``clock`` gives milliseconds."""

    def __init__(self, tables: SharedTables, clock: Callable[[], int]) -> None:
        self._tables = tables
        self._clock = clock

    def listed(self) -> list[Invitation]:
        """Those that can be accepted, by name."""
        with self._tables.reading() as db:
            rows = db.execute("SELECT * FROM invitations WHERE expires_at > ? ORDER BY name", (self._clock(),))
            return [_invitation(row) for row in rows]

    def add(
        self, name: str, role: str, created_by: str, *, lasts_ms: int = USUAL_MS, apps: Iterable[str] = ()
    ) -> tuple[Invitation, str]:
        """The invitation and its secret, which is shown this once. One for the same name replaces it. Raises
        ``AccessRefused``."""
        name, wanted = name_of(name), role_of(role)
        if not 0 < lasts_ms <= LONGEST_MS:
            raise AccessRefused(f"an invitation is valid for at most {LONGEST_MS // 86_400_000} days")
        limited = limits.checked(apps)
        limits.refuse_admin(wanted, limited)
        now = self._clock()
        secret = secrets.token_urlsafe(32)
        made = Invitation(str(uuid.uuid4()), name, wanted, limited, created_by, now, now + lasts_ms)
        with self._tables.writing() as db:
            if db.execute("SELECT 1 FROM people WHERE name = ?", (name,)).fetchone():
                raise AccessRefused(f"a user named {name!r} already exists")
            refuse_first_but_admin(db, wanted)
            db.execute("DELETE FROM invitations WHERE expires_at <= ? OR name = ?", (now, name))
            if db.execute("SELECT count(*) FROM invitations").fetchone()[0] >= _MOST:
                raise AccessRefused(f"{_MOST} invitations are open: revoke one first")
            db.execute(
                "INSERT INTO invitations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (made.id, made.name, made.role, json.dumps(limited), digest(secret), created_by, now, made.expires_at),
            )
        return made, secret

    def revoke(self, invitation_id: str) -> Invitation:
        with self._tables.writing() as db:
            row = db.execute("SELECT * FROM invitations WHERE id = ?", (invitation_id,)).fetchone()
            if row is None:
                raise AccessRefused(f"there is no invitation {invitation_id[:100]!r}", status=404)
            db.execute("DELETE FROM invitations WHERE id = ?", (invitation_id,))
            return _invitation(row)

    def opened(self, secret: str) -> Invitation:
        """The invitation of a link. Raises ``AccessRefused``: one answer for every reason."""
        with self._tables.reading() as db:
            return self._valid(db, secret)

    def take(self, db: sqlite3.Connection, secret: str) -> Invitation:
        """As ``opened``, and it is used up, in the caller's transaction."""
        taken = self._valid(db, secret)
        db.execute("DELETE FROM invitations WHERE id = ?", (taken.id,))
        return taken

    def _valid(self, db: sqlite3.Connection, secret: str) -> Invitation:
        known = digest(secret)
        row = db.execute(
            "SELECT * FROM invitations WHERE hash = ? AND expires_at > ?", (known, self._clock())
        ).fetchone()
        if row is None or not secrets.compare_digest(row["hash"], known):
            raise AccessRefused(
                "this invitation is not valid: it was used or revoked, has expired or is incomplete. Ask for another",
                status=401,
            )
        return _invitation(row)


def _invitation(row: sqlite3.Row) -> Invitation:
    return Invitation(
        row["id"],
        row["name"],
        role_of(row["role"]),
        limits.kept(row["apps"]),
        row["created_by"],
        row["created_at"],
        row["expires_at"],
    )

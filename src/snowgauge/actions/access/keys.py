"""API keys: 256 random bits each, of which the SHA-256 is kept."""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress

from snowgauge.actions.access import limits
from snowgauge.actions.access.checks import digest, name_of, scopes_of
from snowgauge.actions.access.records import ApiKey
from snowgauge.actions.access.roles import Principal
from snowgauge.errors import AccessRefused, StateUnavailable
from snowgauge.state.tables import Overtaken, SharedTables

PREFIX = "sg_"
_USE_MS = 60_000
_KEYS = "SELECT keys.*, key_limits.apps FROM keys LEFT JOIN key_limits ON key_limits.key = keys.id"


class ApiKeys:
    """``clock`` gives milliseconds."""

    def __init__(self, tables: SharedTables, clock: Callable[[], int]) -> None:
        self._tables = tables
        self._clock = clock

    def listed(self) -> list[ApiKey]:
        with self._tables.reading() as db:
            return [_key(row) for row in db.execute(f"{_KEYS} ORDER BY created_at DESC, id")]

    def add(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        created_by: str,
        expires_at: int | None = None,
        apps: Iterable[str] = (),
    ) -> tuple[ApiKey, str]:
        """The key's record and its secret, which is shown this once. ``apps``: the only applications that it may see;
        none: all. Raises ``AccessRefused``."""
        limited = limits.checked(apps)
        wanted = scopes_of(scopes)
        name = name_of(name)
        beyond = [scope for scope in wanted if scope not in limits.within(frozenset(wanted), limited)]
        if beyond:
            raise AccessRefused(f"the scope {beyond[0]} is about all applications: a key for some cannot have it")
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(str(uuid.uuid4()), name, secret[:9], wanted, created_by, self._clock(), None, expires_at, limited)
        with self._tables.writing() as db:
            db.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (key.id, key.name, key.hint, digest(secret), json.dumps(wanted), created_by, key.created_at, None,
                 expires_at),
            )  # fmt: skip
            limits.keep(db, "key_limits", key.id, limited)
        return key, secret

    def remove(self, key_id: str) -> ApiKey:
        with self._tables.writing() as db:
            row = db.execute(f"{_KEYS} WHERE keys.id = ?", (key_id,)).fetchone()
            if row is None:
                raise AccessRefused(f"there is no key {key_id!r}")
            db.execute("DELETE FROM keys WHERE id = ?", (key_id,))
            return _key(row)

    def principal(self, secret: str) -> Principal | None:
        """The program that has this secret."""
        now = self._clock()
        known = digest(secret)
        with self._tables.reading() as db:
            row = db.execute(f"{_KEYS} WHERE keys.hash = ?", (known,)).fetchone()
        if row is None or not hmac.compare_digest(row["hash"], known):
            return None
        key = _key(row)
        if key.expires_at is not None and key.expires_at <= now:
            return None
        if key.last_used is None or now - key.last_used > _USE_MS:
            # a figure for people; it must not keep a key from working
            with suppress(StateUnavailable, Overtaken), self._tables.writing() as db:
                db.execute("UPDATE keys SET last_used = ? WHERE id = ?", (now, key.id))
        scopes = limits.within(frozenset(key.scopes), key.apps)
        return Principal(f"key {key.name}", "key", scopes, apps=tuple(key.apps) or None)


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        row["id"], row["name"], row["hint"], json.loads(row["scopes"]), row["created_by"], row["created_at"],
        row["last_used"], row["expires_at"], limits.kept(row["apps"]),
    )  # fmt: skip

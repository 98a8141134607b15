"""People, sessions, keys and the audit log in one SQLite file, ``console.sqlite`` of the data folder.

Passwords are kept as argon2id hashes; session tokens and API keys (both 256 random bits) as SHA-256, so that the file
lets nobody in. Safe for threads; several processes may have it open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from snowgauge.actions.access import guesses
from snowgauge.actions.access.records import ApiKey, AuditEntry, OpenSession, Person, Session
from snowgauge.actions.access.roles import ROLES, SCOPES, Principal, Role, Scope
from snowgauge.errors import AccessRefused, StateUnavailable
from snowgauge.state.tables import Overtaken, SharedTables

KEY_PREFIX = "sg_"
_LEAST_PASSWORD = 10
_TRIES = 5
_SESSION_ID = 16
_OWN = """
CREATE TABLE IF NOT EXISTS people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL, role TEXT NOT NULL,
  created_at INTEGER NOT NULL, last_login INTEGER);
CREATE TABLE IF NOT EXISTS identities (
  issuer TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL UNIQUE REFERENCES people(id) ON DELETE CASCADE,
  PRIMARY KEY (issuer, subject));
CREATE TABLE IF NOT EXISTS sessions (
  token TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES people(id) ON DELETE CASCADE, csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, hint TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
  created_by TEXT NOT NULL, created_at INTEGER NOT NULL, last_used INTEGER, expires_at INTEGER);
CREATE TABLE IF NOT EXISTS audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
  action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, ip TEXT NOT NULL);
"""
LAYOUT = _OWN + guesses.LAYOUT
_PEOPLE = "SELECT people.*, identities.issuer FROM people LEFT JOIN identities ON identities.person = people.id"
_NO_PASSWORD = ""


class AccessBook:
    """The register. ``clock`` gives milliseconds."""

    def __init__(
        self,
        place: Path | SharedTables,
        *,
        session_seconds: float = 12 * 3600,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """``place``: the file, or the tables that machines share."""
        from argon2 import PasswordHasher

        self._clock = clock
        self._session_ms = int(session_seconds * 1000)
        self._tables = place if isinstance(place, SharedTables) else SharedTables(place, LAYOUT, {})
        self._hasher = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    def close(self) -> None:
        self._tables.close()

    # ---- people -----------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        return [_person(row) for row in self._rows(f"{_PEOPLE} ORDER BY name")]

    def has_admin(self) -> bool:
        return bool(self._rows("SELECT 1 FROM people WHERE role = 'admin' LIMIT 1"))

    def has_people(self) -> bool:
        return bool(self._rows("SELECT 1 FROM people LIMIT 1"))

    def add_person(self, name: str, password: str, role: Role) -> Person:
        """Raises ``AccessRefused`` for a name that is taken or a password that is too short."""
        name = name.strip()
        if not 1 <= len(name) <= 100:
            raise AccessRefused("the name must have 1 to 100 characters")
        if role not in ROLES:
            raise AccessRefused(f"unknown role {role!r}: use one of {', '.join(ROLES)}")
        hashed = self._hashed(password, name)
        person = Person(str(uuid.uuid4()), name, role, self._clock())
        with self._tables.writing() as db:
            # the first person closes the open door, so it has to be one who can let others in
            if role != "admin" and not self.has_admin():
                raise AccessRefused("the first person must be an admin: someone has to be able to let others in")
            try:
                db.execute(
                    "INSERT INTO people (id, name, password, role, created_at) VALUES (?, ?, ?, ?, ?)",
                    (person.id, name, hashed, role, person.created_at),
                )
            except sqlite3.IntegrityError:
                raise AccessRefused(f"there is someone named {name!r} already") from None
        return person

    def change_person(self, person_id: str, *, role: Role | None = None, password: str | None = None) -> Person:
        """A new password ends the person's sessions."""
        with self._tables.writing() as db:
            person = self._find(person_id)
            if role is not None and role != person.role:
                if role not in ROLES:
                    raise AccessRefused(f"unknown role {role!r}: use one of {', '.join(ROLES)}")
                self._keep_an_admin(person)
                db.execute("UPDATE people SET role = ? WHERE id = ?", (role, person_id))
            if password is not None:
                if person.issuer is not None:
                    raise AccessRefused(f"{person.name} logs in through {person.issuer} and has no password here")
                db.execute(
                    "UPDATE people SET password = ? WHERE id = ?", (self._hashed(password, person.name), person_id)
                )
                db.execute("DELETE FROM sessions WHERE person = ?", (person_id,))
            return self._find(person_id)

    def remove_person(self, person_id: str) -> Person:
        with self._tables.writing() as db:
            person = self._find(person_id)
            self._keep_an_admin(person)
            db.execute("DELETE FROM people WHERE id = ?", (person_id,))
            return person

    def _keep_an_admin(self, person: Person) -> None:
        admins = self._rows("SELECT count(*) AS n FROM people WHERE role = 'admin'")[0]["n"]
        if person.role == "admin" and admins == 1:
            raise AccessRefused(f"{person.name} is the only admin: make someone else one first")

    def _find(self, person_id: str) -> Person:
        rows = self._rows(f"{_PEOPLE} WHERE id = ?", person_id)
        if not rows:
            raise AccessRefused(f"there is no person {person_id!r}")
        return _person(rows[0])

    def _hashed(self, password: str, name: str) -> str:
        if len(password) < _LEAST_PASSWORD:
            raise AccessRefused(f"the password must have at least {_LEAST_PASSWORD} characters")
        if len(password) > 1000:
            raise AccessRefused("the password must have at most 1000 characters")
        if name.lower() in password.lower() and len(password) < len(name) + 8:
            raise AccessRefused("the password must not be made of the name")
        return self._hasher.hash(password)

    # ---- sessions ---------------------------------------------------------------------------------------------

    def log_in(self, name: str, password: str, *, ip: str = "") -> Session:
        """Raises ``AccessRefused``. After too many tries the password is not looked at: see ``guesses``."""
        from argon2.exceptions import InvalidHashError, VerificationError

        now = self._clock()
        with self._tables.local() as db:
            guesses.Guesses(db).count(name, ip, now)
            rows = self._rows(f"{_PEOPLE} WHERE name = ? AND password <> ?", name.strip(), _NO_PASSWORD)
        hashed = rows[0]["password"] if rows else self._nobody
        try:
            # an unknown name costs as much time as a known one
            self._hasher.verify(hashed, password)
            known = bool(rows)
        except (VerificationError, InvalidHashError):
            known = False
        if not known:
            raise AccessRefused("name or password is wrong", status=401)
        with self._tables.writing() as db:
            if self._hasher.check_needs_rehash(hashed):
                db.execute("UPDATE people SET password = ? WHERE id = ?", (self._hasher.hash(password), rows[0]["id"]))
            guesses.Guesses(db).right(name, ip, now)
            return self._begin(db, rows[0]["id"])

    def log_in_through(self, issuer: str, subject: str, names: Iterable[str], role: Role, *, follow: bool) -> Session:
        """A session for someone whom an identity provider vouches for. The pair of issuer and subject is the person,
        never a name: the first of ``names`` that is free becomes theirs when they come for the first time.

        ``role`` is theirs then; with ``follow`` it is at every login.
        """
        with self._tables.writing() as db:
            known = self._rows("SELECT person FROM identities WHERE issuer = ? AND subject = ?", issuer, subject)
            if known:
                person_id = str(known[0]["person"])
                if follow:
                    db.execute("UPDATE people SET role = ? WHERE id = ?", (role, person_id))
                return self._begin(db, person_id)
            person_id = str(uuid.uuid4())
            wanted = list(names)
            # someone else may have the name: an account of the console's own, or a person of another provider
            wanted += [f"{name} ({person_id[:8]})" for name in wanted]
            free = next(name for name in wanted if not self._rows("SELECT 1 FROM people WHERE name = ?", name))
            db.execute(
                "INSERT INTO people (id, name, password, role, created_at) VALUES (?, ?, ?, ?, ?)",
                (person_id, free, _NO_PASSWORD, role, self._clock()),
            )
            db.execute("INSERT INTO identities VALUES (?, ?, ?)", (issuer, subject, person_id))
            return self._begin(db, person_id)

    def _begin(self, db: sqlite3.Connection, person_id: str) -> Session:
        now = self._clock()
        db.execute("UPDATE people SET last_login = ? WHERE id = ?", (now, person_id))
        db.execute("DELETE FROM sessions WHERE expires_at < ?", (now,))
        session = Session(
            secrets.token_urlsafe(32), secrets.token_urlsafe(24), now + self._session_ms, self._find(person_id)
        )
        db.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
            (_digest(session.token), person_id, session.csrf, now, session.expires_at),
        )
        return session

    def by_session(self, token: str) -> Principal | None:
        rows = self._rows(
            "SELECT people.*, NULL AS issuer, sessions.csrf FROM sessions JOIN people ON people.id = sessions.person "
            "WHERE sessions.token = ? AND sessions.expires_at > ?",
            _digest(token),
            self._clock(),
        )
        if not rows:
            return None
        person = _person(rows[0])
        return Principal(
            person.name, "person", ROLES[person.role], person.role, person.id, _digest(token), rows[0]["csrf"]
        )

    def change_own_password(self, who: Principal, current: str, new: str) -> None:
        """Ends the person's other sessions. Raises ``AccessRefused`` where ``current`` is not their password."""
        from argon2.exceptions import InvalidHashError, VerificationError

        if who.person_id is None:
            raise AccessRefused("only a user with an account here has a password")
        rows = self._rows(f"{_PEOPLE} WHERE id = ? AND password <> ?", who.person_id, _NO_PASSWORD)
        if not rows:
            raise AccessRefused(f"{who.name} logs in through an identity provider and has no password here")
        now = self._clock()
        with self._tables.local() as db:
            guesses.Guesses(db).count(who.name, "", now)
        try:
            self._hasher.verify(rows[0]["password"], current)
        except (VerificationError, InvalidHashError):
            raise AccessRefused("the current password is wrong", status=422) from None
        hashed = self._hashed(new, who.name)
        with self._tables.writing() as db:
            db.execute("UPDATE people SET password = ? WHERE id = ?", (hashed, who.person_id))
            db.execute("DELETE FROM sessions WHERE person = ? AND token <> ?", (who.person_id, who.session))
            guesses.Guesses(db).right(who.name, "", now)

    def sessions_of(self, who: Principal) -> list[OpenSession]:
        """The person's sessions, the newest first."""
        rows = self._rows(
            "SELECT * FROM sessions WHERE person = ? AND expires_at > ? ORDER BY created_at DESC, token",
            who.person_id,
            self._clock(),
        )
        return [
            OpenSession(row["token"][:_SESSION_ID], row["created_at"], row["expires_at"], row["token"] == who.session)
            for row in rows
        ]

    def end_session(self, who: Principal, session_id: str) -> None:
        """End one of the person's own sessions. Raises ``AccessRefused`` where there is none with this id."""
        with self._tables.writing() as db:
            ended = db.execute(
                "DELETE FROM sessions WHERE person = ? AND substr(token, 1, ?) = ?",
                (who.person_id, _SESSION_ID, session_id),
            )
            if not ended.rowcount:
                raise AccessRefused(f"you have no session {session_id!r}", status=404)

    def log_out(self, token: str) -> None:
        with self._tables.writing() as db:
            db.execute("DELETE FROM sessions WHERE token = ?", (_digest(token),))

    # ---- keys -------------------------------------------------------------------------------------------------

    def keys(self) -> list[ApiKey]:
        return [_key(row) for row in self._rows("SELECT * FROM keys ORDER BY created_at DESC, id")]

    def add_key(
        self, name: str, scopes: Iterable[Scope], *, created_by: str, expires_at: int | None = None
    ) -> tuple[ApiKey, str]:
        """The key's record and its secret, which is shown this once."""
        wanted = sorted(set(scopes))
        unknown = [scope for scope in wanted if scope not in SCOPES]
        if unknown:
            raise AccessRefused(f"unknown scope {unknown[0]!r}: use any of {', '.join(SCOPES)}")
        if not wanted:
            raise AccessRefused("a key needs at least one scope")
        if not 1 <= len(name.strip()) <= 100:
            raise AccessRefused("the name must have 1 to 100 characters")
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(str(uuid.uuid4()), name.strip(), secret[:9], wanted, created_by, self._clock(), None, expires_at)
        with self._tables.writing() as db:
            db.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (key.id, key.name, key.hint, _digest(secret), json.dumps(wanted), created_by, key.created_at, None,
                 expires_at),
            )  # fmt: skip
        return key, secret

    def remove_key(self, key_id: str) -> ApiKey:
        with self._tables.writing() as db:
            rows = self._rows("SELECT * FROM keys WHERE id = ?", key_id)
            if not rows:
                raise AccessRefused(f"there is no key {key_id!r}")
            db.execute("DELETE FROM keys WHERE id = ?", (key_id,))
            return _key(rows[0])

    def by_key(self, secret: str) -> Principal | None:
        now = self._clock()
        digest = _digest(secret)
        rows = self._rows("SELECT * FROM keys WHERE hash = ?", digest)
        if not rows or not hmac.compare_digest(rows[0]["hash"], digest):
            return None
        key = _key(rows[0])
        if key.expires_at is not None and key.expires_at <= now:
            return None
        if key.last_used is None or now - key.last_used > 60_000:
            # a figure for people; it must not keep a key from working
            with suppress(StateUnavailable, Overtaken), self._tables.writing() as db:
                db.execute("UPDATE keys SET last_used = ? WHERE id = ?", (now, key.id))
        return Principal(f"key {key.name}", "key", frozenset(key.scopes))

    # ---- audit ------------------------------------------------------------------------------------------------

    def record(self, who: Principal, action: str, subject: str = "", detail: str = "", *, ip: str = "") -> None:
        """Write down what was done."""
        values = (self._clock(), who.name, who.kind, action, subject[:500], detail[:2000], ip)
        for left in reversed(range(_TRIES)):
            try:
                with self._tables.writing() as db:
                    db.execute(
                        "INSERT INTO audit (at, who, kind, action, subject, detail, ip) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        values,
                    )
                return
            except Overtaken:
                if not left:
                    raise

    def audit(self, *, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Newest first; ``before`` is the number of the last one seen."""
        rows = self._rows("SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?", before or 2**62, limit)
        return [AuditEntry(**dict(row)) for row in rows]

    def _rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._tables.reading() as db:
            return db.execute(sql, values).fetchall()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _person(row: sqlite3.Row) -> Person:
    return Person(row["id"], row["name"], cast(Role, row["role"]), row["created_at"], row["last_login"], row["issuer"])


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        row["id"], row["name"], row["hint"], json.loads(row["scopes"]), row["created_by"], row["created_at"],
        row["last_used"], row["expires_at"],
    )  # fmt: skip

"""People, sessions, keys and the audit log in one SQLite file, ``console.sqlite`` of the data folder.

Passwords are kept as argon2id hashes; session tokens and API keys (both 256 random bits) as SHA-256, so that the file
lets nobody in. Safe for threads; several processes may have it open.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from snowgauge.actions.access import guesses, limits
from snowgauge.actions.access.audit import AuditLog
from snowgauge.actions.access.checks import digest, name_of, refuse_first_but_admin, role_of
from snowgauge.actions.access.invitations import Invitations
from snowgauge.actions.access.keys import ApiKeys
from snowgauge.actions.access.layout import LAYOUT
from snowgauge.actions.access.passwords import Passwords
from snowgauge.actions.access.records import ApiKey, AuditEntry, Enrolment, OpenSession, Person, Session
from snowgauge.actions.access.roles import ROLES, Principal, Role, Scope
from snowgauge.actions.access.second_factor import Demand, SecondFactors, demanded
from snowgauge.errors import AccessRefused
from snowgauge.state.tables import SharedTables

_SESSION_ID = 16
_PERSON = "people.*, identities.issuer, second_factors.confirmed_at IS NOT NULL AS second_factor, person_limits.apps"
_MORE = (
    "LEFT JOIN identities ON identities.person = people.id "
    "LEFT JOIN second_factors ON second_factors.person = people.id "
    "LEFT JOIN person_limits ON person_limits.person = people.id"
)
_PEOPLE = f"SELECT {_PERSON} FROM people {_MORE}"  # noqa: S608 - names of ours
_NO_PASSWORD = ""


class AccessBook:
    """The register. ``clock`` gives milliseconds."""

    def __init__(
        self,
        place: Path | SharedTables,
        *,
        session_seconds: float = 12 * 3600,
        demand: Demand = "nobody",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """``place``: the file, or the tables that machines share. ``demand``: who must have a second factor."""
        self._clock = clock
        self._session_ms = int(session_seconds * 1000)
        self._tables = place if isinstance(place, SharedTables) else SharedTables(place, LAYOUT, {})
        self._passwords = Passwords()
        self._demand = demand
        self._keys = ApiKeys(self._tables, clock)
        self._audit = AuditLog(self._tables, clock)
        self.invitations = Invitations(self._tables, clock)
        self.second_factors = SecondFactors(self._tables, clock)

    def close(self) -> None:
        self._tables.close()

    # ---- people -----------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        return [_person(row) for row in self._rows(f"{_PEOPLE} ORDER BY name")]

    def has_admin(self) -> bool:
        return bool(self._rows("SELECT 1 FROM people WHERE role = 'admin' LIMIT 1"))

    def has_people(self) -> bool:
        return bool(self._rows("SELECT 1 FROM people LIMIT 1"))

    def add_person(self, name: str, password: str, role: str, apps: Iterable[str] = ()) -> Person:
        """``apps``: the only applications that the person may see; none: all. Raises ``AccessRefused`` for a name that
        is taken or a password that is too short."""
        name, wanted = name_of(name), role_of(role)
        hashed = self._passwords.hashed(password, name)
        with self._tables.writing() as db:
            return self._insert(db, name, hashed, wanted, apps)

    def accept_invitation(self, secret: str, password: str) -> Session:
        """The person of an invitation, with the password that they chose, and a session. Raises ``AccessRefused``."""
        invited = self.invitations.opened(secret)
        hashed = self._passwords.hashed(password, invited.name)
        with self._tables.writing() as db:
            invited = self.invitations.take(db, secret)
            return self._begin(db, self._insert(db, invited.name, hashed, invited.role, invited.apps).id)

    def _insert(self, db: sqlite3.Connection, name: str, hashed: str, role: Role, apps: Iterable[str]) -> Person:
        person = Person(str(uuid.uuid4()), name, role, self._clock(), apps=limits.checked(apps))
        limits.refuse_admin(role, person.apps)
        refuse_first_but_admin(db, role)
        try:
            db.execute(
                "INSERT INTO people (id, name, password, role, created_at) VALUES (?, ?, ?, ?, ?)",
                (person.id, name, hashed, role, person.created_at),
            )
        except sqlite3.IntegrityError:
            raise AccessRefused(f"a user named {name!r} already exists") from None
        limits.keep(db, "person_limits", person.id, person.apps)
        db.execute("DELETE FROM invitations WHERE name = ?", (name,))
        return person

    def change_person(
        self,
        person_id: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        apps: Iterable[str] | None = None,
    ) -> Person:
        """A new password ends the person's sessions. ``apps``: the only applications that they may see; none: all."""
        with self._tables.writing() as db:
            person = self._find(person_id)
            if apps is not None:
                limits.keep(db, "person_limits", person_id, limits.checked(apps))
            limits.refuse_admin(role or person.role, self._find(person_id).apps)
            if role is not None and role != person.role:
                self._keep_an_admin(person)
                db.execute("UPDATE people SET role = ? WHERE id = ?", (role_of(role), person_id))
            if password is not None:
                if person.issuer is not None:
                    raise AccessRefused(f"{person.name} logs in through {person.issuer} and has no password here")
                db.execute(
                    "UPDATE people SET password = ? WHERE id = ?",
                    (self._passwords.hashed(password, person.name), person_id),
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
            raise AccessRefused(f"{person.name} is the only admin: make another user an admin first")

    def _find(self, person_id: str) -> Person:
        rows = self._rows(f"{_PEOPLE} WHERE people.id = ?", person_id)
        if not rows:
            raise AccessRefused(f"there is no user {person_id!r}")
        return _person(rows[0])

    # ---- sessions ---------------------------------------------------------------------------------------------

    def log_in(self, name: str, password: str, *, code: str = "", ip: str = "") -> Session:
        """Raises ``AccessRefused``; ``CodeNeeded`` where only the code of a second factor is missing. After too many
        tries neither is looked at: see ``guesses``."""
        now = self._clock()
        with self._tables.local() as db:
            guesses.Guesses(db).count(name, ip, now)
            rows = self._rows(f"{_PEOPLE} WHERE name = ? AND password <> ?", name.strip(), _NO_PASSWORD)
        if not self._passwords.right(rows[0]["password"] if rows else None, password):
            raise AccessRefused("name or password is wrong", status=401)
        person = _person(rows[0])
        if person.second_factor:
            self.second_factors.check(person.id, code)
        renewed = self._passwords.renewed(rows[0]["password"], password)
        with self._tables.writing() as db:
            if person.second_factor:
                self.second_factors.accept(db, person.id, code)
            if renewed is not None:
                db.execute("UPDATE people SET password = ? WHERE id = ?", (renewed, person.id))
            guesses.Guesses(db).right(name, ip, now)
            return self._begin(db, person.id)

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
            (digest(session.token), person_id, session.csrf, now, session.expires_at),
        )
        return session

    def by_session(self, token: str) -> Principal | None:
        rows = self._rows(
            f"SELECT {_PERSON}, sessions.csrf FROM sessions JOIN people ON people.id = sessions.person {_MORE} "  # noqa: S608
            "WHERE sessions.token = ? AND sessions.expires_at > ?",
            digest(token),
            self._clock(),
        )
        if not rows:
            return None
        person = _person(rows[0])
        # a provider asks for a second factor of its own
        owes = demanded(self._demand, person.role) and not person.second_factor and person.issuer is None
        scopes: frozenset[Scope] = frozenset() if owes else limits.within(ROLES[person.role], person.apps)
        return Principal(
            person.name, "person", scopes, person.role, person.id, digest(token), rows[0]["csrf"], owes,
            tuple(person.apps) or None,
        )  # fmt: skip

    def change_own_password(self, who: Principal, current: str, new: str) -> None:
        """Ends the person's other sessions. Raises ``AccessRefused`` where ``current`` is not their password."""
        self.check_password(who, current)
        hashed = self._passwords.hashed(new, who.name)
        with self._tables.writing() as db:
            db.execute("UPDATE people SET password = ? WHERE id = ?", (hashed, who.person_id))
            self._end_others(db, who)

    def check_password(self, who: Principal, password: str) -> str:
        """The person's id, where the password is theirs. Raises ``AccessRefused``."""
        if who.person_id is None:
            raise AccessRefused("only a user with an account here has a password")
        rows = self._rows(f"{_PEOPLE} WHERE people.id = ? AND password <> ?", who.person_id, _NO_PASSWORD)
        if not rows:
            raise AccessRefused(f"{who.name} logs in through an identity provider and has no password here")
        now = self._clock()
        with self._tables.local() as db:
            guesses.Guesses(db).count(who.name, "", now)
        if not self._passwords.right(rows[0]["password"], password):
            raise AccessRefused("the current password is wrong", status=422)
        with self._tables.writing() as db:
            guesses.Guesses(db).right(who.name, "", now)
        return who.person_id

    def begin_second_factor(self, who: Principal, password: str) -> Enrolment:
        """Raises ``AccessRefused`` where the password is not the person's, or there is a second factor already."""
        return self.second_factors.begin(self.check_password(who, password), who.name)

    def confirm_second_factor(self, who: Principal, code: str) -> list[str]:
        """The recovery codes. Ends the person's other sessions. Raises ``AccessRefused``."""
        if who.person_id is None:
            raise AccessRefused("only a user with an account here has a second factor")
        codes = self.second_factors.confirm(who.person_id, code)
        with self._tables.writing() as db:
            self._end_others(db, who)
        return codes

    def remove_second_factor(self, who: Principal, password: str) -> None:
        """One's own. Raises ``AccessRefused``."""
        person_id = self.check_password(who, password)
        if who.role is not None and demanded(self._demand, who.role):
            raise AccessRefused(f"a second factor is required of {self._demand} (console.second_factor_required_for)")
        if not self.second_factors.remove(person_id):
            raise AccessRefused("there is no second factor", status=404)

    def reset_second_factor(self, person_id: str) -> Person:
        """Remove another person's, who has lost it, and end their sessions. Raises ``AccessRefused``."""
        with self._tables.writing() as db:
            person = self._find(person_id)
            if not self.second_factors.remove(person_id):
                raise AccessRefused(f"{person.name} has no second factor", status=404)
            db.execute("DELETE FROM sessions WHERE person = ?", (person_id,))
            return self._find(person_id)

    @staticmethod
    def _end_others(db: sqlite3.Connection, who: Principal) -> None:
        db.execute("DELETE FROM sessions WHERE person = ? AND token <> ?", (who.person_id, who.session))

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
            db.execute("DELETE FROM sessions WHERE token = ?", (digest(token),))

    # ---- keys and audit ---------------------------------------------------------------------------------------

    def keys(self) -> list[ApiKey]:
        return self._keys.listed()

    def add_key(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        created_by: str,
        expires_at: int | None = None,
        apps: Iterable[str] = (),
    ) -> tuple[ApiKey, str]:
        """The key's record and its secret, which is shown this once. ``apps``: see ``add_person``."""
        return self._keys.add(name, scopes, created_by=created_by, expires_at=expires_at, apps=apps)

    def remove_key(self, key_id: str) -> ApiKey:
        return self._keys.remove(key_id)

    def by_key(self, secret: str) -> Principal | None:
        return self._keys.principal(secret)

    def record(self, who: Principal, action: str, subject: str = "", detail: str = "", *, ip: str = "") -> None:
        """Write down what was done."""
        self._audit.record(who, action, subject, detail, ip)

    def audit(self, *, limit: int = 100, before: int | None = None) -> list[AuditEntry]:
        """Newest first; ``before`` is the number of the last one seen."""
        return self._audit.read(limit, before)

    def _rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._tables.reading() as db:
            return db.execute(sql, values).fetchall()


def _person(row: sqlite3.Row) -> Person:
    return Person(
        row["id"], row["name"], role_of(row["role"]), row["created_at"], row["last_login"], row["issuer"],
        bool(row["second_factor"]), limits.kept(row["apps"]),
    )  # fmt: skip

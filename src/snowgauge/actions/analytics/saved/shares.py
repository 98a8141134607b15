"""Share links: figures for someone without an account. A link has a secret, may have a password and an end, can be
revoked, and shows no person.

Who opens a link gives the secret (and the password) once and gets a ticket for some hours, so that neither travels with
every question. Only hashes are kept of all three.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snowgauge.actions.access.guesses import LAYOUT as GUESSES
from snowgauge.actions.access.guesses import Guesses
from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, room
from snowgauge.analytics.dimensions import DIMENSIONS, PROPERTY, TIMES
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.errors import AccessRefused, ActionRefused

TICKET_MS = 12 * 3_600_000
_ORIGIN = re.compile(r"https?://(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?")
_LEAST_PASSWORD = 8
_HIDDEN = frozenset({"event:query", "event:fragment", "visit:login", "visit:search_term", "visit:utm_term"})
"""What visitors or sites may have written of a person, and never leaves by a link."""


@dataclass(frozen=True)
class Share:
    """``dimensions``: those that may be asked for; ``None``: all that show no person. ``frame_ancestors``: the origins
    that may embed the page. ``dashboard``: the one that it shows; ``None``: the analytics page. Times in ms."""

    id: str
    name: str
    apps: list[str]
    filters: list[Any]
    dimensions: list[str] | None
    has_password: bool
    frame_ancestors: list[str]
    created_by: str
    created_at: int
    expires_at: int | None
    last_used: int | None
    dashboard: str | None


@dataclass(frozen=True)
class NewShare:
    """What a link is to show. ``apps``: none: all. ``password`` empty: none. ``dashboard``: only this one."""

    name: str
    apps: Sequence[str] = ()
    filters: Sequence[Any] = ()
    dimensions: Sequence[str] | None = None
    password: str = ""
    frame_ancestors: Sequence[str] = ()
    expires_at: int | None = None
    dashboard: str | None = None


class Shares:
    def __init__(self, database: SavedDatabase) -> None:
        from argon2 import PasswordHasher

        self._database = database
        self._hasher = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)

    def listed(self) -> list[Share]:
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM shares ORDER BY name COLLATE NOCASE, id").fetchall()
        return [_share(row) for row in rows]

    def add(self, wanted: NewShare, who: Principal) -> tuple[Share, str]:
        """The link's record and its secret, which is shown this once."""
        now = self._database.clock()
        self._check(wanted, now)
        secret = secrets.token_urlsafe(32)
        hashed = self._hasher.hash(wanted.password) if wanted.password else ""
        share_id = new_id()
        with self._database.writing() as db:
            room(db, "shares")
            db.execute(
                "INSERT INTO shares VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
                (share_id, checked(wanted.name, "the name", 100), _digest(secret), hashed,
                 json.dumps(list(wanted.apps)), json.dumps(list(wanted.filters)),
                 None if wanted.dimensions is None else json.dumps(list(wanted.dimensions)),
                 json.dumps(list(wanted.frame_ancestors)), who.name, now, wanted.expires_at,
                 wanted.dashboard),
            )  # fmt: skip
            return _share(_found(db, share_id)), secret

    def revoke(self, share_id: str) -> Share:
        """It ends at once, tickets included."""
        with self._database.writing() as db:
            found = _share(_found(db, share_id))
            db.execute("DELETE FROM shares WHERE id = ?", (share_id,))
            return found

    def open(self, share_id: str, secret: str, password: str, *, ip: str) -> tuple[Share, str]:
        """The link and a ticket for the next hours. Raises ``AccessRefused``: one answer for every reason but a missing
        password, and slower and slower for someone who guesses."""
        now = self._database.clock()
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM shares WHERE id = ?", (share_id,)).fetchone()
            if row is None or not secrets.compare_digest(row["hash"], _digest(secret)) or _over(row, now):
                raise AccessRefused("this link is not valid: it was revoked, has ended or is incomplete", status=401)
            if row["password"]:
                if not password:
                    raise AccessRefused("this link has a password", status=403)
                self._guess(db, row, password, ip, now)
        handed = secrets.token_urlsafe(32)
        with self._database.writing() as db:
            db.execute("DELETE FROM share_tickets WHERE expires_at <= ?", (now,))
            _found(db, share_id)
            db.execute("INSERT INTO share_tickets VALUES (?, ?, ?)", (_digest(handed), share_id, now + TICKET_MS))
            db.execute("UPDATE shares SET last_used = ? WHERE id = ?", (now, share_id))
        return _share(row), handed

    def by_ticket(self, share_id: str, handed: str) -> Share:
        """The link that a ticket is for. Raises ``AccessRefused``."""
        now = self._database.clock()
        with self._database.reading() as db:
            row = db.execute(
                "SELECT shares.* FROM share_tickets JOIN shares ON shares.id = share_tickets.share WHERE "
                "share_tickets.hash = ? AND share_tickets.expires_at > ? AND shares.id = ?",
                (_digest(handed), now, share_id),
            ).fetchone()
        if row is None or _over(row, now):
            raise AccessRefused("open the link again", status=401)
        return _share(row)

    def frame_ancestors(self, share_id: str) -> list[str]:
        """The origins that may embed the page of a link; none of a link that there is not."""
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM shares WHERE id = ?", (share_id,)).fetchone()
        return [] if row is None or _over(row, self._database.clock()) else list(json.loads(row["frame_ancestors"]))

    def _guess(self, db: sqlite3.Connection, row: sqlite3.Row, password: str, ip: str, now: int) -> None:
        from argon2.exceptions import VerificationError

        db.executescript(GUESSES)
        guesses = Guesses(db)
        guesses.count(f"share {row['id']}", ip, now)
        try:
            self._hasher.verify(row["password"], password)
        except VerificationError:
            raise AccessRefused("the password is wrong", status=403) from None
        guesses.right(f"share {row['id']}", ip, now)

    def _check(self, wanted: NewShare, now: int) -> None:
        if wanted.password and len(wanted.password) < _LEAST_PASSWORD:
            raise ActionRefused(f"the password must have at least {_LEAST_PASSWORD} characters", status=422)
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise ActionRefused("the link would have ended already: give a time in the future", status=422)
        for origin in wanted.frame_ancestors:
            if not _ORIGIN.fullmatch(origin):
                raise ActionRefused(
                    f"{origin[:100]!r} is no origin that could embed a page: write https://example.com", status=422
                )
        for name in wanted.dimensions or ():
            _visible(name, None, "dimensions")
        question = {"metrics": ["visits"], "filters": list(wanted.filters)}
        if wanted.apps:
            question["app"] = list(wanted.apps)
        read(question, Surroundings(now))


def narrowed(share: Share, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A question within what a link shows. Raises ``QuestionRefused`` for more than that."""
    if asked.get("explain"):
        raise QuestionRefused("explain", "a shared page does not show SQL")
    if asked.get("traffic", "people") != "people":
        raise QuestionRefused("traffic", "a shared page shows people's visits only")
    given = asked.get("dimensions", [])
    for at, name in enumerate(given if isinstance(given, list) else []):
        _visible(name, share.dimensions, f"dimensions[{at}]")
    filters = asked.get("filters", [])
    for at, name in enumerate(_filtered(filters)):
        _visible(name, share.dimensions, f"filters (condition {at + 1})")
    apps = asked.get("app")
    if share.apps:
        wanted = [apps] if isinstance(apps, str) else apps if isinstance(apps, list) else share.apps
        for name in wanted:
            if name not in share.apps:
                raise QuestionRefused("app", f"{str(name)[:100]!r} is not shared here")
        apps = wanted
    return {**asked, "app": apps, "filters": [*share.filters, *(filters if isinstance(filters, list) else [filters])]}


def of_dashboard(share: Share, question: Mapping[str, Any]) -> dict[str, Any]:
    """The question of a tile within what a link shows. Raises ``QuestionRefused`` for one that could tell who someone
    is."""
    given = [("breakdown", question.get("breakdown")), ("dimension", question.get("dimension"))]
    listed = question.get("dimensions")
    given += [("dimensions", name) for name in (listed if isinstance(listed, list) else [])]
    for where, name in given:
        if name is not None:
            _visible(name, share.dimensions, where)
    made = {name: value for name, value in question.items() if name not in ("explain", "traffic")}
    made["filters"] = [*share.filters, *(question.get("filters") or [])]
    if share.apps:
        made["app"] = [name for name in _apps(question.get("app")) if name in share.apps] or share.apps
    return made


def _apps(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else [str(one) for one in given] if isinstance(given, list) else []


def _filtered(given: Any) -> Iterable[str]:
    """The dimensions of filters, however they are nested."""
    if not isinstance(given, list):
        return
    if len(given) >= 2 and isinstance(given[0], str) and isinstance(given[1], str):
        yield given[1]
        return
    for one in given:
        yield from _filtered(one)


def _visible(name: Any, allowed: Sequence[str] | None, where: str) -> None:
    if not isinstance(name, str):
        raise QuestionRefused(where, "expected the name of a dimension")
    if name.startswith(PROPERTY) or name in _HIDDEN or name in ("segment", "cohort"):
        raise QuestionRefused(where, f"{name[:200]} may tell who someone is, so a link does not show it")
    if name not in TIMES and name not in DIMENSIONS:
        raise QuestionRefused(where, f"there is no dimension {name[:100]!r}")
    if allowed is not None and name not in allowed and name not in TIMES:
        raise QuestionRefused(where, f"{name} is not shared here")


def _over(row: sqlite3.Row, now: int) -> bool:
    return row["expires_at"] is not None and row["expires_at"] <= now


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _found(db: sqlite3.Connection, share_id: str) -> sqlite3.Row:
    row = db.execute("SELECT * FROM shares WHERE id = ?", (share_id,)).fetchone()
    if row is None:
        raise ActionRefused(f"there is no share link {share_id[:100]!r}", status=404)
    found: sqlite3.Row = row
    return found


def _share(row: sqlite3.Row) -> Share:
    return Share(
        row["id"], row["name"], json.loads(row["apps"]), json.loads(row["filters"]),
        None if row["dimensions"] is None else json.loads(row["dimensions"]), bool(row["password"]),
        json.loads(row["frame_ancestors"]), row["created_by"], row["created_at"], row["expires_at"], row["last_used"],
        row["dashboard"],
    )  # fmt: skip

"""Who gets which figures by e-mail, and what has been sent, in ``console.sqlite``.

What is sent is written down before and after. A send that ends in between, with its process, is tried again after ten
minutes, with the same id, by which mail programs know a message that they have.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, checked, new_id, room
from snowgauge.errors import ActionRefused

Every = Literal["week", "month"]
MOST_RECIPIENTS = 50
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_STUCK_MS = 600_000


@dataclass(frozen=True)
class EmailReport:
    """``dashboard``: what is sent; ``None``: the figures of ``app``. ``dashboard_name``: what it is called.
    ``last_sent_at`` in ms; ``last_result``: what the mail server said then, or why it was not sent."""

    id: str
    app: str
    dashboard: str | None
    dashboard_name: str
    every: Every
    recipients: list[str]
    created_by: str
    created_at: int
    last_sent_at: int | None
    last_result: str


class EmailReports:
    def __init__(self, database: SavedDatabase) -> None:
        self._database = database

    def listed(self) -> list[EmailReport]:
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM email_reports ORDER BY app, every, id").fetchall()
            return [_report(db, row) for row in rows]

    def add(
        self, app: str, every: Every, recipients: Sequence[str], who: Principal, *, dashboard: str | None = None
    ) -> EmailReport:
        """``app`` may be empty for a dashboard: as that has it. Raises ``ActionRefused`` for what is no address."""
        to = addresses(recipients)
        report_id = new_id()
        with self._database.writing() as db:
            room(db, "email_reports")
            db.execute(
                "INSERT INTO email_reports VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (report_id, "" if dashboard and not app.strip() else checked(app, "the application", 200), every,
                 json.dumps(to), secrets.token_urlsafe(32), who.name, self._database.clock(), dashboard),
            )  # fmt: skip
            return _report(db, _found(db, report_id))

    def change(self, report_id: str, recipients: Sequence[str]) -> EmailReport:
        to = addresses(recipients)
        with self._database.writing() as db:
            _found(db, report_id)
            db.execute("UPDATE email_reports SET recipients = ? WHERE id = ?", (json.dumps(to), report_id))
            return _report(db, _found(db, report_id))

    def remove(self, report_id: str) -> EmailReport:
        with self._database.writing() as db:
            found = _report(db, _found(db, report_id))
            db.execute("DELETE FROM email_reports WHERE id = ?", (report_id,))
            return found

    def unsubscribe(self, report_id: str, recipient: str, proof: str) -> bool:
        """Take one recipient off; ``proof`` came with the message. Was it the right one?"""
        with self._database.writing() as db:
            row = db.execute("SELECT * FROM email_reports WHERE id = ?", (report_id,)).fetchone()
            if row is None or not hmac.compare_digest(_proof(row["secret"], recipient).encode(), proof.encode()):
                return False
            left = [one for one in json.loads(row["recipients"]) if one != recipient]
            if left:
                db.execute("UPDATE email_reports SET recipients = ? WHERE id = ?", (json.dumps(left), report_id))
            else:
                db.execute("DELETE FROM email_reports WHERE id = ?", (report_id,))
            return True

    def proof(self, report_id: str, recipient: str) -> str:
        """What an unsubscribe link of one recipient carries."""
        with self._database.reading() as db:
            return _proof(str(_found(db, report_id)["secret"]), recipient)

    def begin(self, report_id: str, period: str, recipient: str) -> bool:
        """Take a send upon oneself; ``False``: it was done, or is being done."""
        now = self._database.clock()
        with self._database.writing() as db:
            db.execute(
                "DELETE FROM email_sends WHERE report = ? AND period = ? AND recipient = ? AND result = '' AND at <= ?",
                (report_id, period, recipient, now - _STUCK_MS),
            )
            cursor = db.execute(
                "INSERT OR IGNORE INTO email_sends VALUES (?, ?, ?, ?, '')", (report_id, period, recipient, now)
            )
            return cursor.rowcount == 1

    def done(self, report_id: str, period: str, recipient: str, result: str) -> None:
        """It was sent, or never will be."""
        with self._database.writing() as db:
            db.execute(
                "UPDATE email_sends SET result = ?, at = ? WHERE report = ? AND period = ? AND recipient = ?",
                (result[:300] or "sent", self._database.clock(), report_id, period, recipient),
            )

    def again(self, report_id: str, period: str, recipient: str) -> None:
        """It was not sent, and is to be tried later."""
        with self._database.writing() as db:
            db.execute(
                "DELETE FROM email_sends WHERE report = ? AND period = ? AND recipient = ? AND result = ''",
                (report_id, period, recipient),
            )


def addresses(given: Sequence[str]) -> list[str]:
    """Each once, without blanks. Raises ``ActionRefused`` for what is none."""
    to = list(dict.fromkeys(one.strip() for one in given if one.strip()))
    if not 1 <= len(to) <= MOST_RECIPIENTS:
        raise ActionRefused(f"expected 1 to {MOST_RECIPIENTS} addresses, found {len(to)}", status=422)
    for one in to:
        if len(one) > 254 or not _ADDRESS.fullmatch(one):
            raise ActionRefused(f"{one[:100]!r} is no e-mail address", status=422)
    return to


def _proof(secret: str, recipient: str) -> str:
    return hmac.new(secret.encode(), recipient.encode(), hashlib.sha256).hexdigest()


def _found(db: sqlite3.Connection, report_id: str) -> sqlite3.Row:
    row = db.execute("SELECT * FROM email_reports WHERE id = ?", (report_id,)).fetchone()
    if row is None:
        raise ActionRefused(f"there is no report by e-mail {report_id[:100]!r}", status=404)
    found: sqlite3.Row = row
    return found


def _report(db: sqlite3.Connection, row: sqlite3.Row) -> EmailReport:
    last = db.execute(
        "SELECT at, result FROM email_sends WHERE report = ? AND result <> '' ORDER BY at DESC, recipient LIMIT 1",
        (row["id"],),
    ).fetchone()
    board = db.execute("SELECT name FROM dashboards WHERE id = ?", (row["dashboard"],)).fetchone()
    return EmailReport(
        row["id"], row["app"], row["dashboard"], board["name"] if board else "",
        msgspec.convert(row["every"], Every), json.loads(row["recipients"]), row["created_by"],
        row["created_at"], None if last is None else last["at"], "" if last is None else last["result"],
    )  # fmt: skip

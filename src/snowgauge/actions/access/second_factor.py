"""A second factor at the login: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

A code is valid in its interval of 30 seconds and in the one before and after, once: the interval of the last code that
was accepted is kept, in the same transaction that begins the session, and no code of it or an earlier one is accepted.
Recovery codes have 80 random bits, work once, and are kept as SHA-256. The secret of the app has to be kept readable.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote, urlencode

from snowgauge.actions.access.checks import digest
from snowgauge.actions.access.guesses import Guesses
from snowgauge.actions.access.records import Enrolment
from snowgauge.actions.access.roles import Role
from snowgauge.errors import AccessRefused
from snowgauge.state.tables import SharedTables

Demand = Literal["nobody", "admins", "everyone"]
_ISSUER = "Snowgauge"
_SECONDS = 30
_DIGITS = 6
_RECOVERY_CODES = 10
_WRONG = "the code is wrong or was used already: wait for the next one"


class CodeNeeded(AccessRefused):
    """The password was right, and a code has to come with it."""


def demanded(demand: Demand, role: Role) -> bool:
    """Must someone of this role have a second factor?"""
    return demand == "everyone" or (demand == "admins" and role == "admin")


class SecondFactors:
    """``clock`` gives milliseconds."""

    def __init__(self, tables: SharedTables, clock: Callable[[], int]) -> None:
        self._tables = tables
        self._clock = clock

    def begin(self, person_id: str, name: str) -> Enrolment:
        """A new secret for the person's app, which counts once ``confirm`` has seen a code of it. Raises
        ``AccessRefused`` where there is a second factor already."""
        secret = base64.b32encode(secrets.token_bytes(20)).decode()
        with self._tables.writing() as db:
            if _row(db, person_id, confirmed=True) is not None:
                raise AccessRefused("there is a second factor already: remove it first", status=409)
            db.execute("INSERT OR REPLACE INTO second_factors VALUES (?, ?, NULL, 0)", (person_id, secret))
        query = urlencode({"secret": secret, "issuer": _ISSUER, "algorithm": "SHA1", "digits": _DIGITS,
                           "period": _SECONDS})  # fmt: skip
        return Enrolment(secret, f"otpauth://totp/{quote(f'{_ISSUER}:{name}', safe=':')}?{query}")

    def confirm(self, person_id: str, code: str) -> list[str]:
        """From now on a code is asked for. The recovery codes, which are shown this once. Raises ``AccessRefused``."""
        self._count(person_id)
        codes = [_spread(base64.b32encode(secrets.token_bytes(10)).decode()) for _ in range(_RECOVERY_CODES)]
        with self._tables.writing() as db:
            row = _row(db, person_id, confirmed=False)
            if row is None:
                raise AccessRefused("there is nothing to confirm: begin again", status=409)
            step = self._step(row, code)
            if step is None:
                raise AccessRefused(_WRONG)
            db.execute(
                "UPDATE second_factors SET confirmed_at = ?, last_step = ? WHERE person = ?",
                (self._clock(), step, person_id),
            )
            db.executemany("INSERT INTO recovery_codes VALUES (?, ?)", [(person_id, _digest(one)) for one in codes])
            Guesses(db).code_right(person_id)
        return codes

    def check(self, person_id: str, code: str) -> None:
        """Count a try, before the code is looked at in a transaction: see ``accept``. Raises ``AccessRefused``."""
        if not code.strip():
            raise CodeNeeded("enter the code of your authenticator app", status=401)
        self._count(person_id)

    def accept(self, db: sqlite3.Connection, person_id: str, code: str) -> None:
        """Use up a code of the app, or a recovery code, in the caller's transaction. Raises ``AccessRefused``."""
        row = _row(db, person_id, confirmed=True)
        step = None if row is None else self._step(row, code)
        if step is not None:
            db.execute("UPDATE second_factors SET last_step = ? WHERE person = ?", (step, person_id))
        elif not db.execute(
            "DELETE FROM recovery_codes WHERE person = ? AND hash = ?", (person_id, _digest(code))
        ).rowcount:
            raise AccessRefused(_WRONG, status=401)
        Guesses(db).code_right(person_id)

    def remove(self, person_id: str) -> bool:
        """Whether there was one."""
        with self._tables.writing() as db:
            return bool(db.execute("DELETE FROM second_factors WHERE person = ?", (person_id,)).rowcount)

    def has(self, person_id: str) -> bool:
        """Is a code asked for at the login?"""
        with self._tables.reading() as db:
            return _row(db, person_id, confirmed=True) is not None

    def left(self, person_id: str) -> int:
        """How many recovery codes are left."""
        with self._tables.reading() as db:
            return int(db.execute("SELECT count(*) FROM recovery_codes WHERE person = ?", (person_id,)).fetchone()[0])

    def _count(self, person_id: str) -> None:
        with self._tables.local() as db:
            Guesses(db).count_code(person_id, self._clock())

    def _step(self, row: sqlite3.Row, code: str) -> int | None:
        """The interval whose code it is, of those that are valid and after the last that was accepted."""
        from cryptography.hazmat.primitives.hashes import SHA1
        from cryptography.hazmat.primitives.twofactor.totp import TOTP

        totp = TOTP(base64.b32decode(row["secret"]), _DIGITS, SHA1(), _SECONDS)  # noqa: S303 - what apps know
        given = "".join(code.split()).encode("utf-8", "surrogatepass")
        now = self._clock() // 1000 // _SECONDS
        valid = None
        for step in (now - 1, now, now + 1):  # all of them, so that time says nothing
            if hmac.compare_digest(totp.generate(step * _SECONDS), given) and step > row["last_step"]:
                valid = step
        return valid


def _row(db: sqlite3.Connection, person_id: str, *, confirmed: bool) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        f"SELECT * FROM second_factors WHERE person = ? AND confirmed_at IS {'NOT ' if confirmed else ''}NULL",  # noqa: S608
        (person_id,),
    ).fetchone()
    return row


def _spread(code: str) -> str:
    """``ABCD-EFGH-…``, which is easier to copy by hand."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _digest(code: str) -> str:
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return digest(plain)

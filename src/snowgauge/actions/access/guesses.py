"""Slows down the guessing of passwords: how many may be tried, for an account, from an address, and for the pair.
Codes of a second factor, which only someone who knows the password can try, are counted for the person alone.

Each of the three may try so many at once and then one per interval, so that nobody is locked out for longer than that.
The intervals of a pair are longest: guessing one account's password from one address holds up neither other addresses
nor other accounts. The limit of an account as a whole does not apply to an address from which its person has logged in
before, so that no number of strangers keeps that person out.

A try is counted before the password is looked at, in one transaction, so that no two processes or threads take the same
place; one that succeeds is given back.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from snowgauge.errors import AccessRefused

LAYOUT = """
DROP TABLE IF EXISTS attempts;
CREATE TABLE IF NOT EXISTS guesses (source TEXT PRIMARY KEY, settled_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS guesses_settled_at ON guesses (settled_at);
CREATE TABLE IF NOT EXISTS familiar (
  account TEXT NOT NULL, address TEXT NOT NULL, last_login INTEGER NOT NULL, PRIMARY KEY (account, address));
"""
"""``settled_at``: when all tries of a source are forgotten, in milliseconds. ``attempts`` is a former layout's."""

_FAMILIAR_MS = 90 * 86_400_000


@dataclass(frozen=True)
class Allowance:
    """``burst`` tries at once, then one per ``interval`` milliseconds."""

    burst: int
    interval: int


PAIR = Allowance(10, 10_000)
ADDRESS = Allowance(30, 3_000)
ACCOUNT = Allowance(50, 2_000)
CODE = Allowance(10, 300_000)
"""Three of a million codes are valid at a time: guessing one takes years at 288 tries a day."""


class Guesses:
    """The tries of one register. The caller keeps other threads from ``db`` meanwhile."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def count(self, account: str, ip: str, now: int) -> None:
        """Count one try. Raises ``AccessRefused`` with the time to wait when one of the three has none left."""
        account, address = _account(account), _address(ip)
        self._take(lambda: self._sources(account, address, now), now)

    def count_code(self, person: str, now: int) -> None:
        """Count one try of a second factor's code. Raises ``AccessRefused``."""
        self._take(lambda: {_code(person): CODE}, now)

    def code_right(self, person: str) -> None:
        self._db.execute("DELETE FROM guesses WHERE source = ?", (_code(person),))

    def _take(self, listed: Callable[[], dict[str, Allowance]], now: int) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("DELETE FROM guesses WHERE settled_at <= ?", (now,))
            sources = listed()
            settled = {source: self._settled(source, now) for source in sources}
            wait = max(
                settled[source] - now - (allowance.burst - 1) * allowance.interval
                for source, allowance in sources.items()
            )
            if wait > 0:
                seconds = math.ceil(wait / 1000)
                raise AccessRefused(
                    f"too many failed logins: try again in {seconds} s", status=429, retry_after=seconds
                )
            self._db.executemany(
                "INSERT OR REPLACE INTO guesses VALUES (?, ?)",
                [(source, settled[source] + allowance.interval) for source, allowance in sources.items()],
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def right(self, account: str, ip: str, now: int) -> None:
        """The password was right: the pair begins afresh, the others have this try back, the address is familiar."""
        account, address = _account(account), _address(ip)
        self._db.execute("DELETE FROM guesses WHERE source = ?", (_pair(account, address),))
        for source, allowance in self._sources(account, address, now).items():
            self._db.execute(
                "UPDATE guesses SET settled_at = settled_at - ? WHERE source = ?", (allowance.interval, source)
            )
        self._db.execute("DELETE FROM familiar WHERE last_login < ?", (now - _FAMILIAR_MS,))
        self._db.execute("INSERT OR REPLACE INTO familiar VALUES (?, ?, ?)", (account, address, now))

    def _sources(self, account: str, address: str, now: int) -> dict[str, Allowance]:
        sources = {_pair(account, address): PAIR, f"address:{address}": ADDRESS}
        known = self._db.execute(
            "SELECT 1 FROM familiar WHERE account = ? AND address = ? AND last_login >= ?",
            (account, address, now - _FAMILIAR_MS),
        ).fetchone()
        if known is None:
            sources[f"account:{account}"] = ACCOUNT
        return sources

    def _settled(self, source: str, now: int) -> int:
        row = self._db.execute("SELECT settled_at FROM guesses WHERE source = ?", (source,)).fetchone()
        return now if row is None else int(row[0])


def _code(person: str) -> str:
    return f"code:{person}"


def _pair(account: str, address: str) -> str:
    return f"pair:{address} {account}"


def _account(name: str) -> str:
    return name.strip().lower()


def _address(ip: str) -> str:
    """Addresses of one IPv6 network of 64 bits are one person's."""
    with suppress(ValueError):
        found = ip_address(ip)
        if isinstance(found, IPv6Address):
            return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return ip

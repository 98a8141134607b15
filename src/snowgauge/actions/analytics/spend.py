"""What was spent on marketing, day by day, from files; with it attribution tells the return."""

from __future__ import annotations

import csv
import io
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date

from snowgauge.actions.analytics.saved.database import SavedDatabase
from snowgauge.analytics.reports.attribution.question import SPENT_BY, By
from snowgauge.errors import ActionRefused

COLUMNS = ("date", "amount", "currency", "app", *SPENT_BY)
NEEDED = ("date", "amount", "currency")
MOST_LINES = 100_000
MOST_KEPT = 1_000_000
LARGEST = 20_000_000
"""Bytes of a file."""
_LONGEST = 500


@dataclass(frozen=True)
class Spent:
    """One line. ``day`` as ``2026-03-01``; texts that are not given are empty, and stand for all of them."""

    day: str
    currency: str
    app: str
    channel: str
    source: str
    medium: str
    campaign: str
    amount: float


@dataclass(frozen=True)
class Imported:
    """``lines`` of the file, ``replaced`` of which stood for something that was imported before."""

    lines: int
    replaced: int


class SpendBook:
    """A line stands for its day, currency, application and marketing; importing the same again replaces its amount."""

    def __init__(self, database: SavedDatabase) -> None:
        self._database = database

    def take(self, text: str) -> Imported:
        """A CSV with a header. All of it, or nothing: raises ``ActionRefused`` with the line that is wrong."""
        lines = {astuple(one)[:-1]: one for one in _lines(text)}
        with self._database.writing() as db:
            before = self._count(db)
            db.executemany("INSERT OR REPLACE INTO spend VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(astuple, lines.values()))
            after = self._count(db)
            if after > MOST_KEPT:
                raise ActionRefused(f"at most {MOST_KEPT:,} lines of spend are kept", status=409)
        return Imported(len(lines), len(lines) - (after - before))

    def by(self, what: By, first: str, last: str, apps: tuple[str, ...], currency: str) -> dict[str, float]:
        """Amounts from ``first`` to ``last``, both included, by a value. A line without an application is of all."""
        if what not in SPENT_BY:
            return {}
        met, values = "day BETWEEN ? AND ? AND currency = ?", [first, last, currency]
        if apps:
            met += f" AND (app = '' OR app IN ({', '.join('?' * len(apps))}))"
            values += apps
        with self._database.reading() as db:
            # the column is one of SPENT_BY
            rows = db.execute(f"SELECT {what}, sum(amount) FROM spend WHERE {met} GROUP BY 1", values).fetchall()  # noqa: S608
        return {str(value): float(amount) for value, amount in rows}

    @staticmethod
    def _count(db: sqlite3.Connection) -> int:
        return int(db.execute("SELECT count(*) FROM spend").fetchone()[0])


def _lines(text: str) -> Iterator[Spent]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in NEEDED if name not in names]
        strange = [name for name in names if name not in COLUMNS]
        if missing or strange:
            wrong = f"there is no column {missing[0]}" if missing else f"there is a column {strange[0][:100]!r}"
            raise ActionRefused(f"line 1: {wrong}; a file of spend has the columns {', '.join(COLUMNS)}", status=422)
        reader.fieldnames = names
        for number, row in enumerate(reader, 2):
            if number > MOST_LINES + 1:
                raise ActionRefused(f"a file has at most {MOST_LINES:,} lines: import it in parts", status=422)
            yield _line(row, number)
    except csv.Error as raised:
        raise ActionRefused(f"line {reader.line_num}: {raised}", status=422) from None


def _line(row: dict[str, str], number: int) -> Spent:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if None in row or any(len(cell) > _LONGEST for cell in cells.values()):
        raise ActionRefused(f"line {number}: there are more cells than columns, or one is too long", status=422)
    try:
        day = date.fromisoformat(cells["date"]).isoformat()
    except ValueError:
        raise ActionRefused(f"line {number}: {cells['date']!r} is no date such as 2026-03-01", status=422) from None
    try:
        amount = float(cells["amount"])
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= 1e12:
        raise ActionRefused(f"line {number}: {cells['amount']!r} is no amount such as 12.50", status=422)
    if not (len(cells["currency"]) == 3 and cells["currency"].isalpha()):
        raise ActionRefused(f"line {number}: {cells['currency']!r} is no currency such as EUR", status=422)
    return Spent(
        day, cells["currency"].upper(), cells["app"], cells["channel"], cells["source"], cells["medium"],
        cells["campaign"], amount,
    )  # fmt: skip

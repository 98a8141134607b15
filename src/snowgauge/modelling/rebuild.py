"""Making a day again as a whole: beside the tables, then switched, so that no figure of a day mixes two definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.events import DAY_MS, EARLY_MS, LATE_MS, Unit
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.redo import Redo, Setting
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables import ECOMMERCE_ACTIONS, OF_UNITS, SESSIONS, USERS

UNITS_TOGETHER = 1_000
_FIXED = frozenset(table.name for table in OF_UNITS)
_T = TypeVar("_T")


class Rebuilt(msgspec.Struct, frozen=True):
    """``transactions``: ids of the day's transactions; runs that were apart did not see each other's."""

    events: int
    transactions: Sequence[str]


def rebuild_day(
    store: ModelStore, day: int, setting: Setting, next_version: Callable[[], int], between: Callable[[], object]
) -> Rebuilt:
    """Make every unit again that has rows on this day (UTC) or events collected on it.

    Rows of these units on other days are replaced where they are. ``between`` is called between parts of the work.
    """
    start = day * DAY_MS
    units = {one.unit: Unit(one.unit, one.since, one.until) for one in store.collected(start, start + DAY_MS)}
    for table in OF_UNITS:
        for name in store.units_of_day(table, day):
            units.setdefault(name, Unit(name, start - EARLY_MS, start + LATE_MS))
    store.stage(OF_UNITS)
    beside = _Beside(store, day)
    events = 0
    for piece in _pieces(sorted(units.values(), key=lambda unit: unit.name)):
        beside.units = frozenset(unit.name for unit in piece)
        version = next_version()
        redone = Redo(store, setting, beside.replace).run(piece, version)
        beside.keep(redone.frozen, version)
        events += redone.events
        between()
    store.switch(OF_UNITS, day)
    for visitors in _pieces(sorted(beside.visitors)):
        Redo(store, setting).settle(visitors, (), next_version())
    for persons in _pieces(sorted(beside.persons)):
        Redo(store, setting).settle((), persons, next_version())
    return Rebuilt(events, sorted(beside.transactions))


class _Beside:
    """Takes the changes of runs over ``units``: rows of the day go beside the tables, others to where they belong."""

    def __init__(self, store: ModelStore, day: int) -> None:
        self._store = store
        self._day = day
        self.units: frozenset[str] = frozenset()
        self.visitors: set[str] = set()
        self.persons: set[str] = set()
        self.transactions: set[str] = set()

    def replace(self, changes: Sequence[Change], version: int) -> None:
        through = []
        for table, old, rows in changes:
            if table.name not in _FIXED:
                through.append(Change(table, old, rows))
                if table is USERS:
                    self.persons.update(row["person_id"] for row in (*old, *rows))
                continue
            # rows of other units on this day are made in their own run, and settled at the end
            self._store.add_staged(
                table, [row for row in rows if self._on_day(table, row) and row["unit"] in self.units], version
            )
            elsewhere = [row for row in rows if not self._on_day(table, row)]
            through.append(Change(table, [row for row in old if not self._on_day(table, row)], elsewhere))
            if table is SESSIONS:
                self.visitors.update(row["visitor_id"] for row in (*old, *rows))
            elif table is ECOMMERCE_ACTIONS:
                self.transactions.update(row["transaction_id"] for row in (*old, *rows) if row["transaction_id"])
        self._store.replace(through, version)

    def keep(self, units: Sequence[str], version: int) -> None:
        """Leave the rows of these units as they are."""
        for table in OF_UNITS:
            rows = [row for row in self._store.rows(table, "unit", units) if self._on_day(table, row)]
            self._store.add_staged(table, rows, version)

    def _on_day(self, table: Table, row: Row) -> bool:
        value: int = row[table.day]
        return (value if table.column(table.day).type is Type.DAY else value // DAY_MS) == self._day


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), UNITS_TOGETHER):
        yield items[start : start + UNITS_TOGETHER]

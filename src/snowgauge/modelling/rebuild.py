"""Making days again as a whole: beside the tables, then switched, so that no figure of a day mixes two definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.events import DAY_MS, EARLY_MS, LATE_MS, Unit
from snowgauge.modelling.making.make import LONGEST_MS
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.redo import Redo, Setting
from snowgauge.modelling.store import Change, Found, ModelStore
from snowgauge.modelling.tables import CONVERSIONS, ECOMMERCE_ACTIONS, OF_UNITS, SESSIONS

DAYS_TOGETHER = 31
EVENTS_OF_DAYS = 1_000_000
"""Days are made again together as long as they have no more events than this: where their sessions' other events are
is asked once for all."""

UNITS_TOGETHER = 4_000
EVENTS_TOGETHER = 40_000
"""What is in memory at one time."""

_PEOPLE_TOGETHER = 10_000
_BRIEF_MS = 4 * 3_600_000
"""Units whose events were collected within this are read in order of time, others after them."""

_FIXED = frozenset(table.name for table in OF_UNITS)
_T = TypeVar("_T")


class Rebuilt(msgspec.Struct, frozen=True):
    """``transactions``: ids of the days' transactions; runs that were apart did not see each other's."""

    events: int
    transactions: Sequence[str]


def days_together(store: ModelStore, last: int) -> range:
    """The days (UTC, since 1970) that are made again together with, and before, a day."""
    first, total = last, 0
    for day, events in store.days_before((last + 1) * DAY_MS, DAYS_TOGETHER - 1):
        total += events
        if day < last and total > EVENTS_OF_DAYS:
            break
        first = day
    return range(first, last + 1)


def rebuild_days(
    store: ModelStore, days: range, setting: Setting, next_version: Callable[[], int], between: Callable[[], object]
) -> Rebuilt:
    """Make every unit again that has rows on these days (UTC) or events collected on them.

    Rows of these units on other days are replaced where they are. ``between`` is called between parts of the work.
    """
    store.stage(OF_UNITS)
    beside = _Beside(store, days)
    events = 0
    for piece in _parts(_units(store, days)):
        beside.units = frozenset(unit.name for unit in piece)
        version = next_version()
        redone = Redo(store, setting, beside.replace).run(piece, version)
        beside.keep(redone.frozen, version)
        events += redone.events
        between()
    store.switch(OF_UNITS, days)
    persons = beside.persons
    for visitors in _pieces(sorted(beside.visitors)):
        persons |= Redo(store, setting).settle(visitors, next_version())
    for some in _pieces(sorted(persons - {""})):
        Redo(store, setting).settle_people(some, next_version())
    return Rebuilt(events, sorted(beside.transactions))


def _units(store: ModelStore, days: range) -> list[tuple[Unit, int]]:
    """The units of these days, with all the time in which their events were collected, and the number of these."""
    start, end = days[0] * DAY_MS, (days[-1] + 1) * DAY_MS
    units: dict[str, tuple[Unit, int]] = {}
    _add(units, store.collected(start, end))
    for table in OF_UNITS:
        for name in store.units_of_days(table, days):
            units.setdefault(name, (Unit(name, start, start), 0))
    names = frozenset(units)
    wanted = [unit for unit, _ in units.values()]
    # how far an event's own time may be from the time at which it was collected, and from the session's others
    for since, until in ((start - EARLY_MS - LONGEST_MS, start), (end, end + LATE_MS + LONGEST_MS)):
        _add(units, (one for one in store.collected_of(wanted, since, until) if one.unit in names))
    return list(units.values())


def _add(units: dict[str, tuple[Unit, int]], found: Iterable[Found]) -> None:
    for one in found:
        name = one.unit
        known = units.get(name)
        if known is None:
            units[name] = (Unit(name, one.since, one.until), one.rows)
        else:
            unit, rows = known
            units[name] = (Unit(name, min(unit.since, one.since), max(unit.until, one.until)), rows + one.rows)


def _parts(units: Sequence[tuple[Unit, int]]) -> Iterator[Sequence[Unit]]:
    """In order of time, so that one part's events lie together."""
    ordered = sorted(units, key=lambda item: (item[0].until - item[0].since > _BRIEF_MS, item[0].since, item[0].name))
    part: list[Unit] = []
    events = 0
    for unit, rows in ordered:
        if part and (len(part) >= UNITS_TOGETHER or events + rows > EVENTS_TOGETHER):
            yield part
            part, events = [], 0
        part.append(unit)
        events += rows
    if part:
        yield part


class _Beside:
    """Takes the changes of runs over ``units``: rows of the days go beside the tables, others to where they belong."""

    def __init__(self, store: ModelStore, days: range) -> None:
        self._store = store
        self._days = days
        self.units: frozenset[str] = frozenset()
        self.visitors: set[str] = set()
        self.persons: set[str] = set()
        self.transactions: set[str] = set()

    def replace(self, changes: Sequence[Change], version: int) -> None:
        through = []
        for table, old, rows in changes:
            if table.name not in _FIXED:
                through.append(Change(table, old, rows))
                continue
            # rows of other units on these days are made in their own run, and settled at the end
            self._store.add_staged(
                table, [row for row in rows if self._on_days(table, row) and row["unit"] in self.units], version
            )
            elsewhere = [row for row in rows if not self._on_days(table, row)]
            through.append(Change(table, [row for row in old if not self._on_days(table, row)], elsewhere))
            if table in (SESSIONS, CONVERSIONS):
                self.persons.update(row["person_id"] for row in (*old, *rows))
            if table is SESSIONS:
                self.visitors.update(row["visitor_id"] for row in (*old, *rows))
            elif table is ECOMMERCE_ACTIONS:
                self.transactions.update(row["transaction_id"] for row in (*old, *rows) if row["transaction_id"])
        self._store.replace(through, version)

    def keep(self, units: Sequence[str], version: int) -> None:
        """Leave the rows of these units as they are."""
        for table in OF_UNITS:
            rows = [row for row in self._store.rows(table, "unit", units) if self._on_days(table, row)]
            self._store.add_staged(table, rows, version)

    def _on_days(self, table: Table, row: Row) -> bool:
        value: int = row[table.day]
        return (value if table.column(table.day).type is Type.DAY else value // DAY_MS) in self._days


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _PEOPLE_TOGETHER):
        yield items[start : start + _PEOPLE_TOGETHER]

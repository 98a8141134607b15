"""Modelled rows of events that leave: erased ones take what was made of them along, and expired ones what is as old."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from uuid import uuid4

from snowgauge.modelling.application_book import ApplicationBook
from snowgauge.modelling.definition import Type
from snowgauge.modelling.events import Unit
from snowgauge.modelling.redo import Redo, Setting
from snowgauge.modelling.state import ModelState
from snowgauge.modelling.store import ModelStore, units_of
from snowgauge.modelling.tables import IDENTITIES, OF_UNITS, SESSIONS, USERS

_TOGETHER = 2_000
_T = TypeVar("_T")


def delete_events(store: ModelStore, events: Sequence[tuple[str, int]], delete: Callable[[], None]) -> None:
    """Have ``delete`` take events out (event id and collector_tstamp in ms), and what was made of them with them."""
    units = units_of(store.units_of(events))  # once they are gone nothing tells which units they were part of
    delete()
    forget(store, units)


def forget(store: ModelStore, units: Sequence[Unit]) -> None:
    """Make units again of which events were taken out, and let nothing of what they were stay on the disk.

    A modeller that had read the events already could write rows of them after this; so the units are also noted down
    for its next run, which takes them out again.
    """
    now = store.now()
    state = ModelState(store)
    state.mark_dirty(units, "erased", f"erasure {uuid4().hex}", now)
    setting = Setting(ApplicationBook(store).applications(), {}, _never_frozen, now)
    for some in _pieces(units):
        names = [unit.name for unit in some]
        before = store.rows(SESSIONS, "unit", names, ("person_id", "visitor_id"))
        version = max(store.now(), int(time.time() * 1000)) * 1000
        # of a session whose first events have expired nothing can be made again: what is left of it goes
        redone = Redo(store, setting).run(some, version)
        names += redone.moved
        # a view or a transaction that was theirs is another's now
        state.mark_dirty(redone.others, "erased", f"erasure {uuid4().hex}", store.now())
        store.purge(
            {
                **dict.fromkeys(OF_UNITS, ("unit", names)),
                USERS: ("person_id", sorted({row["person_id"] for row in before} - {""})),
                IDENTITIES: ("visitor_id", sorted({row["visitor_id"] for row in before} - {""})),
            },
            version,
        )


_IDS = frozenset(["person_id", "visitor_id", "user_id", "network_userid"])


def units_of_people(store: ModelStore, ids: Sequence[str]) -> list[Unit]:
    """Every unit with a row that has one of these ids as person, visitor or user, in any case."""
    units: dict[str, Unit] = {}
    for table in OF_UNITS:
        columns = [name for name in table.names if name in _IDS]
        if columns and table.column(table.day).type is Type.TIME:
            for unit in store.units_of_people(table, columns, [value.lower() for value in ids]):
                known = units.get(unit.name, unit)
                units[unit.name] = Unit(unit.name, min(known.since, unit.since), max(known.until, unit.until))
    return list(units.values())


def expire(store: ModelStore, before: int, apps: tuple[Sequence[str], bool]) -> int:
    """Take out rows of a time before an instant (ms). ``apps``: which application ids, and whether only those (or all
    but those). Answers how many rows."""
    count = store.count_before(OF_UNITS, before, apps)
    if not count:
        return 0
    people = store.people_before(before, apps)
    store.expire(OF_UNITS, before, apps)
    now = store.now()
    setting = Setting(ApplicationBook(store).applications(), {}, _never_frozen, now)
    for persons in _pieces(sorted(people)):
        Redo(store, setting).settle_people(persons, max(now, store.now()) * 1000)
    return count


def freeze(store: ModelStore, before: int, apps: tuple[Sequence[str], bool]) -> None:
    """Events of these applications before an instant go: what began before is not made again, or it would shrink."""
    names, only = apps
    known = ModelState(store).read().frozen
    others = {name: 0 for name in names if name not in known}
    ModelState(store).freeze(dict.fromkeys(names, before) if only else {"": before, **others}, store.now())


def _never_frozen(_: str, __: int) -> bool:
    return False


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _TOGETHER):
        yield items[start : start + _TOGETHER]

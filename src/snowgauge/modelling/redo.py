"""Making units again: read their events, make their rows, settle what depends on other units, replace.

The result depends on the events alone, so a run that broke off is simply done again, and any order of runs ends in the
same rows. ``sessions`` are replaced last: until then they tell whose rows are still to be put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from snowgauge.modelling.applications import Applications, settings_for
from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.events import DAY_MS, EARLY_MS, LATE_MS, Event, Unit, read
from snowgauge.modelling.making.ecommerce import ecommerce_actions
from snowgauge.modelling.making.make import cut, make, too_much
from snowgauge.modelling.making.rules import Rules
from snowgauge.modelling.making.unit import Made, Row
from snowgauge.modelling.once import Views, views_of
from snowgauge.modelling.people import (
    OF_PERSON,
    OF_VISITOR,
    STITCHED,
    adopt,
    alone,
    first_of_person,
    identities,
    match,
    stitch,
    user,
)
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables import (
    APP_ERRORS,
    CONVERSIONS,
    ECOMMERCE_ACTIONS,
    IDENTITIES,
    OF_UNITS,
    PAGE_VIEWS,
    SESSIONS,
    USER_DAYS,
    USERS,
    VIEW_REPEATS,
)
from snowgauge.modelling.tables.bookkeeping import QUARANTINE
from snowgauge.modelling.transactions import OF_TRANSACTION, counts, first_of, transaction, wrong
from snowgauge.telemetry.logs import logger

_log = logger("modelling")
_PERSONAL = (PAGE_VIEWS, CONVERSIONS, USER_DAYS, ECOMMERCE_ACTIONS, APP_ERRORS)
"""Tables of units, beside ``sessions``, whose rows have a person."""

Frozen = Callable[[str, int], bool]
"""Is a session of this application that started then (ms) no longer to be made again?"""


Replace = Callable[[Sequence[Change], int], None]
"""What takes the changes of a run."""


class Redone(NamedTuple):
    """``units``, ``events``: made again; ``frozen``: names of units left as they are; ``given_up``: quarantined now;
    ``others``: units that must be made again because of these; ``moved``: names of units of which rows were changed."""

    units: int = 0
    events: int = 0
    frozen: Sequence[str] = ()
    given_up: int = 0
    others: Sequence[Unit] = ()
    moved: Sequence[str] = ()


class Setting(NamedTuple):
    """What every run of one modeller shares. ``rules`` are kept from run to run."""

    applications: Applications
    rules: dict[str, Rules]
    is_frozen: Frozen
    now: int


class Redo:
    """One run over one set of units.

    ``beside``: takes the changes of a run that is one of many over some days. Its units say when all their events were
    collected, and what people are made of is left to ``settle``, once for all runs.
    """

    def __init__(self, store: ModelStore, setting: Setting, beside: Replace | None = None) -> None:
        self._store = store
        self._setting = setting
        self._is_part = beside is not None
        self._replace = beside or store.replace
        self._of_visitors: list[Row] = []
        self._fresh: dict[str, list[Row]] = {table.name: [] for table in OF_UNITS}
        self._old: dict[str, list[Row]] = {table.name: [] for table in OF_UNITS}
        self._moved: dict[str, dict[tuple[object, ...], tuple[Row, Row]]] = {table.name: {} for table in OF_UNITS}
        self._units: frozenset[str] = frozenset()

    def run(self, units: Sequence[Unit], version: int) -> Redone:
        frozen = self._read_old(units)
        left = [unit for unit in units if unit.name not in frozen]
        if not left:
            return Redone(frozen=frozen)
        found = self._events(left)
        given_up: dict[str, Row] = {}
        for name, events in found.items():
            if reason := too_much(events):
                given_up[name] = self._quarantined(events, reason)
                found[name] = cut(events)
        repeats, others = self._transactions(found)
        views = self._views(found)
        for name, events in found.items():
            try:
                made = make(name, events, self._rules_of(events[0].app_id), repeats, views.repeated.get(name, ()))
            except Exception as error:  # a bug, or a value that nobody thought of: of one unit, not of all
                _log.exception("unit_not_modelled", unit=name)
                given_up[name] = self._quarantined(events, f"not modelled: {type(error).__name__}")
                continue
            for of, rows in made.items():
                self._fresh[of] += rows
            if name in given_up:
                self._fresh[SESSIONS.name][-1]["is_quarantined"] = True
        sessions = (*self._fresh[SESSIONS.name], *self._old[SESSIONS.name])
        self._settle({row["visitor_id"] for row in sessions}, version, list(given_up.values()))
        moved = {old["unit"] for rows in self._moved.values() for old, _ in rows.values()}
        return Redone(
            len(left), sum(map(len, found.values())), frozen, len(given_up), [*others, *views.others], sorted(moved)
        )

    def settle(self, visitors: Iterable[str], version: int) -> set[str]:
        """Put right what the sessions of these visitors owe to each other; no unit is made again. Answers the persons
        that this changed."""
        known = sorted(set(visitors) - {""})
        self._stitch(known)
        self._replace(
            [*self._of_units(_BEFORE_SESSIONS), self._identities(known), *self._of_units((SESSIONS,))], version
        )
        return {row["person_id"] for pair in self._moved[SESSIONS.name].values() for row in pair} - {""}

    def settle_people(self, persons: Iterable[str], version: int) -> None:
        """Put right what these persons are made of, and what their conversions owe to them."""
        users = self._people(set(persons))
        self._replace([*self._of_units(_BEFORE_SESSIONS), users, *self._of_units((SESSIONS,))], version)

    def _settle(self, visitors: set[str], version: int, given_up: Sequence[Row]) -> None:
        known = sorted(visitors - {""})
        self._stitch(known)
        people = [] if self._is_part else [self._identities(known), self._people(self._persons())]
        changes = [*self._of_units(_BEFORE_SESSIONS), *people]
        if given_up:
            changes.append(Change(QUARANTINE, [], given_up))
        changes += self._of_units((SESSIONS,))
        self._replace(changes, version)

    def _read_old(self, units: Sequence[Unit]) -> list[str]:
        """The rows that are there of these units; answers the units that are frozen, of which none are kept."""
        names = sorted(unit.name for unit in units)
        began: dict[str, tuple[int, str]] = {}
        for table in OF_UNITS:
            rows = self._old[table.name] = self._store.rows(table, "unit", names, _OLD[table.name])
            if table.column(table.day).type is Type.TIME:
                for row in rows:
                    began[row["unit"]] = min(began.get(row["unit"], _NEVER), (row[table.day], row["app_id"]))
        frozen = [name for name, (start, app_id) in began.items() if self._setting.is_frozen(app_id, start)]
        self._units = frozenset(names) - frozenset(frozen)
        if frozen:
            for table in OF_UNITS:
                self._old[table.name] = [row for row in self._old[table.name] if row["unit"] in self._units]
        return frozen

    def _rules_of(self, app_id: str) -> Rules:
        rules = self._setting.rules
        if app_id not in rules:
            rules[app_id] = Rules(settings_for(self._setting.applications, app_id))
        return rules[app_id]

    def _events(self, units: Sequence[Unit]) -> dict[str, Sequence[Event]]:
        """By unit. An event's own time is believed within bounds, which say when it can have been collected."""
        since = min(unit.since for unit in units)
        until = max(unit.until for unit in units)
        # of a unit of some days only what lies far from these days needs to be looked for
        known_since, known_until = (since - EARLY_MS, until + EARLY_MS) if self._is_part else (_NEVER[0], 0)
        for table in OF_UNITS:
            if table.column(table.day).type is Type.TIME:
                for row in self._old[table.name]:
                    start, end = row[table.day], row.get("end_tstamp") or row[table.day]
                    since = min(since, start - EARLY_MS) if start < known_since else since
                    until = max(until, end + LATE_MS) if end > known_until else until
        if self._is_part:
            return dict(read(self._store.events(units, since, until), self._units))
        until = min(until + DAY_MS, max(self._setting.now, until) + DAY_MS)
        return dict(read(self._store.events(units, since - DAY_MS, until), self._units))

    def _quarantined(self, events: Sequence[Event], reason: str) -> Row:
        return {
            "session_id": events[0].session_id,
            "app_id": events[0].app_id,
            "start_tstamp": events[0].t,
            "end_tstamp": events[-1].t,
            "events": len(events),
            "reason": reason,
            "at": self._setting.now,
        }

    def _views(self, found: Mapping[str, Sequence[Event]]) -> Views:
        """Which views belong to other units. Of runs that are many over some days that is found once for all."""
        if self._is_part:
            return Views({}, [])
        return views_of(self._store, self._units, found, (*self._old[PAGE_VIEWS.name], *self._old[VIEW_REPEATS.name]))

    def _transactions(self, found: Mapping[str, Sequence[Event]]) -> tuple[set[str], list[Unit]]:
        """Ids of events that repeat a transaction of an earlier event, in any unit; units for which this changes."""
        own: list[Row] = []
        for name, events in found.items():
            if any(event.name in ("transaction", "snowplow_ecommerce_action") for event in events):
                made = Made(name, events, self._rules_of(events[0].app_id), is_bot=False, is_internal=False)
                own += [row for row in ecommerce_actions(made) if counts(row)]
        before = [row for row in self._old[ECOMMERCE_ACTIONS.name] if counts(row)]
        ids = {row["transaction_id"] for row in (*own, *before)}
        if not ids:
            return set(), []
        stored = self._store.rows(ECOMMERCE_ACTIONS, "transaction_id", sorted(ids), OF_TRANSACTION)
        elsewhere = [row for row in stored if row["unit"] not in self._units and counts(row)]
        first = first_of((*own, *elsewhere))
        repeats = {row["event_id"] for row in own if first[transaction(row)]["event_id"] != row["event_id"]}
        return repeats, wrong(elsewhere, first)

    def _stitch(self, visitors: Sequence[str]) -> None:
        """Settle persons and continued visits of these visitors."""
        fresh = self._fresh[SESSIONS.name]
        stored = self._store.rows(SESSIONS, "visitor_id", visitors, _OF_STITCHED)
        others = [row for row in stored if row["unit"] not in self._units]
        self._of_visitors = [*fresh, *others]
        changes: dict[str, Row] = {}
        of_visitor: dict[str, list[Row]] = {}
        for row in self._of_visitors:
            if row["visitor_id"]:
                of_visitor.setdefault(row["visitor_id"], []).append(row)
        for sessions in of_visitor.values():
            settled = stitch(sessions)
            for row in sessions:
                changed = settled[row["session_id"]]
                if row["unit"] in self._units:
                    row.update(changed)
                elif any(row[name] != changed[name] for name in STITCHED):
                    changes[row["unit"]] = changed
        for row in self._store.rows(SESSIONS, "unit", sorted(changes)) if changes else ():
            self._move(SESSIONS, row, row | changes[row["unit"]])
        for row in fresh:
            if not row["visitor_id"]:
                row.update(alone(row))
        self._adopt()

    def _adopt(self) -> None:
        """Give the rows of the other tables what was settled for their sessions."""
        fresh = {row["session_id"]: row for row in self._fresh[SESSIONS.name]}
        moved = {new["session_id"]: new for _, new in self._moved[SESSIONS.name].values()}
        for table in _PERSONAL:
            self._fresh[table.name] = [
                adopt(row, table.name, fresh[row["session_id"]]) if row["session_id"] in fresh else row
                for row in self._fresh[table.name]
            ]
            if moved:
                units = sorted({new["unit"] for new in moved.values()})
                for row in self._store.rows(table, "unit", units):
                    new = adopt(row, table.name, moved[row["session_id"]])
                    if new is not row:
                        self._move(table, row, new)

    def _persons(self) -> set[str]:
        """Everyone whom the rows concern that are made again or changed."""
        return {
            row["person_id"]
            for table in (SESSIONS, CONVERSIONS)
            for row in (
                *self._fresh[table.name],
                *self._old[table.name],
                *(row for pair in self._moved[table.name].values() for row in pair),
            )
        } - {""}

    def _people(self, concerned: set[str]) -> Change:
        """The rows of ``users``, and what conversions owe to their persons."""
        persons = sorted(concerned)
        sessions = self._now_there(SESSIONS, "person_id", persons, (*OF_PERSON, *SESSIONS.sorted_by, *SESSIONS.key))
        conversions = self._now_there(CONVERSIONS, "person_id", persons)
        users = []
        zone = settings_for(self._setting.applications, "").zone_info
        for person in persons:
            own = sessions.get(person, [])
            reached = [self._matched(row, own) for row in conversions.get(person, [])]
            firsts = first_of_person(reached)
            for row in reached:
                is_first = firsts[(row["event_id"], row["goal"])]
                if row.get("is_first_of_person") is not is_first:
                    self._put(CONVERSIONS, row, row | {"is_first_of_person": is_first})
            if own:
                users.append(user(person, own, reached, zone))
        gone = [person for person in persons if person not in sessions]
        return Change(USERS, self._store.rows(USERS, "person_id", gone, USERS.key), users)

    def _identities(self, visitors: Sequence[str]) -> Change:
        """The rows of ``identities`` of visitors whose sessions were stitched."""
        return Change(IDENTITIES, self._store.rows(IDENTITIES, "visitor_id", visitors), identities(self._of_visitors))

    def _matched(self, row: Row, sessions: Sequence[Row]) -> Row:
        if not row["unit"].startswith("event "):
            return row
        new = match(row, sessions)
        if any(row.get(name, "") != value for name, value in new.items()):
            self._put(CONVERSIONS, row, new)
        return new

    def _now_there(
        self, table: Table, column: str, values: Sequence[str], names: Sequence[str] = ()
    ) -> dict[str, list[Row]]:
        """The rows with one of these values as they will be after this run, by value."""
        moved = self._moved[table.name]
        rows = [
            row
            for row in self._store.rows(table, column, values, tuple(dict.fromkeys(names)))
            if row["unit"] not in self._units and _key(table, row) not in moved
        ]
        wanted = frozenset(values)
        found: dict[str, list[Row]] = {}
        for row in (*rows, *self._fresh[table.name], *(new for _, new in moved.values())):
            if row[column] in wanted:
                found.setdefault(row[column], []).append(row)
        return found

    def _move(self, table: Table, old: Row, new: Row) -> None:
        """Change a row of a unit that is not made again."""
        self._moved[table.name][_key(table, old)] = (old, new)

    def _put(self, table: Table, row: Row, new: Row) -> None:
        """Change a row, whosever it is."""
        key = _key(table, row)
        if row["unit"] not in self._units:
            before = self._moved[table.name].get(key, (row, row))[0]
            self._moved[table.name][key] = (before, new)
            return
        fresh = self._fresh[table.name]
        fresh[next(at for at, one in enumerate(fresh) if _key(table, one) == key)] = new

    def _of_units(self, tables: Iterable[Table]) -> list[Change]:
        return [
            Change(
                table,
                [*self._old[table.name], *(old for old, _ in self._moved[table.name].values())],
                [*self._fresh[table.name], *(new for _, new in self._moved[table.name].values())],
            )
            for table in tables
        ]


_NEVER = (2**63, "")
_READ_OF_OLD = frozenset(["unit", "app_id", "person_id", "visitor_id", "end_tstamp", *OF_TRANSACTION])
_OLD = {
    table.name: [
        name
        for name in table.names
        if name in _READ_OF_OLD or name in table.key or name in table.sorted_by or name == table.day
    ]
    for table in OF_UNITS
}
"""Columns of rows that give way: what tells them apart, and what says who is concerned."""
_OF_STITCHED = tuple(dict.fromkeys((*OF_VISITOR, *SESSIONS.sorted_by, *SESSIONS.key)))
_BEFORE_SESSIONS = tuple(table for table in OF_UNITS if table is not SESSIONS)


def _key(table: Table, row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in table.key)

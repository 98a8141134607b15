"""The modeller's store in memory: the reference for the ones on databases, and quick enough for thousands of cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.entities import entities
from snowgauge.modelling.event_stats import QUARTER_MS
from snowgauge.modelling.events import (
    AMOUNTS,
    COLUMNS,
    DAY_MS,
    EARLY_MS,
    LATE_MS,
    NUMBERS,
    TIMES,
    Columns,
    Unit,
    session_of,
    unit_of,
    view_of,
)
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, Found, Group
from snowgauge.modelling.tables import EVENT_STATS, PAGE_VIEWS, SESSIONS, TABLES
from snowgauge.store.canonical import contexts_text, unstruct_text


class MemoryModelStore:
    """``clock``: what ``now`` answers, and when events are stored; moved by hand. ``failing``: after so many calls of
    ``replace`` each raises."""

    def __init__(self) -> None:
        self.clock = 1_800_000_000_000
        self.stored: list[tuple[int, Row]] = []
        self.tables: dict[str, dict[tuple[Any, ...], Row]] = {table.name: {} for table in TABLES}
        self._staged: dict[str, list[Row]] = {}
        self.replaces = 0
        self.failing: int | None = None

    def write(self, events: Sequence[EnrichedEvent]) -> None:
        """Store events now."""
        self.stored += [(self.clock, event_columns(event)) for event in events]

    def erase(self, event_ids: set[str]) -> list[Unit]:
        """Take events out; answers the units that they were part of."""
        gone = [row for _, row in self.stored if row["event_id"] in event_ids]
        self.stored = [(at, row) for at, row in self.stored if row["event_id"] not in event_ids]
        return [Unit(_unit(row), row["collector_tstamp"], row["collector_tstamp"]) for row in gone]

    def now(self) -> int:
        return self.clock

    def stored_since(self, since: int) -> list[Found]:
        return [_found(at, row) for at, row in self.stored if at >= since]

    def collected(self, since: int, until: int) -> list[Found]:
        return [_found(at, row) for at, row in self.stored if since <= row["collector_tstamp"] < until]

    def collected_of(self, units: Sequence[Unit], since: int, until: int) -> list[Found]:
        names = {unit.name for unit in units}
        return [one for one in self.collected(since, until) if one.unit in names]

    def days_before(self, before: int, most: int) -> list[tuple[int, int]]:
        last = before // DAY_MS
        days = Counter(row["collector_tstamp"] // DAY_MS for _, row in self.stored if row["collector_tstamp"] < before)
        return sorted(((day, count) for day, count in days.items() if day >= last - most), reverse=True)

    def last_collected(self, before: int) -> int | None:
        times = [row["collector_tstamp"] for _, row in self.stored]
        return max((at for at in times if at < before), default=None)

    def events(self, units: Sequence[Unit], since: int, until: int) -> Iterator[Columns]:
        names = {unit.name for unit in units}
        rows = [r for _, r in self.stored if _unit(r) in names and since <= r["collector_tstamp"] <= until]
        if rows:
            yield {name: [row[name] for row in rows] for name in COLUMNS}

    def rows(self, table: Table, column: str, values: Sequence[str], names: Sequence[str] = ()) -> list[Row]:
        wanted = set(values)
        rows = [row for row in self.tables[table.name].values() if row[column] in wanted]
        return [{name: row[name] for name in names or table.names} for row in rows]

    def all_rows(self, table: Table) -> list[Row]:
        return [dict(row) for row in self.tables[table.name].values()]

    def replace(self, changes: Sequence[Change], version: int) -> None:
        if self.failing is not None and self.replaces >= self.failing:
            raise InterruptedError("killed here, as the test wants it")
        self.replaces += 1
        for change in changes:
            there = self.tables[change.table.name]
            for row in change.old:
                there.pop(_key(change.table, row), None)
            for row in change.rows:
                there[_key(change.table, row)] = _whole(change.table, row, version)

    def groups(self, slots: Sequence[int]) -> list[Group]:
        found: dict[tuple[Any, ...], list[Row]] = {}
        for _, row in self.stored:
            slot = row["collector_tstamp"] - row["collector_tstamp"] % QUARTER_MS
            if slot in slots:
                names = ("platform", "event_name", "event_vendor", "event_version")
                key = (row["app_id"], slot, *(row[name] for name in names), row["useragent"], row["derived_contexts"])
                found.setdefault(key, []).append(row)
        return [
            Group._make((*key[:6], "", "", "", *key[6:], len({r["event_id"] for r in rows}), len(rows), _late(rows)))
            for key, rows in found.items()
        ]

    def rows_of_slots(self, slots: Sequence[int]) -> list[Row]:
        return [row for row in self.tables[EVENT_STATS.name].values() if row["slot"] in slots]

    def units_of_days(self, table: Table, days: range) -> list[str]:
        return [row["unit"] for row in self.tables[table.name].values() if _day(table, row) in days]

    def repeated_views(self, days: range) -> list[str]:
        units: dict[tuple[str, str], set[str]] = {}
        here = set()
        for row in self.tables[PAGE_VIEWS.name].values():
            units.setdefault((row["app_id"], row["view_id"]), set()).add(row["unit"])
            if row["start_tstamp"] // DAY_MS in days:
                here.add((row["app_id"], row["view_id"]))
        return sorted({view[1] for view in here if len(units[view]) > 1})

    def units_of(self, events: Sequence[tuple[str, int]]) -> list[Found]:
        wanted = set(events)
        return [_found(at, row) for at, row in self.stored if (row["event_id"], row["collector_tstamp"]) in wanted]

    def units_of_people(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> list[Unit]:
        rows = self.tables[table.name].values()
        held = [row for row in rows if any(str(row[column]).lower() in values for column in columns)]
        return [Unit(row["unit"], row[table.day], row[table.day]) for row in held]

    def drop(self, table: Table, column: str, values: Sequence[str]) -> None:
        kept = {key: row for key, row in self.tables[table.name].items() if row[column] not in values}
        self.tables[table.name] = kept

    def purge(self, gone: Mapping[Table, tuple[str, Sequence[str]]], version: int) -> None:
        """Nothing to do: what was replaced or taken out is no row here."""

    def people_before(self, before: int, apps: tuple[Sequence[str], bool]) -> list[str]:
        rows = self.tables[SESSIONS.name].values()
        return sorted({r["person_id"] for r in rows if r["start_tstamp"] < before and _meant(r, apps)} - {""})

    def count_before(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> int:
        return sum(_past(t, row, before, apps) for t in tables for row in self.tables[t.name].values())

    def expire(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> None:
        for table in tables:
            rows = self.tables[table.name]
            self.tables[table.name] = {k: row for k, row in rows.items() if not _past(table, row, before, apps)}

    def stage(self, tables: Sequence[Table]) -> None:
        self._staged = {table.name: [] for table in tables}

    def add_staged(self, table: Table, rows: Sequence[Row], version: int) -> None:
        self._staged[table.name] += [_whole(table, row, version) for row in rows]

    def switch(self, tables: Sequence[Table], days: range) -> None:
        for table in tables:
            kept = {key: row for key, row in self.tables[table.name].items() if _day(table, row) not in days}
            self.tables[table.name] = kept | {_key(table, row): row for row in self._staged[table.name]}


def event_columns(event: EnrichedEvent) -> Row:
    """An event as the modeller reads it."""
    row: Row = {}
    for name in COLUMNS:
        value = getattr(event, name)
        if name in ("contexts", "derived_contexts"):
            value = contexts_text(value) or ""
        elif name == "unstruct_event":
            value = unstruct_text(value) or ""
        elif value is None and name not in (*TIMES, *NUMBERS, *AMOUNTS):
            value = ""
        row[name] = value
    return {**row, "event_vendor": event.event_vendor or "", "event_version": event.event_version or ""}


def _unit(row: Row) -> str:
    found = entities(row["contexts"])
    session = session_of(row["platform"], row["domain_sessionid"], found)
    view = view_of(row["event_id"], row["event_name"], found, row["unstruct_event"])
    return unit_of(session, view, row["event_id"])


def _found(at: int, row: Row) -> Found:
    texts = [row[name] for name in ("platform", "domain_sessionid", "contexts", "event_id", "event_name")]
    collected = row["collector_tstamp"]
    return Found._make((at // 60_000, 1, *texts, row["unstruct_event"], collected, collected, 1))


def _late(rows: Sequence[Row]) -> int:
    behind = [(row["event_id"], row["collector_tstamp"] - (row["derived_tstamp"] or 0)) for row in rows]
    return len({id_ for id_, by in behind if by > LATE_MS or by < -EARLY_MS})


def _past(table: Table, row: Row, before: int, apps: tuple[Sequence[str], bool]) -> bool:
    limit = before // 86_400_000 if table.column(table.day).type is Type.DAY else before
    return bool(row[table.day] < limit) and _meant(row, apps)


def _meant(row: Row, apps: tuple[Sequence[str], bool]) -> bool:
    names, only = apps
    return (row["app_id"] in names) is only


def _key(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in table.key)


def _whole(table: Table, row: Row, version: int) -> Row:
    made: Row = {"model_version": version, "modelled_at": version // 1000}
    found: Row = {}
    for column in table.columns:
        value = (row | made).get(column.name) if table.version_column == "model_version" else row.get(column.name)
        found[column.name] = column.type.unset if value is None else value
    return found


def _day(table: Table, row: Row) -> int:
    value: int = row[table.day]
    return value if table.column(table.day).type is Type.DAY else value // 86_400_000

"""The modeller's store on ClickHouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.events import Columns, Unit
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, Found, Group
from snowgauge.modelling.tables import EVENT_STATS, PAGE_VIEWS, SESSIONS, TABLES
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.derived.events import EventReader, instant, listed
from snowgauge.store.clickhouse.derived.layout import DerivedLayout
from snowgauge.store.clickhouse.derived.rows import day_text, encoded, read, selected
from snowgauge.store.clickhouse.layout import Layout, quote, text

_READ = {
    "max_execution_time": 600,
    "max_query_size": 1_000_000_000,
    "max_ast_elements": 10_000_000,
    "max_expanded_ast_elements": 10_000_000,
    "do_not_merge_across_partitions_select_final": 1,
    # a skip index must not hide the row that takes another out
    "use_skip_indexes_if_final_exact_mode": 1,
}
_WRITE = {
    "async_insert": 0,
    "wait_end_of_query": 1,
    "insert_deduplicate": 0,
    "max_partitions_per_insert_block": 0,
    "input_format_null_as_default": 1,
    "distributed_foreground_insert": 1,
    "insert_distributed_sync": 1,
}
_VALUES_TOGETHER = 20_000


class ClickHouseModelStore:
    """See ``ModelStore``. Changes of several tables are not one transaction: they become visible one after the
    other."""

    def __init__(self, connection: Connection, layout: Layout) -> None:
        self._connection = connection
        self._layout = DerivedLayout(layout)
        self._events = EventReader(connection, layout)

    def now(self) -> int:
        return int(self._connection.rows("SELECT toUnixTimestamp64Milli(now64(3, 'UTC'))")[0][0])

    def stored_since(self, since: int) -> list[Found]:
        return self._events.found(f"`load_tstamp` >= {instant(since)}")

    def collected(self, since: int, until: int) -> list[Found]:
        return self._events.found(f"`collector_tstamp` >= {instant(since)} AND `collector_tstamp` < {instant(until)}")

    def collected_of(self, units: Sequence[Unit], since: int, until: int) -> list[Found]:
        return self._events.found_of(
            units, f"`collector_tstamp` >= {instant(since)} AND `collector_tstamp` < {instant(until)}"
        )

    def days_before(self, before: int, most: int) -> list[tuple[int, int]]:
        return self._events.days_before(before, most)

    def last_collected(self, before: int) -> int | None:
        return self._events.last_collected(before)

    def events(self, units: Sequence[Unit], since: int, until: int) -> Iterator[Columns]:
        return self._events.read(units, since, until)

    def groups(self, slots: Sequence[int]) -> list[Group]:
        return self._events.groups(slots)

    def rows(self, table: Table, column: str, values: Sequence[str], names: Sequence[str] = ()) -> list[Row]:
        found: list[Row] = []
        for start in range(0, len(values), _VALUES_TOGETHER):
            some = listed(values[start : start + _VALUES_TOGETHER])
            found += self._select(table, f"{quote(column)} IN {some}", names)
        return found

    def all_rows(self, table: Table) -> list[Row]:
        return self._select(table, "1", ())

    def replace(self, changes: Sequence[Change], version: int) -> None:
        for change in changes:
            table = change.table
            kept = {_place(table, row) for row in change.rows}
            lines = [encoded(table, row, version, deleted=False) for row in change.rows]
            lines += [
                encoded(table, {name: row[name] for name in _left(table)}, version, deleted=True)
                for row in change.old
                if _place(table, row) not in kept
            ]
            self._insert(self._layout.name(table), table, lines)

    def drop(self, table: Table, column: str, values: Sequence[str]) -> None:
        if values:
            self._delete(table, f"{quote(column)} IN {listed(values)}")

    def rows_of_slots(self, slots: Sequence[int]) -> list[Row]:
        return self._select(EVENT_STATS, f"slot IN ({', '.join(instant(slot) for slot in slots)})", ()) if slots else []

    def units_of_days(self, table: Table, days: range) -> list[str]:
        rows = self._connection.rows(
            f"SELECT DISTINCT `unit` FROM {self._layout.name(table)} WHERE toDate({quote(table.day)}) BETWEEN "
            f"toDate({text(day_text(days[0]))}) AND toDate({text(day_text(days[-1]))})",
            None,
            _READ,
        )
        return [str(row[0]) for row in rows]

    def repeated_views(self, days: range) -> list[str]:
        name = self._layout.name(PAGE_VIEWS)
        rows = self._connection.rows(
            f"SELECT DISTINCT `view_id` FROM (SELECT `app_id`, `view_id` FROM {name} FINAL WHERE `view_id` GLOBAL IN "
            f"(SELECT `view_id` FROM {name} WHERE toDate(`start_tstamp`) BETWEEN toDate({text(day_text(days[0]))}) AND "
            f"toDate({text(day_text(days[-1]))})) GROUP BY `app_id`, `view_id` HAVING uniqExact(`unit`) > 1)",
            None,
            _READ,
        )
        return [str(row[0]) for row in rows]

    def units_of(self, events: Sequence[tuple[str, int]]) -> list[Found]:
        found: list[Found] = []
        for start in range(0, len(events), _VALUES_TOGETHER):
            some = events[start : start + _VALUES_TOGETHER]
            ids = ", ".join(f"toUUID({text(id_)})" for id_, _ in some)
            times = [at for _, at in some]
            found += self._events.found(
                f"`collector_tstamp` >= {instant(min(times))} AND `collector_tstamp` <= {instant(max(times))} "
                f"AND `event_id` IN ({ids})"
            )
        return found

    def units_of_people(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> list[Unit]:
        if not values:
            return []
        held = " OR ".join(f"lowerUTF8({quote(column)}) IN {listed(values)}" for column in columns)
        time = f"toUnixTimestamp64Milli({quote(table.day)})"
        rows = self._connection.rows(
            f"SELECT `unit`, min({time}), max({time}) FROM {self._layout.name(table)} FINAL WHERE {held} "
            "GROUP BY `unit`",
            None,
            _READ,
        )
        return [Unit(*row) for row in rows]

    def purge(self, gone: Mapping[Table, tuple[str, Sequence[str]]], version: int) -> None:
        for table, (column, values) in gone.items():
            if values:
                old = f"({quote(table.version_column)} < {version} OR `is_deleted`)"
                self._delete(table, f"{quote(column)} IN {listed(values)} AND {old}")

    def people_before(self, before: int, apps: tuple[Sequence[str], bool]) -> list[str]:
        rows = self._connection.rows(
            f"SELECT DISTINCT `person_id` FROM {self._layout.name(SESSIONS)} FINAL WHERE `person_id` != '' AND "
            f"`start_tstamp` < {instant(before)} AND {_of_apps(apps)}",
            None,
            _READ,
        )
        return [str(row[0]) for row in rows]

    def count_before(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> int:
        counts = (
            self._connection.rows(
                f"SELECT count() FROM {self._layout.name(table)} FINAL WHERE {_past(table, before, apps)}", None, _READ
            )
            for table in tables
        )
        return sum(int(rows[0][0]) for rows in counts)

    def expire(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> None:
        for table in tables:
            self._delete(table, _past(table, before, apps))

    def _delete(self, table: Table, where: str) -> None:
        self._connection.command(
            f"DELETE FROM {self._layout.stored(table)}{self._layout.on_cluster} WHERE {where}",
            {**_READ, "mutations_sync": 2, "lightweight_deletes_sync": 2, "readonly": 0},
        )

    def settle(self) -> None:
        """Rewrite the parts that still hold deleted rows."""
        for table in TABLES:
            if table.kind == "rows":
                self._connection.command(
                    f"ALTER TABLE {self._layout.stored(table)}{self._layout.on_cluster} APPLY DELETED MASK",
                    {"mutations_sync": 2, "readonly": 0},
                )

    def stage(self, tables: Sequence[Table]) -> None:
        for table in tables:
            for statement in self._layout.create_staging(table):
                self._connection.command(statement)

    def add_staged(self, table: Table, rows: Sequence[Row], version: int) -> None:
        self._insert(self._layout.staging(table), table, [encoded(table, row, version, deleted=False) for row in rows])

    def switch(self, tables: Sequence[Table], days: range) -> None:
        # an empty partition is refused as a replacement
        filled = {table: self._days_of(self._layout.staging(table)) for table in tables}
        known = {table: self._days_of(self._layout.stored(table)) for table in tables}
        for day in reversed(days):
            for table in tables:
                staging = self._layout.staging(table)
                if day in filled[table]:
                    change = f"REPLACE PARTITION {text(day_text(day))} FROM {staging}"
                elif day in known[table] or self._layout.cluster:
                    change = f"DROP PARTITION {text(day_text(day))}"
                else:
                    continue
                self._connection.command(
                    f"ALTER TABLE {self._layout.stored(table)}{self._layout.on_cluster} {change}", {"alter_sync": 2}
                )
        for table in tables:
            self._connection.command(self._layout.drop_staging(table))

    def _days_of(self, name: str) -> set[int]:
        """The days of which this server has rows of a table."""
        rows = self._connection.rows(f"SELECT DISTINCT toUInt16(_partition_value.1) FROM {name}")
        return {int(row[0]) for row in rows}

    def _select(self, table: Table, where: str, names: Sequence[str]) -> list[Row]:
        columns = [table.column(name) for name in names] if names else list(table.columns)
        rows = self._connection.rows(
            f"SELECT {', '.join(selected(column) for column in columns)} FROM {self._layout.name(table)} FINAL "
            f"WHERE {where}",
            None,
            _READ,
        )
        return [read(columns, row) for row in rows]

    def _insert(self, name: str, table: Table, lines: Sequence[bytes]) -> None:
        if lines:
            columns: list[Any] = [*table.names, "is_deleted"]
            self._connection.insert(name, columns, b"\n".join(lines), "", _WRITE)


def _left(table: Table) -> tuple[str, ...]:
    """What a mark of deletion holds: enough to find its row, to be newer than it, and to be found with its unit."""
    version = [] if table.version_column == "model_version" else [table.version_column]
    return (*table.key, *table.sorted_by, *version, *(["unit"] if "unit" in table.names else []))


def _past(table: Table, before: int, apps: tuple[Sequence[str], bool]) -> str:
    limit = instant(before)
    if table.column(table.day).type is Type.DAY:
        limit = f"toDate({limit})"
    return f"{quote(table.day)} < {limit} AND {_of_apps(apps)}"


def _of_apps(apps: tuple[Sequence[str], bool]) -> str:
    names, only = apps
    if not names:
        return "0" if only else "1"
    return f"`app_id` {'IN' if only else 'NOT IN'} {listed(names)}"


def _place(table: Table, row: Row) -> tuple[object, ...]:
    """What tells a row apart here: its sorting key, by days where that says so."""
    return tuple(
        row[name] // 86_400_000 if part.startswith("toDate(") else row[name]
        for name, part in zip(table.sorted_by, table.order, strict=True)
    )

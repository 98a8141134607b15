"""The modeller's store on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.entities import NIL
from snowgauge.modelling.events import (
    AMOUNTS,
    COLUMNS,
    DAY_MS,
    EARLY_MS,
    LATE_MS,
    NUMBERS,
    SERVER,
    TIMES,
    Columns,
    Unit,
)
from snowgauge.modelling.making.make import MOST_EVENTS
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, Found, Group
from snowgauge.modelling.tables import EVENT_STATS, PAGE_VIEWS, SESSIONS, TABLES
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.derived.layout import DerivedLayout
from snowgauge.store.postgres.derived.rows import DECIMALS, copy_in, delete, epoch_ms, instant, selected
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.naming import quote

if TYPE_CHECKING:
    pass

_SERVER = f"coalesce(platform, '') = '{SERVER}'"
_UNSET = f"(domain_sessionid IS NULL OR domain_sessionid = '{NIL}')"
_NO_SESSION = f"({_UNSET} OR {_SERVER})"
_HAS_SESSION = "strpos(contexts, '/client_session/') > 0"
_IN_SESSION = "domain_sessionid = ANY(%(ids)s::text[])"
_QUARTER_MS = 900_000
_EPOCH = date(1970, 1, 1).toordinal()
_PAGE = 20_000
_cursors = count(1)


class PostgresModelStore:
    """See ``ModelStore``. ``replace`` and ``switch`` are one transaction each."""

    def __init__(self, connections: Connections, layout: Layout) -> None:
        self._connections = connections
        self._layout = DerivedLayout(layout)
        self._events = layout.name("events")

    def now(self) -> int:
        return int(self._all("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")[0][0])

    def stored_since(self, since: int) -> list[Found]:
        return self._found("load_tstamp >= %s::timestamp", [instant(since)])

    def collected(self, since: int, until: int) -> list[Found]:
        return self._found(
            "collector_tstamp >= %s::timestamp AND collector_tstamp < %s::timestamp", [instant(since), instant(until)]
        )

    def collected_of(self, units: Sequence[Unit], since: int, until: int) -> list[Found]:
        given = {"since": instant(since), "until": instant(until)}
        within = "collector_tstamp >= %(since)s::timestamp AND collector_tstamp < %(until)s::timestamp"
        return [
            one
            for condition, ids in _of(units)
            for one in self._found(f"{within} AND {condition}", given | {"ids": ids})
        ]

    def days_before(self, before: int, most: int) -> list[tuple[int, int]]:
        since = before - before % DAY_MS - most * DAY_MS
        rows = self._all(
            "SELECT collector_tstamp::date - '1970-01-01'::date, count(*) FROM "
            f"{self._events} WHERE collector_tstamp >= %s::timestamp AND collector_tstamp < %s::timestamp "
            "GROUP BY 1 ORDER BY 1 DESC",
            [instant(since), instant(before)],
        )
        return [(int(day), int(count)) for day, count in rows]

    def last_collected(self, before: int) -> int | None:
        sql = f"SELECT {epoch_ms('max(collector_tstamp)')} FROM {self._events} WHERE collector_tstamp < %s::timestamp"
        found = self._all(sql, [instant(before)])[0][0]
        return None if found is None else int(found)

    def events(self, units: Sequence[Unit], since: int, until: int) -> Iterator[Columns]:
        within = "collector_tstamp BETWEEN %(since)s::timestamp AND %(until)s::timestamp"
        bound = {"since": instant(since), "until": instant(until)}
        for condition, ids in _of(units):
            given = bound | {"ids": ids}
            where = f"{within} AND {condition}"
            if condition is not _IN_SESSION:
                yield from self._select(f"{self._events} WHERE {where}", given)
                continue
            large = self._all(
                f"SELECT 1 FROM {self._events} WHERE {where} GROUP BY domain_sessionid HAVING count(*) > "
                f"{MOST_EVENTS} LIMIT 1",
                given,
            )
            yield from self._select(_limited(self._events, where) if large else f"{self._events} WHERE {where}", given)

    def rows(self, table: Table, column: str, values: Sequence[str], names: Sequence[str] = ()) -> list[Row]:
        if not values:
            return []
        return self._rows(table, f"WHERE {quote(column)} = ANY(%s::text[])", names, [list(values)])

    def all_rows(self, table: Table) -> list[Row]:
        return self._rows(table, "", (), [])

    def replace(self, changes: Sequence[Change], version: int) -> None:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            for change in changes:
                delete(connection, self._layout.name(change.table), change)
                copy_in(connection, self._layout.name(change.table), change.table, change.rows, version)

    def drop(self, table: Table, column: str, values: Sequence[str]) -> None:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute(
                f"DELETE FROM {self._layout.name(table)} WHERE {quote(column)} = ANY(%s::text[])", [list(values)]
            )

    def rows_of_slots(self, slots: Sequence[int]) -> list[Row]:
        return self._rows(EVENT_STATS, "WHERE slot = ANY(%s::timestamp[])", (), [[instant(slot) for slot in slots]])

    def units_of_days(self, table: Table, days: range) -> list[str]:
        rows = self._all(f"SELECT DISTINCT unit FROM {self._layout.name(table)} WHERE {_on_days(table)}", _bounds(days))
        return [row[0] for row in rows]

    def repeated_views(self, days: range) -> list[str]:
        name = self._layout.name(PAGE_VIEWS)
        rows = self._all(
            f"SELECT DISTINCT view_id FROM (SELECT view_id, app_id, unit FROM {name} WHERE {_on_days(PAGE_VIEWS)}) a "
            f"JOIN (SELECT view_id, app_id, unit AS other FROM {name}) b USING (view_id, app_id) WHERE unit <> other",
            _bounds(days),
        )
        return [row[0] for row in rows]

    def units_of(self, events: Sequence[tuple[str, int]]) -> list[Found]:
        if not events:
            return []
        return self._found(
            "event_id = ANY(%s::uuid[]) AND collector_tstamp = ANY(%s::timestamp[])",
            [[id_ for id_, _ in events], [instant(at) for _, at in events]],
        )

    def units_of_people(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> list[Unit]:
        held = " OR ".join(f"lower({quote(column)}) = ANY(%(values)s::text[])" for column in columns)
        low, high = (epoch_ms(f"{function}({quote(table.day)})") for function in ("min", "max"))
        rows = self._all(
            f"SELECT unit, {low}, {high} FROM {self._layout.name(table)} WHERE {held} GROUP BY unit",
            {"values": list(values)},
        )
        return [Unit(*row) for row in rows]

    def purge(self, gone: Mapping[Table, tuple[str, Sequence[str]]], version: int) -> None:
        """Nothing to do: what was replaced or taken out is no row here."""

    def people_before(self, before: int, apps: tuple[Sequence[str], bool]) -> list[str]:
        names, only = apps
        rows = self._all(
            f"SELECT DISTINCT person_id FROM {self._layout.name(SESSIONS)} WHERE person_id IS NOT NULL "
            "AND start_tstamp < %s::timestamp AND (app_id = ANY(%s::text[])) = %s",
            (instant(before), list(names), only),
        )
        return [row[0] for row in rows]

    def count_before(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> int:
        values = _past_values(before, apps)
        counts = (
            self._all(f"SELECT count(*) FROM {self._layout.name(table)} WHERE {_past(table)}", values)
            for table in tables
        )
        return sum(int(rows[0][0]) for rows in counts)

    def expire(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> None:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            for table in tables:
                connection.execute(
                    f"DELETE FROM {self._layout.name(table)} WHERE {_past(table)}", _past_values(before, apps)
                )

    def settle(self) -> None:
        """Let the space of deleted rows be used again."""
        with self._connections.use() as connection:
            for table in TABLES:
                if table.kind == "rows":
                    connection.execute(f"VACUUM {self._layout.name(table)}")

    def stage(self, tables: Sequence[Table]) -> None:
        with self._connections.use() as connection, connection.transaction():
            for table in tables:
                connection.execute(f"DROP TABLE IF EXISTS {self._layout.staging(table)}")
                connection.execute(f"CREATE TABLE {self._layout.staging(table)} (LIKE {self._layout.name(table)})")

    def add_staged(self, table: Table, rows: Sequence[Row], version: int) -> None:
        with self._connections.use() as connection, connection.transaction():
            copy_in(connection, self._layout.staging(table), table, rows, version)

    def switch(self, tables: Sequence[Table], days: range) -> None:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            for table in tables:
                name, staging = self._layout.name(table), self._layout.staging(table)
                connection.execute(f"DELETE FROM {name} WHERE {_on_days(table)}", _bounds(days))
                connection.execute(f"INSERT INTO {name} SELECT * FROM {staging}")
                connection.execute(f"DROP TABLE {staging}")

    def groups(self, slots: Sequence[int]) -> list[Group]:
        if not slots:
            return []
        at = epoch_ms("collector_tstamp")
        behind = f"{at} - {epoch_ms('derived_tstamp')}"
        slot = f"{at} - mod({at}, {_QUARTER_MS})"
        version = """substring(contexts from '/application/jsonschema/[^}]*"version"\\s*:\\s*"([^"]*)"')"""
        texts = ("app_id", "platform", "event_name", "event_vendor", "event_version", "name_tracker", "v_tracker")
        plain = {name: f"coalesce({quote(name)}, '')" for name in (*texts, "useragent", "derived_contexts")}
        named = [plain["app_id"], slot, *(plain[name] for name in texts[1:]), f"coalesce({version}, '')"]
        rows = self._all(
            f"SELECT {', '.join(named)}, {plain['useragent']}, {plain['derived_contexts']}, count(DISTINCT event_id), "
            f"count(*), count(DISTINCT event_id) FILTER (WHERE {behind} > {LATE_MS} OR {behind} < -{EARLY_MS}) "
            f"FROM {self._events} WHERE collector_tstamp >= %(low)s::timestamp AND collector_tstamp < "
            "%(high)s::timestamp "
            f"AND {slot} = ANY(%(slots)s::bigint[]) GROUP BY {', '.join(str(n) for n in range(1, 12))}",
            {"low": instant(min(slots)), "high": instant(max(slots) + _QUARTER_MS), "slots": list(slots)},
        )
        return [Group(*row) for row in rows]

    def _found(self, where: str, values: Any) -> list[Found]:
        texts = f"NOT {_SERVER} AND ({_UNSET} OR {_HAS_SESSION})"
        rows = self._all(
            "SELECT floor(extract(epoch FROM load_tstamp) / 60)::bigint, "
            "sum(hashtext(event_id::text)::bigint)::bigint, "
            f"CASE WHEN {_SERVER} THEN '{SERVER}' ELSE '' END, coalesce(domain_sessionid, ''), "
            f"CASE WHEN {texts} THEN coalesce(contexts, '') ELSE '' END, "
            f"CASE WHEN {_NO_SESSION} THEN event_id::text ELSE '' END, "
            f"CASE WHEN {_NO_SESSION} THEN coalesce(event_name, '') ELSE '' END, "
            f"CASE WHEN {_NO_SESSION} AND event_name = 'screen_view' THEN coalesce(unstruct_event, '') ELSE '' END, "
            f"{epoch_ms('min(collector_tstamp)')}, {epoch_ms('max(collector_tstamp)')}, count(*) "
            f"FROM {self._events} WHERE {where} GROUP BY 1, 3, 4, 5, 6, 7, 8",
            values,
        )
        return [Found(row[0] or 0, *row[1:]) for row in rows]

    def _select(self, source: str, given: dict[str, Any]) -> Iterator[Columns]:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            with connection.cursor(name=f"snowgauge_model_{next(_cursors)}") as cursor:
                cursor.execute(f"SELECT {_SELECTED} FROM {source}", given)
                while rows := cursor.fetchmany(_PAGE):
                    yield dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))

    def _rows(self, table: Table, where: str, names: Sequence[str], values: list[Any]) -> list[Row]:
        columns = [table.column(name) for name in names] if names else list(table.columns)
        wanted = ", ".join(selected(column) for column in columns)
        rows = self._all(f"SELECT {wanted} FROM {self._layout.name(table)} {where}", values)
        return [
            {
                column.name: Decimal(value) if column.type in DECIMALS and value is not None else value
                for column, value in zip(columns, row, strict=True)
            }
            for row in rows
        ]

    def _all(self, sql: str, values: Any = ()) -> list[Any]:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            return connection.execute(sql, values).fetchall()


def _past(table: Table) -> str:
    kind = "date" if table.column(table.day).type is Type.DAY else "timestamp"
    return f"{quote(table.day)} < %(before)s::timestamp::{kind} AND (app_id = ANY(%(apps)s::text[])) = %(only)s"


def _past_values(before: int, apps: tuple[Sequence[str], bool]) -> dict[str, Any]:
    names, only = apps
    return {"before": instant(before), "apps": list(names), "only": only}


def _on_days(table: Table) -> str:
    return f"{quote(table.day)} >= %(first)s::date AND {quote(table.day)} < %(last)s::date + 1"


def _bounds(days: range) -> dict[str, str]:
    first, last = (date.fromordinal(day + _EPOCH).isoformat() for day in (days[0], days[-1]))
    return {"first": first, "last": last}


def _of(units: Sequence[Unit]) -> Iterator[tuple[str, list[str]]]:
    """Conditions that the events of these units meet, each unit's one or several of them, and the ids they name."""
    ids: dict[str, list[str]] = {"session": [], "view": [], "event": []}
    for unit in units:
        ids[unit.kind].append(unit.id)
    if ids["session"]:
        yield _IN_SESSION, ids["session"]
        yield f"{_HAS_SESSION} AND {_mentions('contexts', 'sessionId')}", ids["session"]
    if ids["view"]:
        texts = "coalesce(contexts, '') || coalesce(unstruct_event, '')"
        yield f"{_NO_SESSION} AND {_mentions(texts, 'id')}", ids["view"]
    if events := [*ids["event"], *(id_ for id_ in ids["view"] if len(id_) == len(NIL))]:
        yield "event_id::text = ANY(%(ids)s::text[])", events


def _of_event(name: str) -> str:
    if name in TIMES:
        return epoch_ms(quote(name))
    if name in NUMBERS:
        return quote(name)
    if name in AMOUNTS:
        return quote(name) if name == "se_value" else f"round({quote(name)}::numeric, 2)::text"
    return f"coalesce({quote(name)}::text, '')"


def _limited(events: str, where: str) -> str:
    """The earliest events of each session."""
    numbered = "row_number() OVER (PARTITION BY domain_sessionid ORDER BY collector_tstamp, event_id) AS place"
    return f"(SELECT *, {numbered} FROM {events} WHERE {where}) e WHERE place <= {MOST_EVENTS + 1}"


def _mentions(column: str, key: str) -> str:
    """Is one of the ids the value of this key somewhere in the text?"""
    return (
        f"""EXISTS (SELECT 1 FROM regexp_matches({column}, '"{key}"\\s*:\\s*"([^"]*)"', 'g') m """
        "WHERE m[1] = ANY(%(ids)s::text[]))"
    )


_SELECTED = ", ".join(_of_event(name) for name in COLUMNS)

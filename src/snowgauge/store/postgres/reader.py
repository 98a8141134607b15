"""The questions of ``Reader`` as PostgreSQL. Every value goes in as a bound parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from snowgauge.events.enriched import ATOMIC_FIELD, ATOMIC_FIELDS
from snowgauge.events.json_text import stored
from snowgauge.events.timestamps import tsv_text
from snowgauge.store.base import Bucket, EventKind, Filter, Selection
from snowgauge.store.canonical import FAILED_FIELDS, NO_UUID, decimal_text, double, money
from snowgauge.store.filters import SIGNS, ColumnKind, column_kind, filter_values
from snowgauge.store.nested import nested_of
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.nested import json_of, nested_condition, nested_rows
from snowgauge.store.postgres.values import MAX_TIME, MIN_TIME, kept_text, pg_time

_TABLES: dict[EventKind, str] = {"good": "events", "failed": "failed_events", "incomplete": "incomplete_events"}
_FAILED_TIMES = ("failed_at", "collector_tstamp", "attempted_at", "recovered_at")
_PAGE = 200
"""Failed events read at once; each may hold a whole request."""
_UNSET_TIME = "1970-01-01"


class PostgresReader:
    """``timeout`` seconds for any read that names none."""

    def __init__(self, connections: Connections, layout: Layout, *, timeout: float) -> None:
        self._connections = connections
        self._layout = layout
        self._timeout = timeout
        self._collation: str | None = None

    def count(self, kind: EventKind, selection: Selection) -> int:
        asked = self._asked(kind, selection)
        rows = self._rows(
            f"SELECT count(*) FROM (SELECT e.{asked.key} FROM {self._from(kind)} e "
            f"WHERE {asked.where('e')} GROUP BY 1) d",
            asked,
        )
        return int(rows[0][0])

    def events(
        self,
        kind: EventKind,
        selection: Selection,
        *,
        limit: int = 100,
        offset: int = 0,
        newest_first: bool = True,
        columns: Collection[str] | None = None,  # noqa: ARG002 - a row is read whole
    ) -> list[dict[str, Any]]:
        asked = self._asked(kind, selection)
        order, beyond = ("DESC", ">") if newest_first else ("ASC", "<")
        asked.parameters.update(limit=limit, offset=offset)
        once = ""
        if kind != "failed":
            # of one event that was sent twice, the one that comes first in this order
            once = (
                f" AND NOT EXISTS (SELECT 1 FROM {self._from(kind)} d WHERE d.{asked.key} = e.{asked.key} AND "
                f"(d.{asked.time}, d.ctid) {beyond} (e.{asked.time}, e.ctid) AND {asked.where('d')})"
            )
        rows = self._rows(
            f"SELECT {_select(kind)} FROM {self._from(kind)} e WHERE {asked.where('e')}{once} "
            f"ORDER BY e.{asked.time} {order}, e.{asked.key} {order} LIMIT %(limit)s OFFSET %(offset)s",
            asked,
        )
        return [_canonical(kind, row) for row in rows]

    def event(self, event_id: str) -> dict[str, Any] | None:
        return self._one("good", event_id)

    def failed_event(self, failed_id: str) -> dict[str, Any] | None:
        return self._one("failed", failed_id)

    def failed_events(self, selection: Selection) -> Iterator[dict[str, Any]]:
        after: tuple[Any, str] | None = None
        while True:
            asked = self._asked("failed", selection)
            where = asked.where("e")
            if after is not None:
                asked.parameters.update(after_at=after[0], after_id=after[1])
                where += " AND (e.tstamp, e.id) > (%(after_at)s::timestamp, %(after_id)s::uuid)"
            asked.parameters["limit"] = _PAGE
            rows = self._rows(
                f"SELECT {_select('failed')}, e.tstamp::text FROM {self._from('failed')} e WHERE {where} "
                "ORDER BY e.tstamp, e.id LIMIT %(limit)s",
                asked,
            )
            for row in rows:
                yield _canonical("failed", row[:-1])
            if len(rows) < _PAGE:
                return
            after = (rows[-1][-1], str(rows[-1][0]))

    def stored(self, events: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
        wanted = {(event_id.lower(), at): (event_id, at) for event_id, at in events}
        found: set[tuple[str, int]] = set()
        keys = list(wanted)
        for start in range(0, len(keys), _PAGE):
            some = keys[start : start + _PAGE]
            with self._connections.use() as connection:
                rows = connection.execute(
                    f"SELECT DISTINCT e.event_id::text, {_ms('e.collector_tstamp')} FROM {self._from('good')} e "
                    "JOIN unnest(%s::uuid[], %s::timestamp[]) AS k(id, at) "
                    "ON e.event_id = k.id AND e.collector_tstamp = k.at",
                    ([event_id for event_id, _ in some], [pg_time(at) for _, at in some]),
                ).fetchall()
            found |= {wanted[(str(event_id), int(at))] for event_id, at in rows}
        return found

    def _one(self, kind: EventKind, wanted: str) -> dict[str, Any] | None:
        try:
            wanted = str(UUID(wanted))
        except ValueError:
            return None
        asked = self._asked(kind, Selection())
        asked.parameters["wanted"] = wanted
        rows = self._rows(
            f"SELECT {_select(kind)} FROM {self._from(kind)} e WHERE e.{asked.key} = %(wanted)s::uuid "
            f"ORDER BY e.{asked.time} LIMIT 1",
            asked,
        )
        return _canonical(kind, rows[0]) if rows else None

    def count_by(self, kind: EventKind, column: str, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        nested = nested_of(kind, column)
        asked = self._asked(kind, selection)
        asked.parameters["limit"] = limit
        column_type: ColumnKind = "text"
        value, more = "n.v", ""
        if nested is None:
            column_type = column_kind(kind, column)
            value = _value(kind, column, column_type)
        else:
            more = f" LEFT JOIN LATERAL ({nested_rows(nested, 'e', asked.bind)}) n ON true"
        rows = self._rows(
            f"SELECT k, count(*), {_ms('min(t0)')}, {_ms('max(t1)')} FROM ("
            f"SELECT {value} AS k, e.{asked.key}, min(e.{asked.time}) AS t0, "
            f"max(e.{asked.time}) AS t1 FROM {self._from(kind)} e{more} WHERE {asked.where('e')} GROUP BY 1, 2) d "
            'GROUP BY k ORDER BY 2 DESC, k IS NULL, k::text COLLATE "C" LIMIT %(limit)s',
            asked,
        )
        return [Bucket(_read(column, column_type, key), int(n), first, last) for key, n, first, last in rows]

    def entity_counts(self, kind: EventKind, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        asked = self._asked(kind, selection)
        asked.parameters["limit"] = limit
        schemas = " UNION ".join(
            f"SELECT x ->> 'schema' AS k FROM json_array_elements({json_of(f'e.{name}')} -> 'data') x"
            for name in ("contexts", "derived_contexts")
        )
        rows = self._rows(
            f"SELECT k, count(*), {_ms('min(t0)')}, {_ms('max(t1)')} FROM ("
            f"SELECT s.k, e.{asked.key}, min(e.{asked.time}) AS t0, max(e.{asked.time}) AS t1 "
            f"FROM {self._from(kind)} e CROSS JOIN LATERAL ({schemas}) s WHERE {asked.where('e')} GROUP BY 1, 2) d "
            'GROUP BY k ORDER BY 2 DESC, k COLLATE "C" LIMIT %(limit)s',
            asked,
        )
        return [Bucket(key, int(n), first, last) for key, n, first, last in rows]

    def timeline(self, kind: EventKind, selection: Selection, *, seconds: int) -> list[Bucket]:
        asked = self._asked(kind, selection)
        asked.parameters["step"] = seconds * 1000
        start = f"floor({_ms(f'e.{asked.time}')}::numeric / %(step)s)::bigint * %(step)s::bigint"
        rows = self._rows(
            f"SELECT k, count(*), {_ms('min(t0)')}, {_ms('max(t1)')} FROM ("
            f"SELECT {start} AS k, e.{asked.key}, min(e.{asked.time}) AS t0, max(e.{asked.time}) AS t1 "
            f"FROM {self._from(kind)} e WHERE {asked.where('e')} GROUP BY 1, 2) d GROUP BY k ORDER BY k",
            asked,
        )
        return [Bucket(int(key), int(n), first, last) for key, n, first, last in rows]

    def _asked(self, kind: EventKind, selection: Selection) -> _Asked:
        return _Asked(kind, selection, self.any_case())

    def _rows(self, sql: str, asked: _Asked) -> list[tuple[Any, ...]]:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET TRANSACTION READ ONLY")
            connection.set_limit(self._timeout)
            return list(connection.execute(sql, asked.parameters).fetchall())

    def any_case(self) -> str:
        """A collation that knows the cases of all scripts; empty: the server has none but the database's own."""
        if self._collation is None:
            with self._connections.use() as connection:
                names = {
                    row[0]
                    for row in connection.execute(
                        "SELECT collname::text FROM pg_catalog.pg_collation "
                        "WHERE collname IN ('und-x-icu', 'pg_c_utf8', 'C.utf8')"
                    )
                }
            found = next((name for name in ("und-x-icu", "pg_c_utf8", "C.utf8") if name in names), "")
            self._collation = f" COLLATE pg_catalog.{quote(found)}" if found else ""
        return self._collation

    def _from(self, kind: EventKind) -> str:
        return self._layout.name(_TABLES[kind])


class _Asked:
    """The WHERE clause of a selection."""

    def __init__(self, kind: EventKind, selection: Selection, collation: str) -> None:
        self.kind = kind
        self.key = "id" if kind == "failed" else "event_id"
        self.time = "tstamp" if kind == "failed" else "collector_tstamp"
        self.parameters: dict[str, Any] = {}
        self._collation = collation
        self._conditions = []
        if selection.since is not None:
            self._conditions.append(f"@.{self.time} >= {self._instant(selection.since)}")
        if selection.until is not None:
            self._conditions.append(f"@.{self.time} < {self._instant(selection.until)}")
        self._conditions += [self._condition(one) for one in selection.filters]
        if selection.any_of:
            self._conditions.append(f"({' OR '.join(self._condition(one) for one in selection.any_of)})")

    def where(self, table: str) -> str:
        """With the columns of the table of this alias. No value stands in the text, so every ``@`` is ours."""
        return " AND ".join(self._conditions).replace("@", table) or "true"

    def bind(self, value: Any, kind: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s::{kind}"

    def _instant(self, ms: int) -> str:
        return self.bind(pg_time(min(max(ms, MIN_TIME), MAX_TIME)), "timestamp")

    def _condition(self, one: Filter) -> str:
        nested = nested_of(self.kind, one.column)
        if nested is not None:
            return nested_condition(one, nested, self.bind, self._collation)
        kind = column_kind(self.kind, one.column)
        column = f"@.{quote(one.column)}"
        unset = _unset(self.kind, one.column, column)
        if one.op == "none":
            return unset
        if one.op == "some":
            return f"NOT ({unset})"
        values = filter_values(one, kind)
        if one.op == "contains":
            needles = " OR ".join(
                f"position(lower({self.bind(kept_text(value), 'text')}{self._collation}) "
                f"in lower({column}::text{self._collation})) > 0"
                for value in values
            )
            return f"coalesce({needles}, false)" if needles else "false"
        if one.op in SIGNS:
            sign = SIGNS[one.op]
            order = ' COLLATE "C"' if kind == "text" else ""
            return f"coalesce({column}{order} {sign} {self._value(values[0], kind)}, false) AND NOT ({unset})"
        if not values:
            return "false" if one.op == "in" else "true"
        within = f"{column} IN ({', '.join(self._value(value, kind) for value in values)})"
        return within if one.op == "in" else f"NOT coalesce({within}, false)"

    def _value(self, value: Any, kind: ColumnKind) -> str:
        if kind == "timestamp":
            return self._instant(value)
        if kind == "text":
            return self.bind(kept_text(value), "text")
        if kind in ("money", "double"):
            return self.bind(str(value), "double precision")
        return self.bind(value, {"uuid": "uuid", "int": "bigint", "boolean": "boolean"}[kind])


def _unset(kind: EventKind, name: str, column: str) -> str:
    if kind != "failed" and name == "event_id":
        return f"{column} = '{NO_UUID}'::uuid"
    if kind != "failed" and name == "collector_tstamp":
        return f"{column} = timestamp '{_UNSET_TIME}'"
    return f"{column} IS NULL"


def _ms(expression: str) -> str:
    return f"(extract(epoch FROM {expression}) * 1000)::bigint"


def _value(kind: EventKind, name: str, column_type: ColumnKind) -> str:
    """The column as it is grouped by; NULL for what is not set."""
    column = f"e.{quote(name)}"
    if column_type == "uuid":
        return f"nullif({column}::text, '{NO_UUID}')"
    if column_type == "timestamp":
        if kind != "failed" and name == "collector_tstamp":
            column = f"nullif({column}, timestamp '{_UNSET_TIME}')"
        return _ms(column)
    return column


def _select(kind: EventKind) -> str:
    if kind == "failed":
        return ", ".join(
            _ms(f"e.{name}") if name in _FAILED_TIMES else f"e.{quote(name)}" for name in (*FAILED_FIELDS, "bad_row")
        )
    return ", ".join(
        _ms(f"e.{field.name}") if field.kind == "timestamp" else f"e.{quote(field.name)}" for field in ATOMIC_FIELDS
    )


def _canonical(kind: EventKind, row: tuple[Any, ...]) -> dict[str, Any]:
    if kind == "failed":
        out = {
            name: tsv_text(value) if value is not None and name in _FAILED_TIMES else value
            for name, value in zip(FAILED_FIELDS, row, strict=False)
        }
        bad_row = stored(row[-1])
        return {**out, "data": bad_row["data"], "bad_row": bad_row}
    event: dict[str, Any] = {}
    for field, found in zip(ATOMIC_FIELDS, row, strict=True):
        value = found
        if value is not None:
            if field.kind in ("entities", "event"):
                value = stored(value)
            elif field.kind == "timestamp":
                value = None if value == 0 and field.name == "collector_tstamp" else tsv_text(value)
            elif field.kind == "decimal":
                value = decimal_text(field, repr(value))
            elif field.kind == "uuid":
                value = None if value == NO_UUID else value
        event[field.name] = value
    return event


def _read(column: str, column_type: ColumnKind, key: Any) -> Any:
    if key is None:
        return None
    if column_type == "timestamp":
        return tsv_text(key)
    if column_type == "money":
        return money(repr(key))
    if column_type == "double" and ATOMIC_FIELD[column].kind == "decimal":
        return double(repr(key))
    return key

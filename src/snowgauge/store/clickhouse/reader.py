"""The questions of ``Reader`` as ClickHouse SQL. Every value goes in as a bound parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from snowgauge.errors import QueryRefused
from snowgauge.events.enriched import ATOMIC_FIELD, ATOMIC_FIELDS, AtomicField
from snowgauge.events.json_text import stored
from snowgauge.store.base import Bucket, EventKind, QueryResult, Selection, SqlDialect
from snowgauge.store.canonical import FAILED_FIELDS, NO_UUID, decimal_text
from snowgauge.store.clickhouse.asked import Asked, unset
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.engine.statements import first_word, output_format, reads
from snowgauge.store.clickhouse.layout import ENTITY_SCHEMAS, Layout, TableName
from snowgauge.store.clickhouse.nested import in_text_only, nested_texts
from snowgauge.store.filters import column_kind
from snowgauge.store.nested import nested_of

_TABLES: dict[EventKind, TableName] = {
    "good": "events",
    "failed": "failed_events",
    "incomplete": "incomplete_events",
}
_PAGE = 200
"""Failed events read at once; each may hold a whole request."""
_IDS = 1000
_EXACT_ROWS = 2_000_000
"""Of more rows, ids are not compared any more: that would take the memory of a whole engine, and seconds."""
_BLOCK = 4096
"""Rows looked at together where their text is taken apart, instead of sixteen times as many."""
_MONTH = 30 * 86_400_000
_FORMATS = {"json": "JSONEachRow", "csv": "CSVWithNames", "tsv": "TSVWithNames", "parquet": "Parquet"}


class ClickHouseReader:
    """``timeout`` seconds for any read that names none."""

    dialect: SqlDialect = "clickhouse"

    def __init__(self, connection: Connection, layout: Layout, *, timeout: float) -> None:
        self._connection = connection
        self.layout = layout
        self._timeout = timeout

    def count(self, kind: EventKind, selection: Selection) -> int:
        asked = Asked(kind, selection)
        many = self._many(asked)
        if many and asked.quick == asked.where:
            return many
        number = "count()" if many else asked.distinct
        rows = self._rows(f"SELECT {number} FROM {self._from(kind)} WHERE {asked.where}", asked)
        return int(rows[0][0])

    def events(
        self,
        kind: EventKind,
        selection: Selection,
        *,
        limit: int = 100,
        offset: int = 0,
        newest_first: bool = True,
        columns: Collection[str] | None = None,
    ) -> list[dict[str, Any]]:
        # which rows is found by their keys alone: sorting whole rows would read every column of all that is selected
        asked = Asked(kind, selection)
        order = "DESC" if newest_first else "ASC"
        asked.parameters.update(limit=limit, offset=offset)
        key = asked.key
        found = self._rows(
            f"SELECT {key}, toUnixTimestamp64Milli({asked.time}) FROM {self._from(kind)} WHERE {asked.where} "
            f"ORDER BY {asked.time} {order}, {key} {order} LIMIT 1 BY {key} "
            "LIMIT {limit:UInt64} OFFSET {offset:UInt64}",
            asked,
        )
        events: list[dict[str, Any]] = []
        for start in range(0, len(found), _IDS):
            events += self._whole(kind, [(str(key), int(at)) for key, at in found[start : start + _IDS]], columns)
        return events

    def _whole(
        self, kind: EventKind, keys: Sequence[tuple[str, int]], columns: Collection[str] | None
    ) -> list[dict[str, Any]]:
        """The rows of these keys and times, in their order."""
        times = [at for _, at in keys]
        asked = Asked(kind, Selection(min(times), max(times) + 1))
        asked.parameters["ids"] = [key for key, _ in keys]
        names = _names(kind, columns)
        # not FINAL, which would read whole rows to find the newest version of each; here there are few
        newest = " ORDER BY version DESC LIMIT 1 BY id" if kind == "failed" else ""
        rows = self._rows(
            f"SELECT {asked.key}, toUnixTimestamp64Milli({asked.time}), {_select(kind, names)} "
            f"FROM {self.layout.name(_TABLES[kind])} "
            f"WHERE {asked.key} IN {{ids:Array(UUID)}} AND {asked.where}{newest}",
            asked,
        )
        by_key = {(str(row[0]), int(row[1])): row[2:] for row in reversed(rows)}
        return [_canonical(kind, by_key[key], names) for key in keys if key in by_key]

    def event(self, event_id: str) -> dict[str, Any] | None:
        return self._one("good", event_id)

    def failed_event(self, failed_id: str) -> dict[str, Any] | None:
        return self._one("failed", failed_id)

    def failed_events(self, selection: Selection) -> Iterator[dict[str, Any]]:
        after: tuple[int, str] | None = None
        while True:
            asked = Asked("failed", selection)
            where = asked.where
            if after is not None:
                asked.parameters.update(after_at=after[0], after_id=after[1])
                where += (
                    " AND (tstamp, id) > (fromUnixTimestamp64Milli({after_at:Int64}, 'UTC'), {after_id:UUID})"
                    " AND tstamp >= fromUnixTimestamp64Milli({after_at:Int64}, 'UTC')"
                )
            asked.parameters["limit"] = _PAGE
            rows = self._rows(
                f"SELECT {_select('failed')}, toUnixTimestamp64Milli(tstamp) FROM {self._from('failed')} "
                f"WHERE {where} ORDER BY tstamp, id LIMIT {{limit:UInt64}}",
                asked,
            )
            for row in rows:
                yield _canonical("failed", row[:-1])
            if len(rows) < _PAGE:
                return
            after = (rows[-1][-1], rows[-1][0])

    def stored(self, events: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        by_month: dict[int, list[tuple[str, int]]] = {}
        for event_id, at in events:
            by_month.setdefault(at // _MONTH, []).append((event_id, at))
        for some in by_month.values():
            for start in range(0, len(some), _IDS):
                found |= self._stored(some[start : start + _IDS])
        return found

    def _stored(self, events: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
        wanted = {(event_id.lower(), at): (event_id, at) for event_id, at in events}
        times = [at for _, at in events]
        rows = self._connection.rows(
            f"SELECT DISTINCT toString(event_id), toUnixTimestamp64Milli(collector_tstamp) FROM {self._from('good')} "
            "WHERE event_id IN {ids:Array(UUID)} "
            "AND collector_tstamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') "
            "AND collector_tstamp <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')",
            {"ids": [event_id for event_id, _ in events], "since": min(times), "until": max(times)},
            {
                "max_execution_time": self._timeout,
                **({"select_sequential_consistency": 1} if self.layout.cluster else {}),
            },
        )
        return {wanted[key] for row in rows if (key := (str(row[0]), int(row[1]))) in wanted}

    def _one(self, kind: EventKind, wanted: str) -> dict[str, Any] | None:
        try:
            wanted = str(UUID(wanted))
        except ValueError:
            return None
        asked = Asked(kind, Selection())
        asked.parameters["wanted"] = wanted
        order = "version DESC" if kind == "failed" else asked.time
        rows = self._rows(
            f"SELECT {_select(kind)} FROM {self.layout.name(_TABLES[kind])} WHERE {asked.key} = {{wanted:UUID}} "
            f"ORDER BY {order} LIMIT 1",
            asked,
        )
        return _canonical(kind, rows[0]) if rows else None

    def count_by(self, kind: EventKind, column: str, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        nested = nested_of(kind, column)
        asked = Asked(kind, selection)
        asked.parameters["limit"] = limit
        if nested is None:
            value = _value(kind, column, column_kind(kind, column))
        else:
            asked.reads_text |= in_text_only(nested)
            found = f"arrayDistinct({nested_texts(nested, asked.bind)})"
            value = f"arrayJoin(if(empty({found}), [NULL], arrayMap(v -> toNullable(v), {found})))"
        rows = self._rows(
            f"SELECT {value} AS k, {self._number(asked)} AS c, "
            f"toUnixTimestamp64Milli(min({asked.time})), toUnixTimestamp64Milli(max({asked.time})) "
            f"FROM {self._from(kind)} WHERE {asked.where} GROUP BY k "
            "ORDER BY c DESC, k IS NULL, toString(k) LIMIT {limit:UInt64}",
            asked,
        )
        return [Bucket(_read(kind, column, key), int(n), first, last) for key, n, first, last in rows]

    def entity_counts(self, kind: EventKind, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        asked = Asked(kind, selection)
        asked.parameters["limit"] = limit
        rows = self._rows(
            f"SELECT arrayJoin(`{ENTITY_SCHEMAS.name}`) AS k, {self._number(asked)} AS c, "
            f"toUnixTimestamp64Milli(min({asked.time})), toUnixTimestamp64Milli(max({asked.time})) "
            f"FROM {self._from(kind)} WHERE {asked.where} GROUP BY k ORDER BY c DESC, k LIMIT {{limit:UInt64}}",
            asked,
        )
        return [Bucket(key, int(n), first, last) for key, n, first, last in rows]

    def timeline(self, kind: EventKind, selection: Selection, *, seconds: int) -> list[Bucket]:
        asked = Asked(kind, selection)
        asked.parameters["step"] = seconds * 1000
        rows = self._rows(
            f"SELECT intDiv(toUnixTimestamp64Milli({asked.time}), {{step:Int64}}) * {{step:Int64}} AS k, "
            f"{self._number(asked)}, toUnixTimestamp64Milli(min({asked.time})), "
            f"toUnixTimestamp64Milli(max({asked.time})) "
            f"FROM {self._from(kind)} WHERE {asked.where} GROUP BY k ORDER BY k",
            asked,
        )
        return [Bucket(int(key), int(n), first, last) for key, n, first, last in rows]

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        max_rows: int | None = None,
        timeout: float | None = None,
        read_only: bool = True,
    ) -> QueryResult:
        text = sql.strip().rstrip(";").rstrip()
        if own := output_format(text.encode()):
            raise QueryRefused(f"rows are asked for here, and the query asks for FORMAT {own.name}: leave that out")
        if not read_only and not reads(text.encode()):
            self._connection.command(text, {"max_execution_time": timeout or self._timeout})
            return QueryResult((), (), ())
        settings = self._reading(timeout, read_only=read_only)
        if max_rows is not None and first_word(text.encode()) in (b"SELECT", b"WITH", b"(", b"FROM"):
            settings["limit"] = max_rows + 1
        found = self._connection.table(text, parameters, settings)
        cut = max_rows is not None and len(found.rows) > max_rows
        return QueryResult(found.columns, found.types, found.rows[:max_rows] if cut else found.rows, cut)

    def prepared(self, sql: str) -> str:
        return sql

    def export_raw(self, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        own = output_format(sql.encode())
        name = _FORMATS.get(fmt)
        if own and fmt:
            raise QueryRefused(
                f"the query asks for FORMAT {own.name} itself, and {fmt} is chosen beside it: leave one out"
            )
        if own:
            name = ""
        elif name is None:
            raise QueryRefused(f"unknown format {fmt!r}: use one of {', '.join(_FORMATS)}")
        settings = self._reading(3600, read_only=True)
        return self._connection.stream(sql.strip().rstrip(";"), name, settings, parameters)

    def _reading(self, timeout: float | None, *, read_only: bool) -> dict[str, Any]:
        settings: dict[str, Any] = {"max_execution_time": timeout or self._timeout}
        if read_only:
            settings["readonly"] = 1
        return settings

    def _number(self, asked: Asked) -> str:
        """The aggregate that counts events: of very many, their rows."""
        return "count()" if self._many(asked) else asked.distinct

    def _many(self, asked: Asked) -> int:
        """How many rows the quick conditions select, when they are too many to compare their ids; else 0."""
        if asked.kind == "failed":
            return 0
        table = f"SELECT count() FROM {self._from(asked.kind)}"
        settings = {"max_execution_time": self._timeout}
        for where in ("", f" WHERE {asked.quick}"):  # that of the whole table is known without reading it
            rows = int(self._connection.rows(table + where, asked.parameters if where else {}, settings)[0][0])
            if rows <= _EXACT_ROWS:
                return 0
        return rows

    def _rows(self, sql: str, asked: Asked) -> list[list[Any]]:
        return self._connection.rows(sql, asked.parameters, self._settings(asked))

    def _settings(self, asked: Asked) -> dict[str, Any]:
        some = {"max_block_size": _BLOCK} if asked.reads_text else {}
        return {"max_execution_time": self._timeout, **some}

    def _from(self, kind: EventKind) -> str:
        # a failed event's row can be replaced (its status): only the newest counts
        return self.layout.name(_TABLES[kind]) + (" FINAL" if kind == "failed" else "")


def _value(kind: EventKind, column: str, column_type: str) -> str:
    """The column as a JSON value; NULL for what is not set."""
    if column_type == "money":
        return f"if(`{column}` IS NULL, NULL, toString(`{column}`))"
    if column_type == "boolean":
        return f"`{column}`"
    is_unset = unset(kind, column, column_type)
    if is_unset.endswith("IS NULL"):
        return f"`{column}`"
    return f"if({is_unset}, NULL, `{column}`)"


def _names(kind: EventKind, columns: Collection[str] | None) -> Sequence[str]:
    """The columns to read for those that are asked for: a failed event's key and time always come with it."""
    names: tuple[str, ...]
    if kind == "failed":
        names = (*FAILED_FIELDS, "bad_row")
        needed = {"id", "failed_at", "collector_tstamp"}
    else:
        names = tuple(field.name for field in ATOMIC_FIELDS)
        needed = {"event_id", "collector_tstamp"}
    if columns is None:
        return names
    return [name for name in names if name in columns or name in needed]


def _select(kind: EventKind, names: Sequence[str] | None = None) -> str:
    return ", ".join(
        f"toDecimalString(`{name}`, 2)"
        if kind != "failed" and ATOMIC_FIELD[name].kind == "decimal" and name != "se_value"
        else f"`{name}`"
        for name in (_names(kind, None) if names is None else names)
    )


def _canonical(kind: EventKind, row: list[Any], names: Sequence[str] | None = None) -> dict[str, Any]:
    given = dict(zip(_names(kind, None) if names is None else names, row, strict=True))
    if kind == "failed":
        text = given.pop("bad_row", None)
        out = {name: None if value == "" else value for name, value in given.items()}
        if text is None:
            return out
        bad_row = stored(text)
        return {**out, "data": bad_row["data"], "bad_row": bad_row}
    return {name: _json_value(ATOMIC_FIELD[name], value) for name, value in given.items()}


def _json_value(field: AtomicField, value: Any) -> Any:
    if value is None or value == "":
        return None
    if field.kind in ("entities", "event"):
        return stored(value)
    if field.kind == "decimal":
        return decimal_text(field, str(value))
    if field.kind == "uuid":
        return None if value == NO_UUID else value
    return None if field.name == "collector_tstamp" and value == "1970-01-01 00:00:00.000" else value


def _read(kind: EventKind, column: str, key: Any) -> Any:
    if key is None:
        return None
    if kind != "failed" and column in ATOMIC_FIELD and ATOMIC_FIELD[column].kind == "decimal":
        return decimal_text(ATOMIC_FIELD[column], str(key))
    return key

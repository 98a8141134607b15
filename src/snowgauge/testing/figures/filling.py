"""Puts modelled rows and events into a store, in the place of what was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.tables import TABLES
from snowgauge.store.base import Store, StoreBatch
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.store import PostgresStore

Row = Mapping[str, Any]
_BY_NAME = {table.name: table for table in TABLES}
_NO_UUID = "00000000-0000-0000-0000-000000000000"
_batches = count(1)


def fill(store: Store, rows: Mapping[str, Sequence[Row]], events: Sequence[EnrichedEvent] = ()) -> None:
    """``rows`` by the names of their tables; columns that are left out are not set. Times are ms since 1970."""
    for table in TABLES:
        if table.kind != "view":
            _empty(store, table)
    for name, some in rows.items():
        _insert(store, _BY_NAME[name], [_whole(_BY_NAME[name], row) for row in some])
    if isinstance(store, ClickHouseStore):
        store.connection.command(f"TRUNCATE TABLE {store.layout.name('events')}")
    elif isinstance(store, PostgresStore):
        _empty_schemas(store)
    if events:
        written = store.write(StoreBatch(id=f"batch-{next(_batches)}", events=list(events)))
        assert written.events == len(events), written


def _empty_schemas(store: PostgresStore) -> None:
    """Events, and the tables of the schemas that they carry."""
    found = store.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'atomic' AND table_type = 'BASE TABLE' "
        "AND table_name NOT LIKE 'snowgauge%'"
    )
    names = ", ".join(f'atomic."{name}"' for (name,) in found.rows)
    store.query(f"TRUNCATE {names}", read_only=False)


def _whole(table: Table, row: Row) -> dict[str, Any]:
    assert set(row) <= set(table.names), set(row) - set(table.names)
    return {column.name: row.get(column.name, column.type.unset) for column in table.columns}


def _empty(store: Store, table: Table) -> None:
    store.query(f"TRUNCATE TABLE derived.{table.name}", read_only=False)


def _insert(store: Store, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if isinstance(store, ClickHouseStore):
        body = b"\n".join(msgspec.json.encode({k: _clickhouse(table, k, v) for k, v in row.items()}) for row in rows)
        store.connection.insert(f"derived.{table.name}", list(rows[0]), body, f"rows-{next(_batches)}", {})
        return
    assert isinstance(store, PostgresStore)
    names = ", ".join(f'"{name}"' for name in table.names)
    places = ", ".join(
        "to_timestamp(%s::bigint / 1000.0) AT TIME ZONE 'UTC'" if _is_time(column.type) else "%s"
        for column in table.columns
    )
    with store.connections.use() as connection, connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO derived.{table.name} ({names}) VALUES ({places})",  # noqa: S608 - names of our own
            [[_postgres(column.type, row[column.name]) for column in table.columns] for row in rows],
        )


def _is_time(kind: Type) -> bool:
    return kind in (Type.TIME, Type.TIME_OR_NONE)


def _clickhouse(table: Table, name: str, value: Any) -> Any:
    kind = table.column(name).type
    if _is_time(kind) and value is not None:
        return (datetime(1970, 1, 1) + timedelta(milliseconds=value)).isoformat(" ", "milliseconds")
    if kind is Type.UUID:
        return value or _NO_UUID
    return value


def _postgres(kind: Type, value: Any) -> Any:
    if kind is Type.ID:
        return value or None
    if kind is Type.UUID:
        return value or _NO_UUID
    if kind is Type.DAY and value == 0:
        return "1970-01-01"
    return list(value) if isinstance(value, tuple) else value

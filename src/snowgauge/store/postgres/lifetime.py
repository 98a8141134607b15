"""Events leaving PostgreSQL: whole monthly partitions where all of one is past, rows in groups otherwise.

There are no foreign keys (as in Snowplow's layout), so each event takes its rows in all entity tables with it, and a
failed event its row in the table of its bad row type; they go in one transaction. Deleted rows leave the data files
with ``VACUUM``, which ``settle`` runs; write-ahead log and base backups keep them until they expire.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.modelling.forgetting import delete_events, expire, freeze
from snowgauge.modelling.tables import OF_UNITS
from snowgauge.store.base import EventKind
from snowgauge.store.lifetime import ID_COLUMNS, MENTION_COLUMNS, Apps, Expired, Key, Row, Search
from snowgauge.store.postgres.catalog import Catalog
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.derived.store import PostgresModelStore
from snowgauge.store.postgres.layout import FAILED_LINK, Layout
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.values import MAX_TIME, MIN_TIME, pg_time
from snowgauge.store.rebuilt import FAILED_COLUMNS, rebuilt_event, rebuilt_failed

if TYPE_CHECKING:
    import psycopg

_TABLES: dict[EventKind, str] = {"good": "events", "failed": "failed_events", "incomplete": "incomplete_events"}
_TEXTS = tuple(field.name for field in ATOMIC_FIELDS if field.kind in ("string", "entities", "event"))
_ROWS_TOGETHER = 5000
_PAGE = 2000
_cursors = count(1)


class PostgresLifetime:
    """Takes connections from the store's pool; statements have no time limit, as they may be many rows' work."""

    def __init__(self, connections: Connections, layout: Layout) -> None:
        self._connections = connections
        self._layout = layout

    def scan(
        self, kind: EventKind, *, since: int | None = None, until: int | None = None, search: Search | None = None
    ) -> Iterator[Row]:
        time, key = _time(kind), _key(kind)
        conditions = ["true"]
        parameters: dict[str, Any] = {}
        for sign, ms in ((">=", since), ("<", until)):
            if ms is not None:
                name = f"t{len(parameters)}"
                parameters[name] = _instant(ms)
                conditions.append(f"{time} {sign} %({name})s::timestamp")
        if search is not None and kind != "failed":
            conditions.append(_mentions(search))
            parameters["values"] = [_needle(value) for value in search.values]
        order = f" ORDER BY {time}, {key}" if search is None else ""
        sql = f"SELECT {_select(kind)} FROM {self._table(kind)} WHERE {' AND '.join(conditions)}{order}"
        make = rebuilt_failed if kind == "failed" else rebuilt_event
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            with connection.cursor(name=f"snowgauge_scan_{next(_cursors)}") as cursor:
                cursor.execute(sql, parameters)
                while rows := cursor.fetchmany(_PAGE):
                    for row in rows:
                        yield make(row)

    def delete(self, kind: EventKind, keys: Sequence[Key]) -> None:
        if kind == "good":
            delete_events(self._modelled(), keys, lambda: self._delete_rows(kind, keys))
        else:
            self._delete_rows(kind, keys)

    def _modelled(self) -> PostgresModelStore:
        return PostgresModelStore(self._connections, self._layout)

    def _delete_rows(self, kind: EventKind, keys: Sequence[Key]) -> None:
        for start in range(0, len(keys), _ROWS_TOGETHER):
            some = keys[start : start + _ROWS_TOGETHER]
            parameters = {"ids": [id_ for id_, _ in some], "times": [_instant(at) for _, at in some]}
            with self._connections.use() as connection, connection.transaction():
                connection.execute("SET LOCAL statement_timeout = 0")
                connection.execute(
                    "CREATE TEMPORARY TABLE snowgauge_going ON COMMIT DROP AS SELECT * FROM "
                    "unnest(%(ids)s::uuid[], %(times)s::timestamp[]) AS k(id, tstamp)",
                    parameters,
                )
                self._delete_going(connection, kind)

    def _delete_going(self, connection: psycopg.Connection[Any], kind: EventKind) -> None:
        """Delete the rows named in ``snowgauge_going``, entities first."""
        for name, id_, tstamp in self._attached(connection, kind):
            connection.execute(
                f"DELETE FROM {self._layout.name(name)} t USING snowgauge_going k "
                f"WHERE t.{quote(id_)} = k.id AND t.{quote(tstamp)} = k.tstamp"
            )
        connection.execute(
            f"DELETE FROM {self._table(kind)} t USING snowgauge_going k "
            f"WHERE t.{_key(kind)} = k.id AND t.{_time(kind)} = k.tstamp"
        )

    def _attached(self, connection: psycopg.Connection[Any], kind: EventKind) -> list[tuple[str, str, str]]:
        """Tables whose rows belong to rows of this kind, with the columns that say so."""
        catalog = Catalog.read(connection, self._layout.schema)
        tables = [table for table in catalog.tables.values() if table.plain]
        if kind == "good":
            return [(table.name, "root_id", "root_tstamp") for table in tables if table.meta]
        if kind == "failed":
            link = list(FAILED_LINK)
            return [(table.name, link[0], link[1]) for table in tables if set(link) <= table.columns.keys()]
        return []

    def set_records(self, records: Mapping[str, bytes | None]) -> None:
        rows = [(None if record is None else base64.b64encode(record).decode(), id_) for id_, record in records.items()]
        with self._connections.use() as connection, connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {self._table('failed')} SET record = %s WHERE id = %s::uuid", rows)

    def expired(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            found = connection.execute(
                f"SELECT count(*) FROM {self._table(kind)} WHERE {_past(kind)}", _past_values(before, apps)
            ).fetchone()
            assert found is not None
            return Expired(int(found[0]), [name for name, _ in self._whole(connection, kind, before, apps)])

    def expire(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        if kind == "good":
            freeze(self._modelled(), before, (apps.names, apps.mode == "only"))
        found = self.expired(kind, before, apps)
        with self._connections.use() as connection:
            whole = self._whole(connection, kind, before, apps)
            for name, upper in whole:
                with connection.transaction():
                    connection.execute("SET LOCAL statement_timeout = 0")
                    for table, _, tstamp in self._attached(connection, kind):
                        self._drop_up_to(connection, table, tstamp, upper)
                    connection.execute(f"DROP TABLE IF EXISTS {self._layout.name(name)}")
        if found.rows:
            self._delete_past(kind, before, apps)
        return found

    def _delete_past(self, kind: EventKind, before: int, apps: Apps) -> None:
        while True:
            with self._connections.use() as connection, connection.transaction():
                connection.execute("SET LOCAL statement_timeout = 0")
                made = connection.execute(
                    "CREATE TEMPORARY TABLE snowgauge_going ON COMMIT DROP AS SELECT DISTINCT id, tstamp FROM "
                    f"(SELECT {_key(kind)} AS id, {_time(kind)} AS tstamp FROM {self._table(kind)} "
                    f"WHERE {_past(kind)} LIMIT {_ROWS_TOGETHER}) k",
                    _past_values(before, apps),
                )
                if not made.rowcount:
                    return
                self._delete_going(connection, kind)

    def _whole(
        self, connection: psycopg.Connection[Any], kind: EventKind, before: int, apps: Apps
    ) -> list[tuple[str, str]]:
        """Partitions of which every row is past and of one of these applications, with their upper bounds."""
        partitions = connection.execute(
            "SELECT c.relname::text, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1] "
            "FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid "
            "JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace n "
            "ON n.oid = p.relnamespace WHERE n.nspname = %s AND p.relname = %s ORDER BY 1",
            (self._layout.schema, _TABLES[kind]),
        ).fetchall()
        whole = []
        for name, upper in partitions:
            # a month counts as past by its bound, so that no row can come into it while it is looked at
            if upper is None or upper > _instant(before):
                continue
            other = connection.execute(
                f"SELECT 1 FROM {self._layout.name(name)} WHERE NOT ({_past(kind)}) LIMIT 1",
                _past_values(before, apps),
            ).fetchone()
            if other is None:
                whole.append((name, upper))
        return whole

    def _drop_up_to(self, connection: psycopg.Connection[Any], table: str, tstamp: str, upper: str) -> None:
        """Entities of a month that goes: their partition of the same bounds, or their rows."""
        found = connection.execute(
            "SELECT c.relname::text FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid "
            "JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace n "
            "ON n.oid = p.relnamespace WHERE n.nspname = %s AND p.relname = %s "
            "AND pg_get_expr(c.relpartbound, c.oid) LIKE %s",
            (self._layout.schema, table, f"%TO ('{upper}')"),
        ).fetchone()
        if found is not None:
            connection.execute(f"DROP TABLE IF EXISTS {self._layout.name(found[0])}")
        # other months of the table are not touched: the lower bound is a month before the upper one
        connection.execute(
            f"DELETE FROM {self._layout.name(table)} WHERE {quote(tstamp)} < %s::timestamp "
            f"AND {quote(tstamp)} >= %s::timestamp - interval '1 month'",
            (upper, upper),
        )

    def expired_records(self, before: int, apps: Apps) -> int:
        with self._connections.use() as connection:
            found = connection.execute(
                f"SELECT count(*) FROM {self._table('failed')} WHERE record IS NOT NULL AND {_past('failed')}",
                _past_values(before, apps),
            ).fetchone()
            assert found is not None
            return int(found[0])

    def expire_records(self, before: int, apps: Apps) -> int:
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            return connection.execute(
                f"UPDATE {self._table('failed')} SET record = NULL WHERE record IS NOT NULL AND {_past('failed')}",
                _past_values(before, apps),
            ).rowcount

    def expired_modelled(self, before: int, apps: Apps) -> int:
        return self._modelled().count_before(OF_UNITS, before, (apps.names, apps.mode == "only"))

    def expire_modelled(self, before: int, apps: Apps) -> int:
        return expire(self._modelled(), before, (apps.names, apps.mode == "only"))

    def settle(self) -> str:
        self._modelled().settle()
        with self._connections.use() as connection:
            connection.execute("SET statement_timeout = 0")
            try:
                names = {*_TABLES.values()}
                for kind in _TABLES:
                    names.update(name for name, _, _ in self._attached(connection, kind))
                for name in sorted(names):
                    connection.execute(f"VACUUM {self._layout.name(name)}")
            finally:
                with suppress(Exception):
                    connection.execute("RESET statement_timeout")
        return (
            "VACUUM has freed the space of the deleted rows; their bytes are overwritten as it is used again, and "
            "the server's write-ahead log and backups keep them until they expire"
        )

    def _table(self, kind: EventKind) -> str:
        return self._layout.name(_TABLES[kind])


def _time(kind: EventKind) -> str:
    return "tstamp" if kind == "failed" else "collector_tstamp"


def _key(kind: EventKind) -> str:
    return "id" if kind == "failed" else "event_id"


def _instant(ms: int) -> str:
    return pg_time(min(max(ms, MIN_TIME), MAX_TIME))


def _past(kind: EventKind) -> str:
    return f"{_time(kind)} < %(before)s::timestamp AND ((coalesce(app_id, '') = ANY(%(apps)s::text[])) = %(only)s)"


def _past_values(before: int, apps: Apps) -> dict[str, Any]:
    return {"before": _instant(before), "apps": list(apps.names), "only": apps.mode == "only"}


def _mentions(search: Search) -> str:
    """Any of the needles in an identifier column or inside of text. JSON may write a character as ``\\u....``."""
    tests = []
    for column in (*ID_COLUMNS, *(_TEXTS if search.everywhere else MENTION_COLUMNS)):
        tests.append(
            f"EXISTS (SELECT 1 FROM unnest(%(values)s::text[]) v WHERE position(v in lower({quote(column)})) > 0)"
        )
        if column in MENTION_COLUMNS[:3]:
            tests.append(f"position('\\u' in {quote(column)}) > 0")
    return f"coalesce({' OR '.join(tests)}, false)"


def _needle(value: str) -> str:
    """The part of a value to look for: which letters beyond ASCII ``lower()`` knows depends on the server's locale."""
    runs: list[str] = re.findall(r"[ -~]*", value.lower())
    return max(runs, key=len)


def _ms(column: str) -> str:
    return f"(extract(epoch FROM {quote(column)}) * 1000)::bigint"


def _select(kind: EventKind) -> str:
    if kind == "failed":
        times = ("failed_at", "collector_tstamp")
        return ", ".join(
            _ms(name) if name in times else f"{quote(name)}::text" if name in ("id", "event_id") else quote(name)
            for name in FAILED_COLUMNS
        )
    parts = []
    for field in ATOMIC_FIELDS:
        if field.kind == "timestamp":
            parts.append(_ms(field.name))
        elif field.kind == "uuid":
            parts.append(f"{quote(field.name)}::text")
        else:
            parts.append(quote(field.name))
    return ", ".join(parts)

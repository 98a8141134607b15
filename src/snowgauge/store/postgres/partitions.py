"""Monthly partitions of events and entity tables, made when a batch first needs them.

There is no default partition: with one, PostgreSQL refuses to detach another without blocking readers. Instants
outside of the years 1 to 9998 have a partition on either side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.naming import MAX_NAME, hashed, literal
from snowgauge.store.postgres.tables import alone

_FIRST, _LAST = "0001-01-01", "9999-01-01"


class Partitions:
    """One per store; safe for threads."""

    def __init__(self, connections: Connections, layout: Layout) -> None:
        self._connections = connections
        self._layout = layout
        self._lock = threading.Lock()
        self._there: set[tuple[str, str]] = set()
        self._whole: set[str] = set()

    def forget(self) -> None:
        with self._lock:
            self._there.clear()
            self._whole.clear()

    def wanted(self, tables: set[str]) -> bool:
        """Is one of these tables cut into months, as far as is known?"""
        return not tables <= self._whole

    def ensure(self, wanted: Iterable[tuple[str, str]]) -> None:
        """``wanted``: table and month, the month as ``2024-05`` or ``far past`` or ``far future``."""
        missing = {one for one in wanted if one not in self._there and one[0] not in self._whole}
        if not missing:
            return
        with self._lock, self._connections.use() as connection:
            kinds = connection.execute(
                "SELECT c.relname::text, c.relkind::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                "ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = ANY(%s)",
                (self._layout.schema, sorted({table for table, _ in missing})),
            ).fetchall()
            self._whole.update(table for table, kind in kinds if kind != "p")
            for table, month in sorted(missing):
                if table in self._whole:
                    continue
                lower, upper = bounds(month)
                with connection.transaction():
                    alone(connection, self._layout)
                    connection.execute(
                        f"CREATE TABLE IF NOT EXISTS {self._layout.name(partition_name(table, month))} PARTITION OF "
                        f"{self._layout.name(table)} FOR VALUES FROM ({lower}) TO ({upper})"
                    )
                self._there.add((table, month))


def month_of(tstamp: str) -> str:
    """The partition of an instant in PostgreSQL's form."""
    if tstamp.endswith("BC"):
        return "far past"
    year, month = tstamp.split("-", 2)[:2]
    return "far future" if len(year) > 4 or year == "9999" else f"{year}-{month}"


def partition_name(table: str, month: str) -> str:
    end = "_y" + month.replace("-", "m").replace(" ", "_")
    room = MAX_NAME - len(end)
    return (table if len(table) <= room else f"{table[: room - 9]}{hashed(table)[-9:]}") + end


def bounds(month: str) -> tuple[str, str]:
    if month == "far past":
        return "MINVALUE", literal(_FIRST)
    if month == "far future":
        return literal(_LAST), "MAXVALUE"
    year, number = map(int, month.split("-"))
    after = f"{year + number // 12:04d}-{number % 12 + 1:02d}-01"
    return literal(f"{month}-01"), literal(after)

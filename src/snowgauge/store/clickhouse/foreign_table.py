"""A table of someone else's on a ClickHouse server, read day by day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from snowgauge.errors import QueryRefused
from snowgauge.store.clickhouse.connection import Connection

_READ = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_named_tuples_as_objects": 1,
    "date_time_output_format": "simple",
    "max_bytes_before_external_sort": 200_000_000,
}


class ForeignTable:
    """``name`` is ``database.table``. Raises ``QueryRefused`` and ``StoreUnavailable``."""

    def __init__(self, connection: Connection, name: str) -> None:
        database, _, table = name.replace("`", "").rpartition(".")
        if not database:
            raise QueryRefused(f"{name!r} names no database: write database.table, such as snowplow.local")
        self.name = f"{database}.{table}"
        self._database, self._table = database, table
        self._quoted = f"`{database}`.`{table}`"
        self._connection = connection

    def engine(self) -> tuple[str, str]:
        """Engine and comment. Raises ``QueryRefused`` when there is no such table."""
        rows = self._connection.rows(
            "SELECT engine, comment FROM system.tables WHERE database = {database:String} AND name = {table:String}",
            {"database": self._database, "table": self._table},
        )
        if not rows:
            raise QueryRefused(f"{self._connection.url} has no table {self.name}")
        return str(rows[0][0]), str(rows[0][1])

    def columns(self) -> list[str]:
        rows = self._connection.rows(
            "SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}",
            {"database": self._database, "table": self._table},
        )
        return [str(row[0]) for row in rows]

    def days(self) -> list[tuple[str, int]]:
        """Every day with its number of rows, by the column ``time``."""
        rows = self._connection.rows(
            f"SELECT toString(toDate(time, 'UTC')) AS day, count() FROM {self._quoted} GROUP BY day ORDER BY day"
        )
        return [(str(day), int(number)) for day, number in rows]

    def distinct(self) -> int:
        """Different event ids."""
        return int(self._connection.rows(f"SELECT uniqExact(event_id) FROM {self._quoted}")[0][0])

    def rows(self, day: str) -> Iterator[dict[str, Any]]:
        """All columns of a day's rows, in the order of their event ids."""
        if not day.replace("-", "").isdigit():
            raise QueryRefused(f"{day!r} is no day: write YYYY-MM-DD")
        left = b""
        for piece in self._connection.stream(
            f"SELECT * FROM {self._quoted} WHERE toDate(time, 'UTC') = '{day}' ORDER BY event_id, time",
            "JSONEachRow",
            _READ,
        ):
            *lines, left = (left + piece).split(b"\n")
            yield from (msgspec.json.decode(line) for line in lines if line)
        if left:
            yield msgspec.json.decode(left)

    def step_aside(self) -> str:
        """Rename the table, so that a view may have its name; returns the new name."""
        new = f"{self._table}_before_snowgauge"
        self._connection.command(f"RENAME TABLE {self._quoted} TO `{self._database}`.`{new}`")
        return f"{self._database}.{new}"

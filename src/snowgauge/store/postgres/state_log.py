"""The state log on PostgreSQL: a table whose primary key decides who takes a number."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snowgauge.errors import StoreUnavailable
from snowgauge.store.postgres.connection import Connections, Refused
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.state_log import TOGETHER, Record

if TYPE_CHECKING:
    import psycopg


class PostgresStateLog:
    """``close`` closes ``connections``."""

    def __init__(self, connections: Connections, layout: Layout) -> None:
        self._connections = connections
        self._table = layout.state

    def after(self, book: str, number: int) -> Sequence[Record]:
        with self._use() as connection:
            rows = connection.execute(
                f"SELECT number, body FROM {self._table} WHERE book = %s AND number > %s ORDER BY number LIMIT %s",
                (book, number, TOGETHER),
                binary=True,
            ).fetchall()
        return [Record(int(found), bytes(body)) for found, body in rows]

    def append(self, book: str, number: int, body: bytes) -> bool:
        with self._use() as connection:
            done = connection.execute(
                f"INSERT INTO {self._table} (book, number, body, writer) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (book, number) DO NOTHING",
                (book, number, body, uuid.uuid4().hex),
            )
            return done.rowcount == 1

    def forget(self, book: str, before: int) -> None:
        with self._use() as connection:
            connection.execute(f"DELETE FROM {self._table} WHERE book = %s AND number < %s", (book, before))
            connection.execute(f"VACUUM {self._table}")

    def close(self) -> None:
        self._connections.close()

    @contextmanager
    def _use(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._connections.use() as connection:
                yield connection
        except Refused as raised:
            raise StoreUnavailable(
                f"{self._table} at {self._connections.place}: {raised} (`snowgauge db init` makes the table)"
            ) from raised

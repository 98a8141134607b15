"""The state log on ClickHouse, which has no transactions and no unique keys.

What decides who takes a number is the token of the insert, ``<book>/<number>``: of inserts with one token the table
keeps the first, as it does with batches of events, on a cluster by Keeper's word. So the writer inserts, and then reads
whose record is there. A writer that stood still for so long that its token was forgotten meanwhile adds a second record
with the number. Everyone, that writer too, takes the record that the server has stored first.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence

import msgspec

from snowgauge.errors import StoreUnavailable
from snowgauge.store.clickhouse.connection import Connection, Refused
from snowgauge.store.clickhouse.layout import Layout
from snowgauge.store.state_log import TOGETHER, Record

_FIRST = "ORDER BY `number`, `stored_at`, `writer` LIMIT 1 BY `number`"
_INSERT = {"async_insert": 0, "wait_end_of_query": 1, "insert_deduplicate": 1}
# on a cluster: on most replicas before it counts, and read with all that counts
_CLUSTER_INSERT = {"insert_quorum": "auto", "insert_quorum_parallel": 0}
_CLUSTER_READ = {"select_sequential_consistency": 1}


class ClickHouseStateLog:
    """``close`` closes ``connection``."""

    def __init__(self, connection: Connection, layout: Layout) -> None:
        self._connection = connection
        self._table = layout.state
        self._cluster = bool(layout.cluster)

    def after(self, book: str, number: int) -> Sequence[Record]:
        rows = self._rows(
            f"SELECT `number`, `body` FROM {self._table} WHERE `book` = {{book:String}} AND "
            f"`number` > {{number:UInt64}} {_FIRST} LIMIT {TOGETHER}",
            book,
            number,
        )
        return [Record(int(found), base64.b64decode(body)) for found, body in rows]

    def append(self, book: str, number: int, body: bytes) -> bool:
        writer = uuid.uuid4().hex
        row = {"book": book, "number": number, "body": base64.b64encode(body).decode(), "writer": writer}
        settings = {**_INSERT, **(_CLUSTER_INSERT if self._cluster else {})}
        try:
            columns = ("book", "number", "body", "writer")
            self._connection.insert(self._table, columns, msgspec.json.encode(row), f"{book}/{number}", settings)
        except Refused as raised:
            raise self._missing(raised) from raised
        rows = self._rows(
            f"SELECT `writer` FROM {self._table} WHERE `book` = {{book:String}} AND `number` = {{number:UInt64}} "
            f"{_FIRST}",
            book,
            number,
        )
        if not rows:
            raise StoreUnavailable(f"record {number} of {book} was replaced while it was written: look again")
        return bool(rows[0][0] == writer)

    def forget(self, book: str, before: int) -> None:
        try:
            self._connection.command(
                f"ALTER TABLE {self._table} DELETE WHERE `book` = {{book:String}} AND `number` < {{number:UInt64}}",
                {"mutations_sync": 1},
                {"book": book, "number": before},
            )
        except Refused as raised:
            raise self._missing(raised) from raised

    def close(self) -> None:
        self._connection.close()

    def _rows(self, sql: str, book: str, number: int) -> list[list[str]]:
        settings = _CLUSTER_READ if self._cluster else None
        try:
            return self._connection.rows(sql, {"book": book, "number": number}, settings)
        except Refused as raised:
            raise self._missing(raised) from raised

    def _missing(self, raised: Refused) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._table} at {self._connection.url}: {raised} (`snowgauge db init` makes the table)"
        )

"""Storing a batch exactly once.

The order of a write: columns for new schemas, events, failed events, incomplete events, and last the batch's line in
the ledger. A write that broke off is repeated whole: every INSERT carries a token made of the batch id and its place,
so the table drops what it already has (also the half of an insert that had reached one month's partition only). A
batch with a line in the ledger is not looked at again.

For that, the cut of a batch into inserts depends on the batch alone (``store.cut``). A part goes as one block of
columns; one with a value that is not plainly of its column's type goes as rows, of which the engine may refuse some.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.store.base import StoreBatch, WriteResult
from snowgauge.store.canonical import refusal, refused_event
from snowgauge.store.clickhouse.blocks import Odd, block
from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS
from snowgauge.store.clickhouse.connection import Connection, OutOfMemory, Refused
from snowgauge.store.clickhouse.layout import Layout, TableName
from snowgauge.store.clickhouse.rows import event_row, failed_columns, failed_row
from snowgauge.store.clickhouse.schemas import SchemaColumns
from snowgauge.store.cut import divided, event_size, parts, parts_with
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("store")
_HUGE_ROW = 4_000_000
_LAYOUT_CODES = (10, 16)
"""No such column: the table is not as we think; look again."""
_STATEMENT_CODES = frozenset([*_LAYOUT_CODES, 46, 47, 48, 50, 60, 62, 73, 81, 115, 164])
"""The statement is refused whatever its rows: a missing table, a read-only server. No row is at fault."""

INSERT_SETTINGS = {
    "async_insert": 0,
    "wait_end_of_query": 1,
    "insert_deduplicate": 1,
    # one block for each insert, in order: the same blocks for the same token
    "input_format_parallel_parsing": 0,
    "max_insert_block_size": 1_048_576,
    "min_insert_block_size_rows": 1_048_576,
    "min_insert_block_size_bytes": 268_435_456,
    "input_format_null_as_default": 1,
    "input_format_skip_unknown_fields": 0,
    "date_time_input_format": "basic",
    # text that looks like a date stays text
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "type_json_skip_duplicated_paths": 1,
    "allow_experimental_json_type": 1,
    "distributed_foreground_insert": 1,
    "insert_distributed_sync": 1,
    "max_partitions_per_insert_block": 0,
}


class Writer:
    """One per store; safe for threads."""

    def __init__(self, connection: Connection, layout: Layout, schemas: SchemaColumns) -> None:
        self._connection = connection
        self._layout = layout
        self.schemas = schemas

    def write(self, batch: StoreBatch) -> WriteResult:
        before = self._stored(batch.id)
        if before is not None:
            return before
        self.schemas.prepare((*batch.events, *batch.incomplete))
        cut = parts(batch)
        refused = self._insert_events("events", divided(batch.events, cut.events), f"{batch.id}-events")
        unfinished = self._insert_events(
            "incomplete_events", divided(batch.incomplete, cut.incomplete), f"{batch.id}-incomplete"
        )
        made = [refused_event(event, reason) for event, reason in (*refused, *unfinished)]
        failed = [*batch.failed, *made]
        for at, part in divided(failed, parts_with(batch, made)):
            self._insert_failed(part, f"{batch.id}-failed-{at}")
        result = WriteResult(
            events=len(batch.events) - len(refused),
            failed=len(batch.failed),
            incomplete=len(batch.incomplete) - len(unfinished),
            refused=len(refused),
        )
        self._remember(batch.id, result)
        count("store_rows", result.events, table="events")
        count("store_rows", len(failed), table="failed_events")
        count("store_rows", result.incomplete, table="incomplete_events")
        if refused:
            count("store_refused", len(refused))
            # why, is with each failed event: the text may quote its values
            log.warning("rows_refused", batch=batch.id, rows=len(refused))
        return result

    def _stored(self, batch_id: str) -> WriteResult | None:
        rows = self._connection.rows(
            f"SELECT events, failed, incomplete, refused FROM {self._layout.batches} "
            "WHERE batch_id = {id:String} LIMIT 1",
            {"id": batch_id},
            {"select_sequential_consistency": 1} if self._layout.cluster else None,
        )
        if not rows:
            return None
        events, failed, incomplete, refused = rows[0]
        return WriteResult(events, failed, incomplete, refused, repeated=True)

    def _remember(self, batch_id: str, result: WriteResult) -> None:
        line = msgspec.json.encode(
            {
                "batch_id": batch_id,
                "events": result.events,
                "failed": result.failed,
                "incomplete": result.incomplete,
                "refused": result.refused,
            }
        )
        columns = ("batch_id", "events", "failed", "incomplete", "refused")
        self._connection.insert(self._layout.batches, columns, line, f"{batch_id}-batch", INSERT_SETTINGS)

    def _insert_events(
        self, table: TableName, events: Iterator[tuple[int, Sequence[EnrichedEvent]]], token: str
    ) -> list[tuple[EnrichedEvent, str]]:
        refused: list[tuple[EnrichedEvent, str]] = []
        for at, part in events:
            if not self._insert_block(table, part, f"{token}-{at}"):
                refused += self._insert_rows(table, part, f"{token}-{at}")
        return refused

    def _insert_block(self, table: TableName, events: Sequence[EnrichedEvent], token: str) -> bool:
        """Insert all or nothing; ``False``: some event needs to be looked at on its own."""
        if self.schemas.features.json == "experimental":
            return False  # such a server may not make JSON of a block's text
        try:
            self._send(table, events, token, as_block=True)
        except Odd:
            return False
        except Refused as raised:
            if raised.code in _STATEMENT_CODES:
                raise
            return False
        except OutOfMemory:
            if len(events) > 1:
                raise
            return False
        return True

    def _insert_rows(
        self, table: TableName, events: Sequence[EnrichedEvent], token: str
    ) -> list[tuple[EnrichedEvent, str]]:
        refused: list[tuple[EnrichedEvent, str]] = []
        fitting: list[EnrichedEvent] = []
        for event in events:
            reason = refusal(event)
            if reason is None:
                fitting.append(event)
            else:
                refused.append((event, reason))
        return refused + self._insert_part(table, fitting, token) if fitting else refused

    def _insert_part(
        self, table: TableName, events: Sequence[EnrichedEvent], token: str
    ) -> list[tuple[EnrichedEvent, str]]:
        """Insert; where the database refuses, halve until the refused rows are alone."""
        try:
            self._send(table, events, token)
        except Refused as raised:
            if raised.code in _STATEMENT_CODES:
                raise
            if len(events) == 1:
                return [(events[0], str(raised))]
            middle = len(events) // 2
            return [
                *self._insert_part(table, events[:middle], f"{token}.0"),
                *self._insert_part(table, events[middle:], f"{token}.1"),
            ]
        except OutOfMemory as raised:
            # a row this large will not fit later either; anything else is the server's load, and may pass
            if len(events) == 1 and event_size(events[0]) > _HUGE_ROW:
                return [(events[0], str(raised))]
            raise
        return []

    def _send(self, table: TableName, events: Sequence[EnrichedEvent], token: str, *, as_block: bool = False) -> None:
        for attempt in (1, 2):
            if as_block:
                columns, data = block(events, self.schemas)
            else:
                used: set[str] = set()
                data = b"".join([event_row(event, self.schemas, used) for event in events])
                columns = [column.name for column in ATOMIC_COLUMNS]
                columns += sorted(used)
            fmt: Literal["Native", "JSONEachRow"] = "Native" if as_block else "JSONEachRow"
            try:
                self._connection.insert(self._layout.name(table), columns, data, token, INSERT_SETTINGS, fmt)
            except Refused as raised:
                if raised.code not in _LAYOUT_CODES or attempt == 2:
                    raise
                self.schemas.refresh()
                self.schemas.prepare(events)
            else:
                return

    def _insert_failed(self, failed: Sequence[FailedEvent], token: str) -> None:
        rows = b"".join([failed_row(one) for one in failed])
        self._connection.insert(self._layout.name("failed_events"), failed_columns(), rows, token, INSERT_SETTINGS)

"""Parquet files by kind, day and event name, each batch once.

A file is named by its batch, so a batch that comes again is written over itself. Days are UTC, of the instant by which
a store selects the row.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.sinks.files.place import Place
from snowgauge.delivery.sinks.rows import refused, rows_of
from snowgauge.errors import SettingsError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import iso_text
from snowgauge.store.base import EventKind, StoreBatch
from snowgauge.store.canonical import refusal
from snowgauge.store.lifetime import Row, row_time

try:
    from pyarrow import parquet

    from snowgauge.delivery.sinks.files import tables
except ImportError as error:
    raise SettingsError(f"sinks.files needs pyarrow ({error}): pip install 'snowgauge[parquet]'") from None

_NO_NAME = "__HIVE_DEFAULT_PARTITION__"
"""What Hive, and all that follow it, call a partition whose value is not set."""


class ParquetFiles:
    def __init__(self, place: Place, kinds: Iterable[EventKind]) -> None:
        self._place = place
        self._kinds = tuple(kinds)

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        """Refuses what no typed column can hold, which the store has filed as a failed event."""
        file = f"{batch.id.replace('/', '_')}.parquet"
        refusals: list[Refusal] = []
        for kind in self._kinds:
            for folder, rows in self._parts(batch, kind, refusals).items():
                self._place.put(f"{kind}/{folder}/{file}", _encoded(rows))
        return refusals

    def close(self) -> None:
        """Nothing is open between batches."""

    def _parts(self, batch: StoreBatch, kind: EventKind, refusals: list[Refusal]) -> dict[str, list[Row]]:
        """Rows by the folder that they belong in."""
        parts: dict[str, list[Row]] = {}
        for row in rows_of(batch, kind):
            reason = refusal(row) if isinstance(row, EnrichedEvent) else None
            if reason is not None:
                refusals.append(refused([row], kind, reason))
            else:
                parts.setdefault(_folder(row), []).append(row)
        return parts


def _folder(row: Row) -> str:
    name = row.failure_type if isinstance(row, FailedEvent) else row.event_name
    encoded = quote(name or "", safe="", errors="replace")[:200] or _NO_NAME
    return f"day={iso_text(row_time(row))[:10]}/{'type' if isinstance(row, FailedEvent) else 'name'}={encoded}"


def _encoded(rows: Sequence[Row]) -> bytes:
    events = [row for row in rows if isinstance(row, EnrichedEvent)]
    table: Any = tables.events_table(events) if events else None
    if table is None:
        table = tables.failed_table([row for row in rows if isinstance(row, FailedEvent)])
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()

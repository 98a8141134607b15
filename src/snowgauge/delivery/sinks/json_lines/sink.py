"""Files of JSON lines, by kind and day: events as Snowplow's analytics SDKs make them, failed events as bad rows.

A file is named by its batch, so a batch that comes again is written over itself; a file is whole or not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from snowgauge.delivery import whole_file
from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.sinks.rows import rows_of
from snowgauge.errors import SinkUnavailable
from snowgauge.events.analytics_json import whole
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import iso_text
from snowgauge.store.base import EventKind, StoreBatch
from snowgauge.store.canonical import event_json
from snowgauge.store.lifetime import Row, row_time


class JsonLines:
    """``folder/good/2026-05-01/<batch>.jsonl``: the day (UTC) is that of the instant by which a
    store selects the row."""

    def __init__(self, folder: Path, kinds: Iterable[EventKind]) -> None:
        self._folder = folder
        self._kinds = tuple(kinds)

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        name = f"{batch.id.replace('/', '_')}.jsonl"
        for kind in self._kinds:
            days: dict[str, list[bytes]] = {}
            for row in rows_of(batch, kind):
                days.setdefault(iso_text(row_time(row))[:10], []).append(_line(row))
            for day, lines in days.items():
                try:
                    whole_file.write(self._folder / kind / day / name, b"".join(lines))
                except OSError as error:
                    raise SinkUnavailable(f"{self._folder} cannot be written: {error}") from error
        return ()

    def close(self) -> None:
        """Nothing is open between batches."""


def _line(row: Row) -> bytes:
    value = row.bad_row() if isinstance(row, FailedEvent) else whole(event_json(row))
    return msgspec.json.encode(value) + b"\n"

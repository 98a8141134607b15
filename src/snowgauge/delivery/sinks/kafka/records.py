"""Rows as the records of enrich's topics: values, keys and headers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec

from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.delivery.sinks.rows import json_bytes, rows_of
from snowgauge.events.analytics_json import shredded
from snowgauge.events.enriched import ATOMIC_FIELD, EnrichedEvent
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import tsv_text
from snowgauge.store.base import EventKind, StoreBatch
from snowgauge.store.canonical import event_json
from snowgauge.store.lifetime import Row

Headers = dict[str, str | bytes | None]


class Record(msgspec.Struct, frozen=True):
    """A row and the topic that it goes to."""

    topic: str
    kind: EventKind
    row: Row


class Records:
    """What a batch is as records, by the settings of the sink."""

    def __init__(self, settings: KafkaSinkSettings) -> None:
        self._settings = settings
        self._topics: dict[EventKind, str] = {
            "good": settings.good, "incomplete": settings.incomplete, "failed": settings.bad
        }  # fmt: skip

    @property
    def topics(self) -> list[str]:
        """Those that are written to."""
        return [topic for topic in self._topics.values() if topic]

    def of(self, batch: StoreBatch) -> Iterator[Record]:
        for kind, topic in self._topics.items():
            if topic:
                for row in rows_of(batch, kind):
                    yield Record(topic, kind, row)

    def value(self, row: Row) -> bytes:
        if isinstance(row, FailedEvent):
            return row.bad_row_json()
        if self._settings.format == "json":
            return json_bytes(shredded(event_json(row)))
        return to_tsv(row).encode("utf-8", "replace")

    def key(self, row: Row) -> bytes:
        """The configured column's value; a random UUID where there is none, and for bad rows, as enrich does."""
        key = _column(row, self._settings.partition_key) if self._settings.partition_key else None
        return key or str(uuid.uuid4()).encode()

    def headers(self, row: Row) -> Headers:
        """None of bad rows, as enrich does."""
        values = ((name, _column(row, name)) for name in self._settings.attributes)
        return {name: value for name, value in values if value is not None}


def _column(row: Row, name: str) -> bytes | None:
    if not isinstance(row, EnrichedEvent):
        return None
    value = getattr(row, name)
    if value is None or value == "":
        return None
    if ATOMIC_FIELD[name].kind == "timestamp":
        value = tsv_text(value)
    elif isinstance(value, bool):
        value = int(value)
    return str(value).encode("utf-8", "replace")

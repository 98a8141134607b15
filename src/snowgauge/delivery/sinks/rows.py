"""What sinks share: a batch's rows by kind, and refusals of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from snowgauge.delivery.contract import Refusal
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.store.base import EventKind, StoreBatch
from snowgauge.store.lifetime import Row, row_key


def rows_of(batch: StoreBatch, kind: EventKind) -> Sequence[Row]:
    if kind == "failed":
        return batch.failed
    return batch.events if kind == "good" else batch.incomplete


def id_of(rows: Iterable[Row]) -> str:
    """Of the rows themselves, so that it stays whatever batch they come in; 32 hexadecimal digits."""
    keys = "\n".join(f"{key}@{at}" for key, at in map(row_key, rows))
    return hashlib.blake2b(keys.encode("utf-8", "replace"), digest_size=16).hexdigest()


def refused(rows: Sequence[Row], kind: EventKind, reason: str) -> Refusal:
    batch = StoreBatch(id_of(rows))
    for row in rows:
        match row:
            case FailedEvent():
                batch.failed.append(row)
            case EnrichedEvent():
                (batch.events if kind == "good" else batch.incomplete).append(row)
    return Refusal(batch, reason)

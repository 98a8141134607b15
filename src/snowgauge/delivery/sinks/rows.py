"""What sinks share: a batch's rows by kind, refusals of rows, and JSON of any values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import msgspec

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


def json_bytes(value: object) -> bytes:
    """Compact JSON, also of integers beyond 64 bits, and with question marks for lone surrogates."""
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

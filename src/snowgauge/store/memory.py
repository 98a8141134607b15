"""The store in memory: the reference implementation of the contract, for tests and for Micro mode."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from snowgauge.errors import QueryRefused
from snowgauge.events.enriched import ATOMIC_FIELD, EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import tsv_text
from snowgauge.store.base import (
    Bucket,
    EventKind,
    FailedUpdate,
    Migration,
    QueryResult,
    Selection,
    SqlDialect,
    StoreBatch,
    WriteResult,
)
from snowgauge.store.canonical import (
    NO_UUID,
    Recovery,
    decimal_text,
    refusal,
    refused_event,
)
from snowgauge.store.filters import column_kind
from snowgauge.store.matching import Row, StoredFailure, json_of, nested_of_row, selector, time_of, value_of
from snowgauge.store.memory_lifetime import MemoryLifetime
from snowgauge.store.nested import nested_of

if TYPE_CHECKING:
    from snowgauge.store.figures import Figures


class MemoryStore:
    """Keeps everything until ``close`` or ``clear``. Safe for threads."""

    dialect: SqlDialect = "none"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._batches: dict[str, WriteResult] = {}
        self._rows: dict[EventKind, list[Any]] = {"good": [], "failed": [], "incomplete": []}

    def migrate(self) -> list[Migration]:
        return []

    def migrations(self) -> list[Migration]:
        return []

    def write(self, batch: StoreBatch) -> WriteResult:
        with self._lock:
            before = self._batches.get(batch.id)
            if before is not None:
                return msgspec.structs.replace(before, repeated=True)
            good, refused = _sorted(batch.events)
            incomplete, unfinished = _sorted(batch.incomplete)
            self._rows["good"] += good
            self._rows["incomplete"] += incomplete
            known = {row.id for row in self._rows["failed"]}
            for failed in (*batch.failed, *refused, *unfinished):
                if failed.id not in known:
                    known.add(failed.id)
                    self._rows["failed"].append(StoredFailure(**msgspec.structs.asdict(failed), recovery=Recovery()))
            result = WriteResult(len(good), len(batch.failed), len(incomplete), len(refused))
            self._batches[batch.id] = result
            return result

    def lifetime(self) -> MemoryLifetime:
        """How events leave this store."""
        return MemoryLifetime(self._rows, self._lock)

    def figures(self) -> Figures:
        raise QueryRefused("the store in memory has no modelled tables: use ClickHouse or PostgreSQL")

    def clear(self) -> None:
        """Forget all events, as Micro's ``/micro/reset`` does."""
        with self._lock:
            for rows in self._rows.values():
                rows.clear()
            self._batches.clear()

    def count(self, kind: EventKind, selection: Selection) -> int:
        return len({_key(row) for row in self._select(kind, selection)})

    def events(
        self,
        kind: EventKind,
        selection: Selection,
        *,
        limit: int = 100,
        offset: int = 0,
        newest_first: bool = True,
        columns: Collection[str] | None = None,  # noqa: ARG002 - everything is at hand
    ) -> list[dict[str, Any]]:
        rows = sorted(
            self._select(kind, selection), key=lambda row: (time_of(row), UUID(_key(row)).int), reverse=newest_first
        )
        first = {_key(row): row for row in reversed(rows)}
        seen = [row for row in rows if first[_key(row)] is row]
        return [json_of(row) for row in seen[offset : offset + limit]]

    def event(self, event_id: str) -> dict[str, Any] | None:
        return self._one("good", event_id)

    def failed_event(self, failed_id: str) -> dict[str, Any] | None:
        return self._one("failed", failed_id)

    def failed_events(self, selection: Selection) -> Iterator[dict[str, Any]]:
        for row in sorted(self._select("failed", selection), key=lambda row: (time_of(row), UUID(_key(row)).int)):
            yield json_of(row)

    def stored(self, events: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
        with self._lock:
            there = {(_key(row), row.collector_tstamp) for row in self._rows["good"]}
        return {(event_id, at) for event_id, at in events if (event_id.lower(), at) in there}

    def mark_failed(self, updates: Sequence[FailedUpdate]) -> int:
        by_id = {update.id.lower(): update for update in updates}
        with self._lock:
            rows = self._rows["failed"]
            found = 0
            for at, row in enumerate(rows):
                update = by_id.get(_key(row))
                if update is None:
                    continue
                found += 1
                rows[at] = msgspec.structs.replace(
                    row,
                    recovery=row.recovery.after(update),
                    message=row.message if update.message is None else update.message,
                    schema=row.schema if update.schema is None else update.schema or None,
                )
            return found

    def _one(self, kind: EventKind, wanted: str) -> dict[str, Any] | None:
        rows = [row for row in self._select(kind, Selection()) if _key(row) == wanted.lower()]
        return json_of(min(rows, key=time_of)) if rows else None

    def count_by(self, kind: EventKind, column: str, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        nested = nested_of(kind, column)
        if nested is None:
            column_kind(kind, column)
            buckets = self._grouped(kind, selection, lambda row: [_shown(row, column)])
        else:
            buckets = self._grouped(kind, selection, lambda row: nested_of_row(row, nested) or [None])
        buckets.sort(key=lambda bucket: (-bucket.count, bucket.key is None, _ordered(bucket.key)))
        return buckets[:limit]

    def entity_counts(self, kind: EventKind, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        buckets = self._grouped(
            kind,
            selection,
            lambda row: (
                {entity.schema.uri for entity in (*row.contexts, *row.derived_contexts)}
                if isinstance(row, EnrichedEvent)
                else ()
            ),
        )
        buckets.sort(key=lambda bucket: (-bucket.count, bucket.key))
        return buckets[:limit]

    def timeline(self, kind: EventKind, selection: Selection, *, seconds: int) -> list[Bucket]:
        step = seconds * 1000
        buckets = self._grouped(kind, selection, lambda row: [time_of(row) // step * step])
        return sorted(buckets, key=lambda bucket: bucket.key)

    def _grouped(self, kind: EventKind, selection: Selection, keys: Callable[[Row], Iterable[Any]]) -> list[Bucket]:
        groups: dict[Any, list[Row]] = {}
        for row in self._select(kind, selection):
            for key in keys(row):
                groups.setdefault(key, []).append(row)
        return [
            Bucket(value, len({_key(row) for row in rows}), min(map(time_of, rows)), max(map(time_of, rows)))
            for value, rows in groups.items()
        ]

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002 - the contract's
        *,
        max_rows: int | None = None,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        read_only: bool = True,  # noqa: ARG002
    ) -> QueryResult:
        raise QueryRefused(
            f"the store in memory has no SQL (asked: {sql[:100]!r}): use ClickHouse, the embedded one for instance"
        )

    def export_raw(
        self,
        sql: str,
        fmt: str,  # noqa: ARG002
        parameters: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Iterator[bytes]:
        self.query(sql)
        return iter(())

    def prepared(self, sql: str) -> str:
        return sql

    def status(self) -> dict[str, Any]:
        return {"kept": "in the memory of this process"}

    def vacuum(self) -> list[str]:
        return []

    def ready(self) -> bool:
        return True

    def close(self) -> None:
        self.clear()

    def _select(self, kind: EventKind, selection: Selection) -> list[Row]:
        selected = selector(kind, selection)
        with self._lock:
            rows = list(self._rows[kind])
        return [row for row in rows if selected(row)]


def _sorted(events: list[EnrichedEvent]) -> tuple[list[EnrichedEvent], list[FailedEvent]]:
    """Apart: what a typed table can hold, and what it cannot."""
    good: list[EnrichedEvent] = []
    refused: list[FailedEvent] = []
    for event in events:
        reason = refusal(event) or _no_uuid(event)
        if reason is None:
            good.append(event)
        else:
            refused.append(refused_event(event, reason))
    return good, refused


def _no_uuid(event: EnrichedEvent) -> str | None:
    try:
        UUID(event.event_id or NO_UUID)
    except ValueError:
        return f"event_id: {str(event.event_id)[:100]!r} is not a UUID"
    return None


def _key(row: Row) -> str:
    return row.id if isinstance(row, FailedEvent) else (row.event_id or NO_UUID).lower()


def _shown(row: Row, column: str) -> Any:
    value = value_of(row, column)
    if value is None:
        return None
    kind = column_kind("failed" if isinstance(row, FailedEvent) else "good", column)
    if kind == "timestamp":
        return tsv_text(value)
    if isinstance(row, EnrichedEvent) and ATOMIC_FIELD[column].kind == "decimal":
        return decimal_text(ATOMIC_FIELD[column], str(value))
    return value


def _ordered(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)

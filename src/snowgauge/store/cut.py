"""How the rows of a batch are cut into inserts: format 1.

A store that cannot take a batch in one transaction (ClickHouse) sends it in parts, each under a token made of the
batch's id and the part's number, and knows a part that comes again by its token. A batch that was half stored must
therefore be cut again as it was, by any later version, and also when rows of it were erased in between. So the rule,
with every number in it, is a format that may never change; a better one becomes a further format, which
``StoreBatch.format`` of new batches names. What is recorded to be stored again is recorded with its format. Rows are
taken out with ``without``, which keeps the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from snowgauge.errors import StoreUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.store.base import Part, Parts, StoreBatch

_ROWS = 20_000
_BYTES = 24_000_000
_T = TypeVar("_T")


def parts(batch: StoreBatch) -> Parts:
    """The parts of each kind. Raises ``StoreUnavailable`` for a format of a later version."""
    if batch.parts is not None:
        return batch.parts
    if batch.format != 1:
        raise StoreUnavailable(
            f"batch {batch.id} was begun by a later version (format {batch.format}): only that version can finish it"
        )
    return Parts(
        list(_cut(map(event_size, batch.events))),
        list(_cut(map(_failed_size, batch.failed))),
        list(_cut(map(event_size, batch.incomplete))),
        len(batch.failed),
    )


def parts_with(batch: StoreBatch, refused: Sequence[FailedEvent]) -> list[Part]:
    """The parts of a batch's failed events, followed by those that the store made of rows it refused."""
    if batch.parts is None:
        return list(_cut(map(_failed_size, (*batch.failed, *refused))))
    further = (Part(batch.parts.further + part.number, part.rows) for part in _cut(map(_failed_size, refused)))
    return [*batch.parts.failed, *further]


def divided(rows: Sequence[_T], some: Iterable[Part]) -> Iterator[tuple[int, Sequence[_T]]]:
    """The rows of each part that has any left, with its number."""
    at = 0
    for part in some:
        if part.rows:
            yield part.number, rows[at : at + part.rows]
        at += part.rows


def without(
    batch: StoreBatch,
    goes: Callable[[EnrichedEvent], bool],
    pruned: Callable[[FailedEvent], FailedEvent | None],
) -> StoreBatch:
    """The batch without the events that go, and with what is left of its failed events; the same batch when nothing
    changes."""
    before = parts(batch)
    events, kept_events = _remaining(batch.events, before.events, lambda event: None if goes(event) else event)
    incomplete, kept_incomplete = _remaining(
        batch.incomplete, before.incomplete, lambda event: None if goes(event) else event
    )
    failed, kept_failed = _remaining(batch.failed, before.failed, pruned)
    if (
        len(events) == len(batch.events)
        and len(incomplete) == len(batch.incomplete)
        and len(failed) == len(batch.failed)
        and all(new is old for new, old in zip(failed, batch.failed, strict=True))
    ):
        return batch
    left = Parts(kept_events, kept_failed, kept_incomplete, before.further)
    return StoreBatch(batch.id, events, failed, incomplete, batch.format, left)


def _remaining(rows: list[_T], some: list[Part], change: Callable[[_T], _T | None]) -> tuple[list[_T], list[Part]]:
    left: list[_T] = []
    after: list[Part] = []
    at = 0
    for part in some:
        kept = [new for row in rows[at : at + part.rows] if (new := change(row)) is not None]
        left += kept
        after.append(Part(part.number, len(kept)))
        at += part.rows
    return left, after


def _cut(sizes: Iterable[int]) -> Iterator[Part]:
    start = total = rows = 0
    for weight in sizes:
        if rows and (rows >= _ROWS or total + weight > _BYTES):
            yield Part(start, rows)
            start, total, rows = start + rows, 0, 0
        total += weight
        rows += 1
    if rows:
        yield Part(start, rows)


def event_size(event: EnrichedEvent) -> int:
    """Roughly how many bytes an event has; made of the event alone."""
    total = 1000
    for entity in (*event.contexts, *event.derived_contexts):
        total += _data_size(entity.literal, entity.data)
    if event.unstruct_event is not None:
        total += _data_size(event.unstruct_event.literal, event.unstruct_event.data)
    for text in (event.page_url, event.page_referrer, event.page_title, event.useragent):
        if text:
            total += len(text)
    return total


def _data_size(literal: str | None, data: object) -> int:
    # a guess of 200 will do for data without its text: such data was made by an enrichment, not sent by a client
    return 2 * len(literal) if literal is not None else 200 if not isinstance(data, str) else len(data)


def _failed_size(failed: FailedEvent) -> int:
    return 4000 + 3 * len(failed.record or b"")

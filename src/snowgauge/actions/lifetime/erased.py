"""Erasures as seen by whatever stores: nothing of an erased person is stored, and nothing stays that was stored while
the person was being erased.

A gate keeps an erasure and the workers of one machine apart (``gate``). Between machines there is none. So a worker
looks at the tombstones before it stores and again after: one that was set in between is found then, and the worker
takes out what it covers before the batch counts as done. One that is set later finds the rows in the store.
"""

from __future__ import annotations

from collections.abc import Sequence

from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.store.base import BatchWriter, EventKind, StoreBatch, WriteResult
from snowgauge.store.lifetime import Lifetime, Row, row_key
from snowgauge.telemetry.logs import logger

log = logger("privacy")


class Erased:
    """``Erasures`` of one deployment and its store. Raises ``StateUnavailable`` while the tombstones cannot be read."""

    def __init__(self, tombstones: Tombstones, lifetime: Lifetime) -> None:
        self._tombstones = tombstones
        self._lifetime = lifetime

    def without(self, batch: StoreBatch) -> StoreBatch:
        return self._tombstones.without(batch)

    def after(self, stored: StoreBatch) -> None:
        kept = self._tombstones.without(stored)
        if kept is stored:
            return
        rows = self._take_out("good", stored.events, kept.events)
        rows += self._take_out("failed", stored.failed, kept.failed)
        rows += self._take_out("incomplete", stored.incomplete, kept.incomplete)
        was = {failed.id: failed for failed in stored.failed}
        changed = {failed.id: failed.record for failed in kept.failed if failed is not was[failed.id]}
        if changed:
            self._lifetime.set_records(changed)
        self._lifetime.settle()
        log.info("erased_after_storing", batch=stored.id, rows=rows, records=len(changed))

    def _take_out(self, kind: EventKind, before: Sequence[Row], left: Sequence[Row]) -> int:
        there = {row_key(row)[0] for row in left}
        gone = [row_key(row) for row in before if row_key(row)[0] not in there]
        if gone:
            self._lifetime.delete(kind, gone)
        return len(gone)


class WithoutErased:
    """Writes nothing of persons who were erased: for all that stores what was collected long ago."""

    def __init__(self, store: BatchWriter, erased: Erased) -> None:
        self._store = store
        self._erased = erased

    def write(self, batch: StoreBatch) -> WriteResult:
        kept = self._erased.without(batch)
        result = self._store.write(kept)
        self._erased.after(kept)
        return result

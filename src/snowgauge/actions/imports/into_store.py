"""Puts imported rows straight into the store, each once.

The store takes a batch id once, whatever happens in between. So a chunk's lines are written down with its id before
it is stored, and a run after a kill stores the very same batch again.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable
from typing import Literal

import msgspec

from snowgauge.actions.imports.bad_rows import NotBadRow, failed_event
from snowgauge.actions.imports.into_log import PROCESSOR, uuid_of
from snowgauge.actions.imports.ledger import KEY_BYTES, Ledger, Pending
from snowgauge.actions.imports.totals import Totals
from snowgauge.events.bad_row import generic_error
from snowgauge.events.enriched_tsv import NotEnriched, from_tsv
from snowgauge.events.failed import FailedEvent, bad_row_data
from snowgauge.store.base import BatchWriter, StoreBatch

Kind = Literal["tsv", "bad-rows"]


class _Chunk(msgspec.Struct):
    """``at`` is the time of what fails in it, so that a repetition gives the same batch."""

    at: int
    lines: list[bytes]
    format: int = 1  # of the batch that is made of them (store.cut)


class IntoStore:
    """Lines of one kind. Raises ``StoreUnavailable`` when the store is unreachable: run the import again later."""

    def __init__(
        self,
        ledger: Ledger,
        store: BatchWriter,
        totals: Totals,
        kind: Kind,
        *,
        chunk: int = 5000,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._totals = totals
        self._kind: Kind = kind
        self._chunk = chunk
        self._clock = clock
        self._keys: list[bytes] = []
        self._lines: list[bytes] = []
        for pending in ledger.pending():
            self._repeat(pending)

    def add(self, key: bytes, line: bytes) -> None:
        self._keys.append(key)
        self._lines.append(line)
        if len(self._keys) >= self._chunk:
            self.flush()

    def flush(self) -> None:
        if not self._keys:
            return
        fresh = self._ledger.claim(self._keys)
        claimed = [pair for new, pair in zip(fresh, zip(self._keys, self._lines, strict=True), strict=True) if new]
        self._totals.repeated += len(fresh) - len(claimed)
        self._keys, self._lines = [], []
        if not claimed:
            return
        keys = [key for key, _ in claimed]
        chunk = _Chunk(self._clock(), [line for _, line in claimed])
        pending = self._ledger.begin(self._kind, keys, zlib.compress(msgspec.msgpack.encode(chunk), 1))
        batch, unreadable = made(self._kind, keys, chunk.lines, chunk.at)
        self._store.write(batch)
        self._ledger.done(pending)
        self._totals.unreadable += unreadable
        self._totals.events += len(keys) - unreadable

    def _repeat(self, pending: Pending) -> None:
        if pending.kind not in ("tsv", "bad-rows"):
            return
        kind: Kind = "tsv" if pending.kind == "tsv" else "bad-rows"
        chunk = msgspec.msgpack.decode(zlib.decompress(pending.detail), type=_Chunk)
        keys = [pending.keys[at : at + KEY_BYTES] for at in range(0, len(pending.keys), KEY_BYTES)]
        batch, _ = made(kind, keys, chunk.lines, chunk.at)
        batch.format = chunk.format
        self._store.write(batch)
        self._ledger.done(pending.id)


def made(kind: Kind, keys: list[bytes], lines: list[bytes], at: int) -> tuple[StoreBatch, int]:
    """The batch of some lines, and how many of them were unreadable: those are among its failed events."""
    batch = StoreBatch("import/" + hashlib.blake2b(b"".join(keys), digest_size=16).hexdigest())
    unreadable = 0
    for key, line in zip(keys, lines, strict=True):
        if kind == "tsv":
            try:
                batch.events.append(from_tsv(line.decode("utf-8")))
            except (NotEnriched, UnicodeDecodeError) as error:
                unreadable += 1
                batch.failed.append(not_enriched(uuid_of(key), line, str(error), at))
        else:
            try:
                batch.failed.append(failed_event(line, uuid_of(key), at))
            except NotBadRow as error:
                unreadable += 1
                text = line.decode("utf-8", "replace")
                batch.failed.append(generic_error(PROCESSOR, at, uuid_of(key), [f"not a bad row: {error}"], text))
    return batch, unreadable


def not_enriched(failure: str, line: bytes, reason: str, at: int) -> FailedEvent:
    """The failed event, with this id, of a line that is no enriched event."""
    count = line.count(b"\t") + 1
    cause: dict[str, object]
    if count == 1:
        cause = {"type": "NotTSV"}
    elif count != 131:
        cause = {"type": "FieldNumberMismatch", "fieldCount": count}
    else:
        cause = {"type": "RowDecodingError", "errors": [{"type": "UnhandledRowDecodingError", "message": reason}]}
    return FailedEvent(
        id=failure,
        failure_type="loader_parsing_error",
        failed_at=at,
        data=bad_row_data(PROCESSOR, cause, line.decode("utf-8", "replace")),
        message=" ".join(reason.split()),
    )

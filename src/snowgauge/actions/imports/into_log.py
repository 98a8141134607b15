"""Hands imported requests to the event log, each once, in chunks.

The log takes what it is given; it cannot tell a chunk it has already. So after a kill between appending and writing
that down, the chunk is looked for: its last records in what waits in the log (records leave it in order, and leave it
only when they are stored), then its failed events and its events in the store. Only events whose ``v_collector`` is the
import's own count there: a site that tracks to a live collector too has the same event ids twice.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from snowgauge import __version__
from snowgauge.actions.imports.ledger import Ledger, Pending
from snowgauge.actions.imports.totals import Totals
from snowgauge.backoff import Backoff
from snowgauge.delivery.contract import EventLog
from snowgauge.errors import LogUnavailable
from snowgauge.events.failed import Processor, bad_row_data, bad_row_schema
from snowgauge.events.log_entry import EntryKind, LogEntry
from snowgauge.events.timestamps import instant_text
from snowgauge.store.base import Filter, Reader, Selection
from snowgauge.telemetry.logs import logger

_log = logger("import")
_KIND = "log"
_SAMPLE = 25
_EVENT_ID = re.compile(rb"eid=([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
PROCESSOR = Processor("snowgauge-import", __version__)


class Stopped(Exception):
    """Told to stop while waiting for room in the event log."""


class _Traces(msgspec.Struct):
    """How to recognise a chunk. ``collector`` empty: not by its events."""

    records: list[bytes]
    failed: list[str]
    events: list[str]
    collector: str


class IntoLog:
    """``add`` takes a request, ``refuse`` a line that is none; ``flush`` at the end of each file and before ``close``.

    ``collector`` is the ``v_collector`` that only this import writes. ``reader`` opens the store; it is asked only
    after a run that was killed. ``waiting`` is told when the log has no room.
    """

    def __init__(
        self,
        ledger: Ledger,
        log: EventLog,
        reader: Callable[[], Reader],
        totals: Totals,
        *,
        loader: str,
        collector: str = "",
        chunk: int = 5000,
        stop: threading.Event | None = None,
        waiting: Callable[[str], None] = lambda _: None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._ledger = ledger
        self._log = log
        self._loader = loader
        self._collector = collector
        self._chunk = chunk
        self._totals = totals
        self._stop = stop or threading.Event()
        self._waiting = waiting
        self._clock = clock
        self._keys: list[bytes] = []
        self._entries: list[tuple[bytes, EntryKind]] = []
        for pending in ledger.pending():
            self._recover(pending, reader)
        self._writer = log.writer()

    def close(self) -> None:
        self._writer.close()

    def add(self, key: bytes, record: bytes) -> None:
        """One request."""
        self._put(key, record, "payload")

    def refuse(self, key: bytes, line: bytes, message: dict[str, Any]) -> None:
        """A line that is no request becomes a failed event (collector_payload_format_violation)."""
        failure = {"timestamp": instant_text(self._clock()), "loader": self._loader, "message": message}
        data = bad_row_data(PROCESSOR, failure, line.decode("utf-8", "replace"))
        self.add_bad_row(key, bad_row_schema("collector_payload_format_violation"), data)

    def add_bad_row(self, key: bytes, schema: str, data: dict[str, Any]) -> None:
        """A failure of before; it counts as unreadable."""
        self._put(key, orjson.dumps({"schema": schema, "data": data, "id": uuid_of(key)}), "bad_row")

    def _put(self, key: bytes, body: bytes, kind: EntryKind) -> None:
        self._keys.append(key)
        self._entries.append((body, kind))
        if len(self._keys) >= self._chunk:
            self.flush()

    def flush(self) -> None:
        """Have everything kept that was given. Raises :class:`Stopped` and ``SnowgaugeError``."""
        if not self._keys:
            return
        now = self._clock()
        keys, given = self._keys, self._entries
        self._keys, self._entries = [], []
        fresh = self._ledger.claim(keys)
        claimed = [
            (key, LogEntry(body, now, kind)) for new, key, (body, kind) in zip(fresh, keys, given, strict=True) if new
        ]
        self._totals.repeated += len(keys) - len(claimed)
        if not claimed:
            return
        entries = [entry for _, entry in claimed]
        refused = [uuid_of(key) for key, entry in claimed if entry.kind == "bad_row"]
        traces = _traces(entries, refused, self._collector)
        chunk = self._ledger.begin(_KIND, [key for key, _ in claimed], traces)
        self._append(entries)
        self._ledger.done(chunk)
        self._totals.unreadable += len(refused)
        self._totals.events += len(entries) - len(refused)

    def _append(self, entries: Sequence[LogEntry]) -> None:
        backoff = Backoff()
        while True:
            try:
                self._writer.append(entries)
                return
            except LogUnavailable as error:
                self._waiting(str(error))
                if self._stop.wait(backoff.pause()):
                    raise Stopped from error

    # ---- after a kill -----------------------------------------------------------------------------------------

    def _recover(self, pending: Pending, reader: Callable[[], Reader]) -> None:
        if pending.kind != _KIND:
            return
        traces = msgspec.msgpack.decode(pending.detail, type=_Traces)
        if self._waits(traces) or _stored(traces, reader):
            _log.info("import_chunk_recognised", chunk=pending.id, lines=len(pending.keys) // 16)
            self._ledger.done(pending.id)
        else:
            _log.info("import_chunk_repeated", chunk=pending.id, lines=len(pending.keys) // 16)
            self._ledger.forget(pending)

    def _waits(self, traces: _Traces) -> bool:
        wanted = set(traces.records)
        return any(_digest(entry.body) in wanted for entry in self._log.peek())


def _traces(entries: Sequence[LogEntry], failed: Sequence[str], collector: str) -> bytes:
    ids: list[str] = []
    if collector:
        step = max(1, len(entries) // (4 * _SAMPLE))
        for entry in entries[::step]:
            if entry.kind == "payload" and (found := _EVENT_ID.search(entry.body)):
                ids.append(found[1].decode().lower())
    records = [_digest(entry.body) for entry in entries[-_SAMPLE:]]
    return msgspec.msgpack.encode(_Traces(records, list(failed[-_SAMPLE:]), ids, collector))


def _stored(traces: _Traces, reader: Callable[[], Reader]) -> bool:
    if not traces.failed and not traces.events:
        return False
    store = reader()
    if any(store.failed_event(failed) is not None for failed in traces.failed):
        return True
    filters = [Filter("event_id", "in", traces.events), Filter("v_collector", "in", [traces.collector])]
    return bool(traces.events) and store.count("good", Selection(filters=filters)) > 0


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def uuid_of(key: bytes) -> str:
    """A version-8 UUID of a line's key."""
    number = int.from_bytes(key) & ~(0xF << 76) | (8 << 76)
    text = f"{number & ~(0x3 << 62) | (0x2 << 62):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

"""From many waiting requests to few durable writes.

``LogWriter.append`` blocks until its entries are on disk. One thread per process calls it with everything that
waits; while it is writing, the next group gathers. So a write (one fsync) is shared by all requests that arrived during
the one before, latency is at most two writes, and a group wakes the event loop once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

from snowgauge.errors import LogUnavailable
from snowgauge.eventlog.base import LogEntry, LogWriter
from snowgauge.telemetry.logs import logger

_log = logger("collector")

_UNHEALTHY_SECONDS = 5.0
"""How long one failed write counts against ``healthy``; without new requests nobody would find out that it is over."""

_Waiting = tuple["asyncio.Future[LogUnavailable | None]", Sequence[LogEntry], int]


class Submitter:
    """Hands entries to the log and says when they are durable. Belongs to one event loop; owns the writer."""

    def __init__(
        self, writer: LogWriter, *, max_waiting_bytes: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer = writer
        self._max_waiting_bytes = max_waiting_bytes
        self._monotonic = monotonic
        self._ready = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._bytes = 0  # waiting or being written
        self._closed = False
        self._failed_at: float | None = None
        self._thread: threading.Thread | None = None

    async def submit(self, entries: Sequence[LogEntry]) -> None:
        """Returns when the entries are durable. Raises ``LogUnavailable`` when they may not be, or too much waits."""
        size = 0
        for entry in entries:
            size += len(entry.body)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[LogUnavailable | None] = loop.create_future()
        with self._ready:
            if self._closed:
                raise LogUnavailable("the collector is shutting down")
            if self._bytes + size > self._max_waiting_bytes and self._bytes:
                raise LogUnavailable(
                    f"{self._bytes} bytes already wait for the event log: its disk is too slow for these requests, "
                    "see collector.networking.max_waiting_bytes"
                )
            self._bytes += size
            idle = not self._waiting
            self._waiting.append((future, entries, size))
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_groups, name="collector-log-writer", daemon=True)
                self._thread.start()
            elif idle:
                self._ready.notify()
        error = await future
        if error is not None:
            raise LogUnavailable(str(error)) from error

    def healthy(self) -> bool:
        """Would an entry be kept now? May take as long as the writer's own check; not for the event loop."""
        if self._closed or (self._failed_at is not None and self._monotonic() - self._failed_at < _UNHEALTHY_SECONDS):
            return False
        return self._writer.healthy()

    def close(self) -> None:
        """Write what waits, refuse what comes later, close the writer. Blocks until done."""
        with self._ready:
            if self._closed:
                return
            self._closed = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join()
        self._writer.close()

    def _write_groups(self) -> None:
        while True:
            with self._ready:
                while not self._waiting and not self._closed:
                    self._ready.wait()
                if not self._waiting:
                    return
                group, self._waiting = self._waiting, []
            error = self._append([entry for _, entries, _ in group for entry in entries])
            with self._ready:
                self._bytes -= sum(size for _, _, size in group)
            try:
                group[0][0].get_loop().call_soon_threadsafe(_deliver, group, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _log.warning("answers_abandoned", requests=len(group))

    def _append(self, entries: list[LogEntry]) -> LogUnavailable | None:
        try:
            self._writer.append(entries)
        except LogUnavailable as error:
            failure = error
        except Exception as error:
            _log.error("event_log_write_failed", entries=len(entries), exc_info=True)
            failure = LogUnavailable(f"the event log failed: {error}")
        else:
            self._failed_at = None
            return None
        if self._failed_at is None:
            _log.warning("event_log_unavailable", reason=str(failure), requests_answered="503, trackers send again")
        self._failed_at = self._monotonic()
        return failure


def _deliver(group: list[_Waiting], error: LogUnavailable | None) -> None:
    for future, _, _ in group:
        if not future.done():
            future.set_result(error)

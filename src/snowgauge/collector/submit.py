"""From many waiting requests to few durable writes.

``LogWriter.append`` blocks until its entries are on disk. One thread per process calls it with everything that
waits; while it is writing, the next group gathers. So a write (one fsync) is shared by all requests that arrived during
the one before, latency is at most two writes, and a group wakes the event loop once.

Everything but the write happens on the event loop, without locks. A group is handed to the thread after the loop has
run all that was ready: at the first request of many, the thread would take the interpreter from the others and write a
group of one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import observe

_log = logger("collector")

_UNHEALTHY_SECONDS = 5.0
"""How long one failed write counts against ``healthy``; without new requests nobody would find out that it is over."""

_Group = list[tuple["asyncio.Future[LogUnavailable | None]", Sequence[LogEntry]]]


class LogWriter(Protocol):
    """What the collector needs of an event log; ``delivery.contract`` says what it promises."""

    def append(self, entries: Sequence[LogEntry]) -> None: ...

    def healthy(self) -> bool: ...

    def close(self) -> None: ...


class Submitter:
    """Hands entries to the log and says when they are durable. Belongs to one event loop; owns the writer."""

    def __init__(
        self, writer: LogWriter, *, max_waiting_bytes: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer = writer
        self._max_waiting_bytes = max_waiting_bytes
        self._monotonic = monotonic
        self._waiting: _Group = []
        self._waiting_bytes = 0
        self._writing_bytes = 0
        self._writing = False
        self._closed = False
        self._failed_at: float | None = None
        self._groups: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, _Group] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def submit(self, entries: Sequence[LogEntry]) -> None:
        """Returns when the entries are durable. Raises ``LogUnavailable`` when they may not be, or too much waits."""
        if self._closed:
            raise LogUnavailable("the collector is shutting down")
        size = 0
        for entry in entries:
            size += len(entry.body)
        before = self._waiting_bytes + self._writing_bytes
        if before and before + size > self._max_waiting_bytes:
            raise LogUnavailable(
                f"{before} bytes already wait for the event log: its disk is too slow for these requests, "
                "see collector.networking.max_waiting_bytes"
            )
        loop = asyncio.get_running_loop()
        future: asyncio.Future[LogUnavailable | None] = loop.create_future()
        if not self._waiting and not self._writing:
            loop.call_soon(self._hand_over, loop)
        self._waiting.append((future, entries))
        self._waiting_bytes += size
        error = await future
        if error is not None:
            raise LogUnavailable(str(error)) from error

    def healthy(self) -> bool:
        """Would an entry be kept now? May take as long as the writer's own check; not for the event loop."""
        if self._closed or (self._failed_at is not None and self._monotonic() - self._failed_at < _UNHEALTHY_SECONDS):
            return False
        return self._writer.healthy()

    async def close(self) -> None:
        """Refuse what comes from now on, write what waits, close the writer."""
        if self._closed:
            return
        self._closed = True
        while self._waiting or self._writing:
            await asyncio.sleep(0.005)
        if self._thread is not None:
            self._groups.put(None)
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._writer.close)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give what waits to the thread, unless it is at work: then it is handed over when that is done."""
        if self._writing or not self._waiting:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_groups, name="collector-log-writer", daemon=True)
            self._thread.start()
        group, self._waiting = self._waiting, []
        self._writing_bytes, self._waiting_bytes = self._waiting_bytes, 0
        self._writing = True
        self._groups.put((loop, group))

    def _write_groups(self) -> None:
        while (work := self._groups.get()) is not None:
            loop, group = work
            error = self._append([entry for _, entries in group for entry in entries])
            try:
                loop.call_soon_threadsafe(self._deliver, loop, group, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _log.warning("answers_abandoned", requests=len(group))

    def _deliver(self, loop: asyncio.AbstractEventLoop, group: _Group, error: LogUnavailable | None) -> None:
        self._writing = False
        self._writing_bytes = 0
        self._hand_over(loop)
        for future, _ in group:
            if not future.done():
                future.set_result(error)

    def _append(self, entries: list[LogEntry]) -> LogUnavailable | None:
        started = time.perf_counter()
        try:
            self._writer.append(entries)
        except LogUnavailable as error:
            failure = error
        except Exception as error:
            _log.error("event_log_write_failed", entries=len(entries), exc_info=True)
            failure = LogUnavailable(f"the event log failed: {type(error).__name__}")
        else:
            observe("eventlog_write_seconds", time.perf_counter() - started)
            self._failed_at = None
            return None
        if self._failed_at is None:
            _log.warning("event_log_unavailable", reason=str(failure), requests_answered="503, trackers send again")
        self._failed_at = self._monotonic()
        return failure

"""Sinks beside the store, each at its own pace.

What a worker has stored waits in files of one folder, in order. Each sink has a thread and a cursor: the number of the
last file it took, in a file of its own. A file goes when the last sink has passed it, so a sink that is slow or
unreachable costs disk space and nothing else. That space is bounded: what exceeds it passes the slowest sink by, which
is counted and said.

The promise of a sink is "at least once, in order". A batch comes again after a crash between its delivery and the note
of it; it has the same id then, so that a sink which remembers ids, or makes names of them, has it once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from snowgauge.backoff import Backoff
from snowgauge.delivery import journal
from snowgauge.delivery.contract import Processed, Sink
from snowgauge.errors import SinkUnavailable
from snowgauge.store.base import StoreBatch
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, gauge

_LONGEST_PAUSE = 60.0
_log = logger("sinks")


class Followers:
    """The sinks of one worker, which alone uses ``folder``. ``keep`` takes out of a batch what may not leave any more.

    A sink that is new begins with what is put from now on.
    """

    def __init__(
        self,
        folder: Path,
        sinks: Mapping[str, Sink],
        *,
        backlog_bytes: int,
        keep: Callable[[StoreBatch], StoreBatch] = lambda batch: batch,
    ) -> None:
        self._folder = folder
        self._backlog_bytes = backlog_bytes
        self._keep = keep
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._waiting = {int(path.stem): path.stat().st_size for path in sorted(folder.glob("*.batch"))}
        self._next = max([*self._waiting, *map(_cursor, folder.glob("*.cursor"))], default=0) + 1
        self._last_id = self._id_of_last()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._places = {name: self._place(name) for name in sinks}
        self._threads = [
            threading.Thread(target=self._follow, args=(name, sink), name=f"sink-{name}", daemon=True)
            for name, sink in sinks.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, processed: Processed) -> None:
        """Keep what was stored for all sinks; durable when this returns. Raises ``OSError``."""
        if processed.batch.id == self._last_id:  # it comes again, after a crash before its commit
            return
        path = self._path(self._next)
        journal.keep(path, processed)
        with self._changed:
            self._waiting[self._next] = path.stat().st_size
            self._next += 1
            self._last_id = processed.batch.id
            self._keep_within_bounds()
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until every sink has taken everything; whether that was so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._behind(), timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Stop; what a sink has not taken waits for the next start. A delivery under way is given ``timeout`` s."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _behind(self) -> bool:
        return any(place < self._next - 1 for place in self._places.values())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.batch"

    def _id_of_last(self) -> str:
        last = journal.read(self._path(self._next - 1)) if self._next - 1 in self._waiting else None
        return "" if last is None else last.batch.id

    def _place(self, name: str) -> int:
        file = self._folder / f"{name}.cursor"
        if not file.exists():
            self._advance(name, self._next - 1)
        return _cursor(file)

    def _advance(self, name: str, number: int) -> None:
        draft = self._folder / f"{name}.cursor.new"
        draft.write_text(str(number), "utf-8")
        draft.replace(self._folder / f"{name}.cursor")

    def _follow(self, name: str, sink: Sink) -> None:
        try:
            while (number := self._wait_for_next(name)) is not None:
                processed = journal.read(self._path(number))
                if processed is None:
                    _log.error("sink_batch_unreadable", sink=name, file=self._path(number).name)
                    count("sink_batches", sink=name, result="unreadable")
                elif not self._delivered(name, sink, processed.batch):
                    return
                self._passed(name, number)
        finally:
            sink.close()

    def _wait_for_next(self, name: str) -> int | None:
        """The number of the next file for a sink; ``None`` when it is time to stop."""
        with self._changed:
            while not self._stopped.is_set():
                ahead = [number for number in self._waiting if number > self._places[name]]
                gauge("sink_waiting_batches", len(ahead), sink=name)
                if ahead:
                    return min(ahead)
                self._changed.wait()
        return None

    def _delivered(self, name: str, sink: Sink, batch: StoreBatch) -> bool:
        backoff = Backoff(longest=_LONGEST_PAUSE)
        while not self._stopped.is_set():
            try:
                sink.deliver(self._keep(batch))
            except SinkUnavailable as error:
                reason = str(error)
            except Exception as error:  # a bug of a sink must not take the worker with it, nor lose the batch
                _log.exception("sink_broken", sink=name, batch=batch.id)
                reason = f"{type(error).__name__}: {error}"
            else:
                count("sink_batches", sink=name, result="delivered")
                return True
            pause = backoff.pause()
            _log.warning("sink_away", sink=name, batch=batch.id, reason=reason, retry_in=pause)
            count("sink_batches", sink=name, result="retried")
            self._stopped.wait(pause)
        return False

    def _passed(self, name: str, number: int) -> None:
        with self._changed:
            self._move(name, number)
            self._changed.notify_all()

    def _move(self, name: str, number: int) -> None:
        self._places[name] = max(number, self._places[name])
        self._advance(name, self._places[name])
        least = min(self._places.values())
        for done in [one for one in self._waiting if one <= least]:
            self._path(done).unlink(missing_ok=True)
            del self._waiting[done]

    def _keep_within_bounds(self) -> None:
        """Let the oldest batches pass by the sinks that are slowest."""
        while sum(self._waiting.values()) > self._backlog_bytes and len(self._waiting) > 1:
            oldest = min(self._waiting)
            for name in [name for name, place in self._places.items() if place < oldest]:
                _log.error("sink_passed_by", sink=name, file=oldest, limit=self._backlog_bytes,
                           cure="make the sink reachable or faster, or raise sinks.backlog_bytes")  # fmt: skip
                count("sink_batches", sink=name, result="passed_by")
                self._move(name, oldest)


def _cursor(file: Path) -> int:
    try:
        return int(file.read_text("utf-8"))
    except ValueError:  # a crash cut it off: what is there comes again
        return 0

"""Sinks beside the store, each at its own pace.

What a worker has stored waits in files of one folder, in order. Each sink has a thread and a place: the number of the
last file it took, in a file of its own. A file goes when the last sink has passed it, so a sink that is slow or
unreachable costs disk space and nothing else. That space is bounded: what exceeds it passes the slowest sink by, which
is counted and said.

The promise of a sink is "at least once, in order". A batch comes again after a crash between its delivery and the note
of it; it has the same id then, so that a sink which remembers ids, or makes names of them, has it once. Rows that the
destination refuses become dead letters.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from snowgauge.backoff import Backoff
from snowgauge.delivery import journal
from snowgauge.delivery import place as places
from snowgauge.delivery.contract import Processed, Sink
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.delivery.place import Place, now_ms
from snowgauge.errors import SinkUnavailable, StateUnavailable
from snowgauge.store.base import StoreBatch
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, gauge

_LONGEST_PAUSE = 60.0
_LONGEST_ASKED_FOR = 3600.0
"""The longest pause that a destination can ask for, in seconds."""

_log = logger("sinks")


class Followers:
    """The sinks of one worker, which alone uses ``folder``. ``keep`` takes out of a batch what may not leave any more.

    A sink that is new begins with what is put from now on. Without ``pass_by`` nothing passes a slow sink by: ``put``
    refuses more than ``backlog_bytes``, so that batches wait in the log.
    """

    def __init__(
        self,
        folder: Path,
        sinks: Mapping[str, Sink],
        *,
        backlog_bytes: int,
        dead_letters: DeadLetters,
        keep: Callable[[StoreBatch], StoreBatch] = lambda batch: batch,
        pass_by: bool = True,
    ) -> None:
        self._folder = folder
        self._backlog_bytes = backlog_bytes
        self._dead_letters = dead_letters
        self._keep = keep
        self._pass_by = pass_by
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._waiting = {int(path.stem): path.stat().st_size for path in sorted(folder.glob("*.batch"))}
        reached = [places.read(file).number for file in folder.glob("*.cursor")]
        self._next = max([*self._waiting, *reached], default=0) + 1
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
        """Keep what was stored for all sinks; durable when this returns. Raises ``OSError`` and ``SinkUnavailable``."""
        if processed.batch.id == self._last_id:  # it comes again, after a crash before its commit
            return
        self._refuse_too_much()
        path = self._path(self._next)
        journal.keep(path, processed)
        with self._changed:
            self._waiting[self._next] = path.stat().st_size
            self._next += 1
            self._last_id = processed.batch.id
            self._keep_within_bounds()
            self._measure()
            self._changed.notify_all()

    def _refuse_too_much(self) -> None:
        with self._changed:
            waiting = sum(self._waiting.values())
        if not self._pass_by and waiting > self._backlog_bytes:
            raise SinkUnavailable(
                f"{waiting} bytes wait for the sinks, which is more than sinks.backlog_bytes = {self._backlog_bytes}"
            )

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
        return any(place.number < self._next - 1 for place in self._places.values())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.batch"

    def _id_of_last(self) -> str:
        last = journal.read(self._path(self._next - 1)) if self._next - 1 in self._waiting else None
        return "" if last is None else last.batch.id

    def _place(self, name: str) -> Place:
        file = self._cursor(name)
        if not file.exists():
            places.write(file, Place(self._next - 1))
        return places.read(file)

    def _cursor(self, name: str) -> Path:
        return self._folder / f"{name}.cursor"

    def _note(self, name: str, place: Place) -> None:
        self._places[name] = place
        places.write(self._cursor(name), place)

    def _follow(self, name: str, sink: Sink) -> None:
        backoff = Backoff(longest=_LONGEST_PAUSE)
        try:
            while (number := self._wait_for_next(name)) is not None:
                try:
                    if not self._taken(name, sink, number):
                        return
                    backoff.reset()
                except OSError as error:  # of our own disk: what was taken may come again
                    pause = backoff.pause()
                    _log.error("sink_place_not_written", sink=name, reason=str(error), retry_in=pause)
                    self._stopped.wait(pause)
        finally:
            sink.close()

    def _taken(self, name: str, sink: Sink, number: int) -> bool:
        """Hand on one file. ``False``: told to stop before the sink took it."""
        processed = journal.read(self._path(number))
        if processed is None:
            _log.error("sink_batch_unreadable", sink=name, file=self._path(number).name)
            count("sink_batches", sink=name, result="unreadable")
        elif not self._delivered(name, sink, processed.batch):
            return False
        self._passed(name, number)
        return True

    def _wait_for_next(self, name: str) -> int | None:
        """The number of the next file for a sink; ``None`` when it is time to stop."""
        with self._changed:
            while not self._stopped.is_set():
                ahead = [number for number in self._waiting if number > self._places[name].number]
                if ahead:
                    return min(ahead)
                self._changed.wait()
        return None

    def _delivered(self, name: str, sink: Sink, batch: StoreBatch) -> bool:
        backoff = Backoff(longest=_LONGEST_PAUSE)
        while not self._stopped.is_set():
            wanted = 0.0
            try:
                for refusal in sink.deliver(self._keep(batch)):
                    _log.warning("sink_refused", sink=name, letter=refusal.batch.id, reason=refusal.reason)
                    self._dead_letters.put(name, refusal)
            except StateUnavailable as error:  # who was erased cannot be said, so nothing leaves
                reason = str(error)
            except SinkUnavailable as error:
                reason, wanted = str(error), min(error.retry_after, _LONGEST_ASKED_FOR)
            except Exception as error:  # a bug of a sink must not take the worker with it, nor lose the batch
                _log.exception("sink_broken", sink=name, batch=batch.id)
                reason = f"{type(error).__name__}: {error}"
            else:
                count("sink_batches", sink=name, result="delivered")
                return True
            pause = max(backoff.pause(), wanted)
            self._in_trouble(name, reason)
            _log.warning("sink_unreachable", sink=name, batch=batch.id, reason=reason, retry_in=pause)
            count("sink_batches", sink=name, result="retried")
            self._stopped.wait(pause)
        return False

    def _in_trouble(self, name: str, reason: str) -> None:
        """Let others see why it takes nothing."""
        with self._changed:
            place = self._places[name]
            self._note(name, msgspec.structs.replace(place, trouble=reason, since=place.since or now_ms()))

    def _passed(self, name: str, number: int) -> None:
        with self._changed:
            place = self._places[name]
            moved = max(number, place.number)
            self._move(name, msgspec.structs.replace(place, number=moved, trouble="", since=0))
            self._measure()
            self._changed.notify_all()

    def _measure(self) -> None:
        for name, place in self._places.items():
            ahead = sum(number > place.number for number in self._waiting)
            gauge("sink_waiting_batches", ahead, sink=name)

    def _move(self, name: str, place: Place) -> None:
        self._note(name, place)
        least = min(one.number for one in self._places.values())
        for done in [one for one in self._waiting if one <= least]:
            self._path(done).unlink(missing_ok=True)
            del self._waiting[done]

    def _keep_within_bounds(self) -> None:
        """Let the oldest batches pass by the sinks that are slowest."""
        while self._pass_by and sum(self._waiting.values()) > self._backlog_bytes and len(self._waiting) > 1:
            oldest = min(self._waiting)
            for name, place in list(self._places.items()):
                if place.number < oldest:
                    _log.error("sink_passed_by", sink=name, file=oldest, limit=self._backlog_bytes,
                               cure="make the sink reachable or faster, or raise sinks.backlog_bytes")  # fmt: skip
                    count("sink_batches", sink=name, result="passed_by")
                    passed = place.passed_by + 1
                    self._move(
                        name, msgspec.structs.replace(place, number=oldest, passed_by=passed, passed_at=now_ms())
                    )

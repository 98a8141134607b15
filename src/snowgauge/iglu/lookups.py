"""Looks for schemas beside the work that wants them, with a bound on everything: threads, waiting keys, time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from threading import Condition

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.telemetry.logs import logger

log = logger("iglu")

_LONGEST = 1000
"""Keys that wait for a free thread."""


class Lookups:
    """``look`` is called for each key once at a time, in threads that end with the process, whatever they wait for.

    The key that was wanted most often is next: a schema that a site uses is named by one event after another, a name
    that was made up by one. Where too many wait, the one that waits longest of those wanted least is given up.
    """

    def __init__(self, look: Callable[[SchemaKey], object], threads: int, longest: int = _LONGEST) -> None:
        self._look = look
        self._threads = threads
        self._longest = longest
        self._waiting: dict[SchemaKey, int] = {}
        self._running: set[SchemaKey] = set()
        self._changed = Condition()
        self._started = 0
        self._closed = False

    def ask(self, keys: Iterable[SchemaKey]) -> None:
        """Put keys down to be looked for, or want them once more."""
        with self._changed:
            if self._closed:
                return
            for key in keys:
                if key in self._running:
                    continue
                if key not in self._waiting:
                    if len(self._waiting) >= self._longest:
                        del self._waiting[min(self._waiting, key=self._waiting.__getitem__)]
                    self._changed.notify_all()
                self._waiting[key] = self._waiting.get(key, 0) + 1
            while self._started < min(self._threads, len(self._waiting) + len(self._running)):
                self._started += 1
                threading.Thread(target=self._work, name=f"schemas-{self._started}", daemon=True).start()

    def wait(self, keys: Collection[SchemaKey], seconds: float) -> None:
        """Wait until none of the keys is being looked for, or the time is over."""
        with self._changed:
            self._changed.wait_for(
                lambda: not any(key in self._waiting or key in self._running for key in keys), timeout=seconds
            )

    def close(self) -> None:
        """Begin nothing more."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                key = max(self._waiting, key=self._waiting.__getitem__)
                del self._waiting[key]
                self._running.add(key)
            try:
                self._look(key)
            except Exception:  # one key must not cost a thread
                log.exception("lookup_broken", schema=key.uri)
            finally:
                with self._changed:
                    self._running.discard(key)
                    self._changed.notify_all()


class Allowance:
    """Time for waiting: at most ``seconds`` at once, and ``share`` of all time in the long run."""

    def __init__(self, seconds: float, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = seconds
        self._share = share
        self._clock = clock
        self._left = seconds
        self._seen = clock()

    def left(self) -> float:
        """Seconds that may be waited now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._seen) * self._share)
        self._seen = now
        return self._left

    @contextmanager
    def spent(self) -> Iterator[float]:
        """Seconds that may be waited inside; what is waited is taken off."""
        started = self._clock()
        try:
            yield self.left()
        finally:
            self._left = max(0.0, self._left - (self._clock() - started))

"""Ending what a store is reading when nobody waits for the answer any more.

One who asks puts a ``Cancellation`` around the asking; a store says, while it reads, how that is ended. Threads that a
server works in take it along with their context.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from snowgauge.errors import QueryRefused


class Cancellation:
    """Of one question, which may be several statements."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._ends: list[Callable[[], None]] = []
        self.cancelled = False

    def cancel(self) -> None:
        """End what is being read, and let nothing more of the question begin. Returns when nothing is read any more:
        a statement that the store has not begun yet cannot be ended, so it is ended again."""
        with self._lock:
            self.cancelled = True
        while ends := self._reads():
            for end in ends:
                end()
            with self._lock:
                self._lock.wait_for(lambda: not self._ends, timeout=_AGAIN)

    def _reads(self) -> list[Callable[[], None]]:
        with self._lock:
            return list(self._ends)

    @contextmanager
    def around(self) -> Iterator[None]:
        """It is the one of what is asked inside."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)

    @contextmanager
    def _reading(self, end: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            if self.cancelled:
                raise QueryRefused(CANCELLED)
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)
                self._lock.notify_all()


_AGAIN = 0.5
_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)
CANCELLED = "the question was cancelled"


@contextmanager
def ended_by(end: Callable[[], None]) -> Iterator[None]:
    """Around a statement: ``end`` stops it and is called from another thread. Raises ``QueryRefused`` where the
    question was cancelled before."""
    current = _current.get()
    if current is None:
        yield
        return
    with current._reading(end):
        yield


def cancellable() -> bool:
    """Whether the one who asks may cancel what is asked now."""
    return _current.get() is not None


def cancelled() -> bool:
    """Whether the question that is asked now was cancelled."""
    current = _current.get()
    return current is not None and current.cancelled

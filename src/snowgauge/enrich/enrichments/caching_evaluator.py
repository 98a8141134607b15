"""A cache in front of a slow or unreliable source, with the rules of enrich 6.10's caching evaluator.

A success is good for ``ttl`` seconds, an error for a tenth of it; where the source fails after it had worked, the last
success goes on being used, and the source is asked again after a tenth of the ttl.

Beside that, what enrich does not have: a source that fails again and again with an ``OSError`` (no connection, no
answer in time) is left alone for a while, whatever is asked, so that a dead service costs one timeout now and then
instead of one per event. In that time the last error is given as the answer.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_FAILURES_IN_A_ROW = 3
_LEFT_ALONE = 10.0


class Circuit:
    """Counts failures to reach a service; ``error`` is the last one while the service is left alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self._last: OSError | None = None

    @property
    def error(self) -> OSError | None:
        return self._last if self._failures >= _FAILURES_IN_A_ROW and self._clock() < self._until else None

    def failed(self, error: OSError) -> None:
        self._failures += 1
        self._last = error
        self._until = self._clock() + _LEFT_ALONE

    def worked(self) -> None:
        self._failures = 0


class _Entry(msgspec.Struct, Generic[T]):
    """``value`` is the last success, where there was one; ``error`` is set where the last try failed."""

    stored: int
    value: T | None
    error: Exception | None


class CachingEvaluator(Generic[T]):
    """Remembers ``size`` answers, least recently used first to go; size 0 remembers none.

    ``error_ttl`` is how long an error is good where that is not a tenth of ``ttl``.
    ``errors`` are the exceptions that count as an error of the source; others come through and are not remembered.
    """

    def __init__(
        self,
        size: int,
        ttl: int,
        errors: tuple[type[Exception], ...],
        clock: Callable[[], float] = time.monotonic,
        *,
        error_ttl: int | None = None,
    ) -> None:
        self._size = size
        self._ttl = ttl
        self._error_ttl = ttl // 10 if error_ttl is None else error_ttl
        self._errors = errors
        self._clock = clock
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._circuit = Circuit(clock)

    def get(self, key: Hashable, evaluate: Callable[[], T]) -> T:
        """The answer for ``key``, old or new. Raises the error of a source that never worked for this key."""
        entry = self._entries.get(key)
        now = int(self._clock())
        if entry is None or now - entry.stored > (self._ttl if entry.error is None else self._error_ttl):
            entry = self._ask(evaluate, entry, now)
            if self._size > 0:
                self._entries[key] = entry
        if self._size > 0:
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        if entry.error is not None and entry.value is None:
            raise entry.error
        return entry.value  # type: ignore[return-value]

    def _ask(self, evaluate: Callable[[], T], before: _Entry[T] | None, now: int) -> _Entry[T]:
        kept = before.value if before is not None else None
        closed = self._circuit.error
        if closed is not None:
            return _Entry(now, kept, closed)
        try:
            value = evaluate()
        except self._errors as error:
            if isinstance(error, OSError):
                self._circuit.failed(error)
            error.__traceback__ = None  # a remembered error must not keep the event alive
            return _Entry(now, kept, error)
        self._circuit.worked()
        return _Entry(now, value, None)

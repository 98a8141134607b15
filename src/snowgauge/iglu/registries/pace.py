"""How often a registry is asked: so many requests a second, with a stock for those who have been quiet."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Pace:
    """A token bucket. ``rate`` is in requests a second; ``stock`` is how many go at once after a quiet time."""

    def __init__(self, rate: float, stock: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._stock = stock
        self._clock = clock
        self._left = float(stock)
        self._seen = clock()
        self._lock = Lock()

    def turn(self) -> float:
        """Seconds to wait before the next request; the turn is taken with the question."""
        with self._lock:
            now = self._clock()
            self._left = min(self._stock, self._left + (now - self._seen) * self._rate) - 1
            self._seen = now
            return max(0.0, -self._left / self._rate)

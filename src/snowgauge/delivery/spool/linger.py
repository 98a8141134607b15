"""How long entries wait for others to be stored with.

A write costs the store much the same whatever its size, so that small batches are the dear ones: at 1,000 events a
second, a batch each 0.2 s costs the engine twice as much for an event as a batch each 0.6 s. After a pause nobody
gains by waiting longer: one event, sent to see whether it arrives, is stored at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_IN_A_ROW = 3
"""How much longer entries wait while one batch follows another."""
_PAUSE = 2 * _IN_A_ROW
"""How long without a batch is a pause. Both are multiples of the wait after one."""


class Linger:
    """Of one stream of batches."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._cut_at = float("-inf")

    def over(self, waited: float, after_pause: float) -> bool:
        """Has the first entry, which came ``waited`` seconds ago, waited long enough? ``after_pause``: how long it has
        to when no batch came before it."""
        if waited < after_pause:
            return False
        in_a_row = self._monotonic() - self._cut_at < _PAUSE * after_pause
        return not in_a_row or waited >= _IN_A_ROW * after_pause

    def cut(self) -> None:
        """A batch was made."""
        self._cut_at = self._monotonic()

"""How long to wait before what failed is tried again: longer each time, up to a limit."""

from __future__ import annotations


class Backoff:
    """``first`` and ``longest`` are seconds; each pause is twice the one before. Belongs to one thread."""

    def __init__(self, first: float = 0.1, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def pause(self) -> float:
        """Seconds to wait now."""
        now, self._next = self._next, min(self._next * 2, self._longest)
        return now

    def reset(self) -> None:
        """It worked: the next failure is a first one."""
        self._next = self._first

"""How long a statement is waited for: its own limit at most, and not at a database that answers nothing any more.

A database that hangs keeps its connections open and says nothing; its own time limits hang with it. So beside a
statement that takes long the database is asked something simple, over another connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

MARGIN = 10.0
"""Seconds that a database has beyond a limit of its own, to say that the limit is over."""


class Patience(msgspec.Struct, frozen=True):
    """``look_every`` seconds a database is asked beside a statement, and has ``answer_within`` seconds for it; one that
    has answered nothing for ``silent_for`` seconds is given up. ``longest``: seconds for statements that have no limit
    of their own."""

    look_every: float = 10.0
    answer_within: float = 5.0
    silent_for: float = 30.0
    longest: float = 6 * 3600.0


class GivenUp(TimeoutError):
    """No answer came. ``str`` says how long that was, as the end of a sentence about the database."""


class Wait:
    """For one answer. ``limit`` in seconds; ``alive`` asks the database something simple and takes seconds at most."""

    def __init__(
        self,
        patience: Patience,
        alive: Callable[[], bool],
        limit: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience
        self._alive = alive
        self._clock = clock
        self.limit = patience.longest if limit is None else limit
        self.given_up: GivenUp | None = None
        """What ``check`` raised; clients of databases make something else of it."""
        self._answered = clock()
        self._until = self._answered + self.limit
        self._look_at = self._answered + patience.look_every

    def left(self) -> float:
        """Seconds until ``check`` has something to say."""
        return max(0.0, min(self._until, self._look_at) - self._clock())

    def check(self) -> None:
        """Raises ``GivenUp`` once there is no point in waiting on."""
        now = self._clock()
        if now >= self._until:
            self._give_up(f"has not answered within {self.limit:g} s")
        if now < self._look_at:
            return
        if self._alive():
            self._answered = self._clock()
        elif (silent := self._clock() - self._answered) >= self._patience.silent_for:
            self._give_up(f"hangs: it has answered nothing for {silent:.0f} s")
        self._look_at = self._clock() + self._patience.look_every

    def _give_up(self, reason: str) -> NoReturn:
        self.given_up = GivenUp(reason)
        raise self.given_up

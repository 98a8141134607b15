"""Connections to PostgreSQL that wait for each answer as long as a ``Wait`` says: a server that hangs keeps neither
its own ``statement_timeout`` nor, while its machine is up, a time limit of TCP."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg

from snowgauge.store.patience import MARGIN, GivenUp, Patience, Wait

_Answer = TypeVar("_Answer")


class WatchedConnection(psycopg.Connection[Any]):
    """``patience`` and ``alive`` are set by the pool. ``limit`` is that of each statement, in seconds; ``None``: the
    server has none for it either."""

    patience = Patience()
    alive: Callable[[], bool] | None = None
    limit: float | None = None

    def set_limit(self, seconds: float) -> None:
        """For the statements of this transaction, at the server and here."""
        self.execute(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
        self.limit = seconds + MARGIN

    def wait(self, gen: Generator[Any, Any, _Answer], *args: Any, **more: Any) -> _Answer:
        """All of psycopg's waiting comes through here. What raises has closed the connection."""
        return super().wait(self._watched(gen), *args, **more)

    def _watched(self, gen: Generator[Any, Any, _Answer]) -> Generator[Any, Any, _Answer]:
        wait = Wait(self.patience, self.alive or (lambda: True), self.limit)
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and not wait.left():
                    wait.check()
                state = gen.send(ready)
        except StopIteration as done:
            answer: _Answer = done.value
            return answer
        except GivenUp as given_up:
            gen.close()
            self.close()
            raise psycopg.OperationalError(str(given_up)) from given_up

"""HTTP sessions (``session_id``): a handle that stays, with its settings; one request at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from snowgauge.store.clickhouse.engine.database import Database
from snowgauge.store.clickhouse.engine.exceptions import error

_MOST = 256


class _Session:
    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.lock = threading.Lock()
        self.expires = 0.0


class Sessions:
    """All sessions of the server. Beyond a limit the one unused for longest ends."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._open: dict[str, _Session] = {}

    @contextmanager
    def use(self, session_id: str, timeout: float, *, must_exist: bool) -> Iterator[Any]:
        with self._guard:
            session = self._open.get(session_id)
            if session is None:
                if must_exist:
                    raise error(372, "SESSION_NOT_FOUND", f"Session {session_id[:100]} not found")
                session = self._open[session_id] = _Session(self._database.handle())
            if not session.lock.acquire(blocking=False):
                raise error(373, "SESSION_IS_LOCKED", f"Session {session_id[:100]} is locked by a concurrent client")
            session.expires = float("inf")
        try:
            yield session.handle
        finally:
            session.expires = time.monotonic() + timeout
            session.lock.release()

    def sweep(self) -> None:
        """End the sessions whose time is over; called now and then."""
        now = time.monotonic()
        with self._guard:
            ending = [key for key, session in self._open.items() if session.expires < now]
            spare = len(self._open) - len(ending) - _MOST
            if spare > 0:
                idle = sorted((s.expires, key) for key, s in self._open.items() if now <= s.expires < float("inf"))
                ending += [key for _, key in idle[:spare]]
            for key in ending:
                self._end(self._open.pop(key))

    def close(self) -> None:
        with self._guard:
            while self._open:
                self._end(self._open.popitem()[1])

    @staticmethod
    def _end(session: _Session) -> None:
        with suppress(RuntimeError):
            session.handle.close()

"""The only module that knows how to reach PostgreSQL: a small pool over psycopg, errors translated.

A statement ends in one of three ways: it worked; ``StoreUnavailable``: the server is down, busy, read-only or not set
up, and nothing can be said about the statement; ``Refused``: the server looked at it and said no.

Connections are opened by the thread that needs one. After a failed attempt the next ones fail at once until a pause
is over, which doubles up to ten seconds, so that a server that comes back is not met by a crowd.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from snowgauge.backoff import Backoff
from snowgauge.errors import QueryRefused, SettingsError, StoreUnavailable
from snowgauge.store.patience import Patience
from snowgauge.store.postgres.results import plain_values

if TYPE_CHECKING:
    import psycopg

    from snowgauge.store.postgres.watched import WatchedConnection

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_STALE_AFTER = 15.0
_AWAY = ("08", "53", "57", "58", "28", "40", "3D", "F0")
"""Classes of SQLSTATE that speak of the server, not of the statement: connection, resources, operator, system, login,
rolled back, no such database, configuration file."""
_AWAY_CODES = frozenset(["55P03", "25006", "42501", "XX000", "XX001", "XX002"])
"""Lock not available, read-only server, not allowed, internal errors."""
_KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""A server whose machine is gone without a word is given up within half a minute, not after hours."""
QUERY_CANCELED = "57014"
UNDEFINED_TABLE = ("42P01", "3F000")
UNDEFINED_COLUMN = "42703"
UNIQUE_VIOLATION = "23505"


class Refused(QueryRefused):
    """The server refused a statement, with its SQLSTATE."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


def about_data(code: str | None) -> bool:
    """Does this SQLSTATE say that a row cannot be stored? Data exceptions, integrity, program limits."""
    return code is not None and code[:2] in ("22", "23", "54")


class Connections:
    """The pool; shared by all threads of a process. ``patience``: how long a statement is waited for."""

    def __init__(self, url: str, *, size: int, connect_timeout: float, patience: Patience | None = None) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise SettingsError(
                f"store.url means PostgreSQL, whose driver is not installed ({error}): "
                "run 'pip install \"snowgauge[postgres]\"'"
            ) from error
        try:
            self._parameters: dict[str, Any] = dict(psycopg.conninfo.conninfo_to_dict(url))
        except psycopg.ProgrammingError as error:
            raise SettingsError(f"store.url is no PostgreSQL URL: {str(error).strip()}") from None
        self.password = str(self._parameters.get("password") or "")
        self._parameters.setdefault("connect_timeout", max(2, round(connect_timeout)))
        self._parameters.setdefault("application_name", "snowgauge")
        for name, value in _KEEPALIVES.items():
            self._parameters.setdefault(name, value)
        self._wait = connect_timeout
        self._patience = patience or Patience()
        self._slots = threading.BoundedSemaphore(size)
        self._size = size
        self._lock = threading.Lock()
        self._idle: list[tuple[WatchedConnection, float]] = []
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._not_before = 0.0
        self._last_failure = ""
        host = str(self._parameters.get("host") or self._parameters.get("hostaddr") or "localhost")
        port = self._parameters.get("port")
        self.place = f"{host}{f':{port}' if port else ''}/{self._parameters.get('dbname') or ''}"

    def for_user(self, user: str, password: str, *, size: int) -> Connections:
        """A pool to the same database for another user."""
        import psycopg

        parameters = {**self._parameters, "user": user, "password": password}
        if not password:
            del parameters["password"]
        url = psycopg.conninfo.make_conninfo("", **parameters)
        return Connections(url, size=size, connect_timeout=self._wait, patience=self._patience)

    @contextmanager
    def use(self) -> Iterator[WatchedConnection]:
        """A connection, in autocommit; whatever the block leaves open is rolled back. Errors come out translated."""
        import psycopg

        if not self._slots.acquire(timeout=max(self._wait, 1)):
            raise StoreUnavailable(
                f"PostgreSQL at {self.place}: all {self._size} connections are in use (postgres.pool_size)"
            )
        try:
            connection = self._taken()
            try:
                yield connection
            except psycopg.Error as raised:
                raise self.translated(raised) from raised
            finally:
                self._put_back(connection)
        finally:
            self._slots.release()

    def translated(self, raised: psycopg.Error) -> StoreUnavailable | Refused:
        code = raised.sqlstate
        text = " ".join(filter(None, [raised.diag.message_primary, raised.diag.message_detail])) or str(raised).strip()
        if raised.diag.message_hint:
            text += f" ({raised.diag.message_hint})"
        if code == QUERY_CANCELED:
            return Refused(text, code)
        if code is None or code[:2] in _AWAY or code in _AWAY_CODES:
            return StoreUnavailable(f"PostgreSQL at {self.place}: {text[:1000]}")
        return Refused(text[:4000], code)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            with suppress(Exception):
                connection.close()

    def forget_failures(self) -> None:
        """Let the next attempt be made at once: its reason to fail may be gone."""
        with self._lock:
            self._not_before = 0.0
            self._backoff.reset()

    def _taken(self) -> WatchedConnection:
        while True:
            with self._lock:
                if not self._idle:
                    break
                connection, since = self._idle.pop()
            if connection.closed:
                continue
            if time.monotonic() - since > _STALE_AFTER:
                try:
                    connection.limit = self._wait
                    connection.execute("SELECT 1")
                    connection.limit = None
                except Exception:
                    connection.close()
                    continue
            return connection
        return self._opened()

    def _put_back(self, connection: WatchedConnection) -> None:
        if not connection.closed:
            with suppress(Exception):
                connection.rollback()
        connection.limit = None
        if connection.closed or connection.broken:
            # the server went away: those that wait are as dead
            connection.close()
            self.close()
            return
        with self._lock:
            self._idle.append((connection, time.monotonic()))

    def _opened(self) -> WatchedConnection:
        import psycopg

        from snowgauge.store.postgres.watched import WatchedConnection

        with self._lock:
            pause = self._not_before - time.monotonic()
            if pause > 0:
                raise StoreUnavailable(f"{self._last_failure}; next attempt in {pause:.1f} s")
        try:
            connection = WatchedConnection.connect(
                **self._parameters,
                autocommit=True,
                prepare_threshold=None,  # so that a pooler between us and the server does no harm
            )
            connection.patience, connection.alive = self._patience, self._answers
            connection.execute("SET TIME ZONE 'UTC'")
            connection.execute("SET client_encoding TO 'UTF8'")
            plain_values(connection)
        except psycopg.Error as raised:
            reason = str(raised).strip().replace("\n", " ")
            with self._lock:
                pause = self._backoff.pause()
                self._not_before = time.monotonic() + pause
                self._last_failure = f"PostgreSQL at {self.place} cannot be reached: {reason}"
            raise StoreUnavailable(self._last_failure) from raised
        with self._lock:
            self._not_before = 0.0
            self._backoff.reset()
        return connection

    def _answers(self) -> bool:
        """Does the server answer at all? One that says no has answered."""
        import psycopg

        from snowgauge.store.postgres.watched import WatchedConnection

        try:
            parameters = {**self._parameters, "connect_timeout": max(1, round(self._patience.answer_within))}
            with WatchedConnection.connect(**parameters, autocommit=True) as connection:
                connection.limit = self._patience.answer_within
                connection.execute("SELECT 1")
                return True
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.OperationalError as raised:
            return not isinstance(raised.__cause__, TimeoutError)
        except psycopg.Error:
            return True

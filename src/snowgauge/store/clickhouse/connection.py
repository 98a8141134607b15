"""The only module that knows clickhouse-connect: one pooled client, opened when first needed, errors translated.

A statement ends in one of three ways: it worked; ``StoreUnavailable``: the server is down, overloaded or out of space,
and nothing can be said about the statement; ``Refused``: the server looked at it and said no.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, Literal
from uuid import uuid4

import msgspec

from snowgauge.errors import QueryRefused, StoreUnavailable
from snowgauge.store.base import QueryResult
from snowgauge.store.cancelling import cancellable, ended_by
from snowgauge.store.patience import MARGIN, GivenUp, Patience, Wait
from snowgauge.store.settings import ClickHouseConnectionSettings

_BUSY = frozenset(
    [
        3, 74, 75, 76, 159, 160, 172, 198, 201, 202, 203, 204, 209, 210, 225, 236, 241, 242, 243, 252, 265, 279, 285,
        286, 289, 305, 319, 341, 373, 394, 410, 415, 416, 425, 439, 473, 499, 594, 668, 700, 712, 722, 733, 999,
    ]
)  # fmt: skip
"""Error codes that speak of the server's state, not of the statement: too many queries or parts, no memory or disk,
read-only replica, Keeper away, timeouts, cancelled."""
_KILL_SECONDS = 5.0
_importing = threading.Lock()
MEMORY_LIMIT = 241
TIMEOUT_EXCEEDED = 159
_ACCESS = frozenset([192, 193, 194, 497, 516])


class Refused(QueryRefused):
    """The server refused a statement, with ClickHouse's error code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class OutOfMemory(StoreUnavailable):
    """The statement went over a memory limit of the server."""


class OutOfTime(StoreUnavailable):
    """The statement took longer than it may."""


class Connection:
    """Shared by all threads of a process. ``pool``: connections that are kept, and how many more there may be for a
    moment; further statements wait. ``advice`` ends the message when nobody answers.

    A statement with ``max_execution_time`` is waited for a little longer than that, any other read and an insert
    ``timeout`` seconds, a change as long as the server answers others; and none at a server that answers nothing.
    """

    def __init__(
        self,
        settings: ClickHouseConnectionSettings,
        *,
        pool: tuple[int, int] = (5, 10),
        timeout: float = 300,
        advice: str = "",
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._pool_size, overflow = pool
        self._places = threading.BoundedSemaphore(self._pool_size + overflow)
        self._timeout = timeout
        self._advice = f". {advice}" if advice else ""
        self._client: Any = None
        self._pool: Any = None
        self._lock = threading.Lock()
        self.url = f"{settings.interface}://{settings.host}:{self._port}"

    @property
    def _port(self) -> int:
        return self._settings.port or (8443 if self._settings.interface == "https" else 8123)

    @property
    def version(self) -> str:
        with self._opened() as client:
            return str(client.server_version)

    def command(
        self, sql: str, settings: Mapping[str, Any] | None = None, parameters: Mapping[str, Any] | None = None
    ) -> None:
        """Run a statement without a result."""
        with self._opened(_limit(settings)) as client:
            client.command(sql, parameters=dict(parameters or {}), settings=self._known(client, settings))

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> list[list[Any]]:
        """All rows of a query, as JSON values; 64-bit integers are integers."""
        raw = self.raw(sql, "JSONCompactEachRow", parameters, settings)
        return [msgspec.json.decode(line) for line in raw.splitlines() if line]

    def table(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> QueryResult:
        """All rows of a query as JSON values, with the names and types of its columns."""
        raw = self.raw(sql, "JSONCompactEachRowWithNamesAndTypes", parameters, settings)
        lines = [msgspec.json.decode(line) for line in raw.splitlines() if line]
        return QueryResult(lines[0], lines[1], lines[2:]) if len(lines) >= 2 else QueryResult((), (), ())

    def raw(
        self,
        sql: str,
        fmt: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        """A query's result in a format of ClickHouse."""
        query_id = str(uuid4())
        with self._opened(_limit(settings) or self._timeout) as client, ended_by(lambda: self._kill(query_id)):
            known = self._known(client, {"output_format_json_quote_64bit_integers": 0, **(settings or {})})
            if cancellable():
                known["query_id"] = query_id
            return bytes(client.raw_query(sql, parameters=dict(parameters or {}), settings=known, fmt=fmt))

    def _kill(self, query_id: str) -> None:
        with suppress(StoreUnavailable, QueryRefused), self._opened(_KILL_SECONDS) as client:
            client.command(f"KILL QUERY WHERE query_id = '{query_id}' ASYNC")

    def columns(self, sql: str, settings: Mapping[str, Any] | None = None) -> dict[str, Sequence[Any]]:
        """A query's result by column, in native values. Equal texts of a LowCardinality column are one object."""
        with self._opened(_limit(settings) or self._timeout) as client:
            result = client.query(sql, settings=self._known(client, settings), column_oriented=True)
            columns = result.result_columns
            return dict(zip(result.column_names, columns, strict=True)) if columns else {}

    def stream(
        self, sql: str, fmt: str, settings: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> Iterator[bytes]:
        """As ``raw``, piece by piece."""
        with self._opened(_limit(settings) or self._timeout) as client:
            stream = client.raw_stream(
                sql, parameters=dict(parameters or {}), settings=self._known(client, settings), fmt=fmt
            )
            try:
                while piece := stream.read(262_144):
                    yield bytes(piece)
            finally:
                stream.close()

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: bytes,
        token: str,
        settings: Mapping[str, Any],
        fmt: Literal["JSONEachRow", "Native"] = "JSONEachRow",
    ) -> None:
        """Insert rows. The same token again changes nothing."""
        with self._opened(self._timeout) as client:
            client.raw_insert(
                table,
                column_names=columns,
                insert_block=rows,
                fmt=fmt,
                settings=self._known(client, {**settings, "insert_deduplication_token": token}),
            )

    def alive(self) -> bool:
        try:
            with self._opened() as client, _http().waiting(None):
                return bool(client.ping())
        except StoreUnavailable:
            return False

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                with suppress(Exception):
                    self._client.close()
            self._client = None

    @staticmethod
    def _known(client: Any, settings: Mapping[str, Any] | None) -> dict[str, Any]:
        """Settings without those that an older server does not have."""
        known = client.server_settings
        return {name: value for name, value in (settings or {}).items() if name in known}

    @contextmanager
    def _opened(self, limit: float | None = None) -> Iterator[Any]:
        """``limit``: seconds that an answer is waited for; ``None``: as long as the server answers others."""
        http = _http()
        from clickhouse_connect.driver.exceptions import ClickHouseError
        from urllib3.exceptions import HTTPError

        seconds = self._timeout if limit is None else min(limit, self._timeout)
        if not self._places.acquire(timeout=seconds):
            raise StoreUnavailable(
                f"no connection to ClickHouse at {self.url} became free in {seconds:.0f} s; "
                "see performance.db_pool_size and performance.db_pool_overflow"
            )
        try:
            with http.waiting(Wait(self._patience, self._answers, limit)):
                yield self._client or self._open()
        except GivenUp as raised:
            raise StoreUnavailable(f"ClickHouse at {self.url} {raised}") from raised
        except ClickHouseError as raised:
            raise self._translated(raised) from raised
        except (HTTPError, OSError) as raised:
            raise StoreUnavailable(f"ClickHouse at {self.url} cannot be reached: {raised}") from raised
        finally:
            self._places.release()

    def _translated(self, raised: Exception) -> Exception:
        code = getattr(raised, "code", None)
        text = str(raised).strip()
        start = text.find("DB::Exception:")
        if start >= 0:
            text = text[start + len("DB::Exception:") :].strip()
        if code in _ACCESS:
            return StoreUnavailable(
                f"ClickHouse at {self.url} does not let {self._settings.username!r} in: {text[:500]} "
                "(settings clickhouse.connection.username and .password)"
            )
        if code == TIMEOUT_EXCEEDED:
            return OutOfTime(f"ClickHouse at {self.url}: {text[:1000]}")
        if code == MEMORY_LIMIT:
            return OutOfMemory(f"ClickHouse at {self.url}: {text[:1000]}")
        if code is None and (away := _nobody_answers(raised)):
            return StoreUnavailable(f"ClickHouse at {self.url} cannot be reached: {away}{self._advice}")
        if code is None or code in _BUSY:
            return StoreUnavailable(f"ClickHouse at {self.url}: {text[:1000]}")
        return Refused(text[:4000], int(code))

    def _answers(self) -> bool:
        return bool(_http().ping(self._pool, self.url, self._patience.answer_within))

    def _open(self) -> Any:
        # who opens it gives up where the server hangs; those behind are not to do the same one after the other
        if not self._lock.acquire(timeout=self._patience.silent_for):
            raise StoreUnavailable(f"ClickHouse at {self.url} has not answered the one who opens the connection")
        try:
            if self._client is not None:
                return self._client
            import clickhouse_connect

            settings = self._settings
            tls = settings.interface == "https"
            self._pool = _http().connection_pool(
                size=self._pool_size,
                verify=settings.verify,
                ca_cert=settings.ca_cert if tls and settings.ca_cert else None,
            )
            self._client = clickhouse_connect.get_client(
                interface=settings.interface,
                host=settings.host,
                port=self._port,
                username=settings.username,
                password=settings.password.get_secret_value(),
                database=settings.database,
                connect_timeout=int(settings.connect_timeout.total_seconds()) or 1,
                send_receive_timeout=int(self._timeout),
                client_name="snowgauge",
                pool_mgr=self._pool,
                # a session would let one request run at a time
                autogenerate_session_id=False,
                # loopback gains nothing from compression; a network does
                compress=False if settings.host in ("127.0.0.1", "localhost", "::1") else "lz4",
                query_limit=0,
                query_retries=1,
                show_clickhouse_errors=True,
            )
            return self._client
        finally:
            self._lock.release()


def _http() -> ModuleType:
    """Our module over the client's, once that is whole. Its modules import each other in circles: threads that begin at
    different ones meet halves of them."""
    with _importing:
        import clickhouse_connect  # noqa: F401

        from snowgauge.store.clickhouse import pool
    return pool


def _limit(settings: Mapping[str, Any] | None) -> float | None:
    """How long to wait for a statement with these settings; ``None``: the server has no limit for it either."""
    seconds = float((settings or {}).get("max_execution_time", 0))
    return seconds + MARGIN if seconds > 0 else None


def _nobody_answers(raised: BaseException) -> str:
    """The system's reason why there is no connection; empty: there was one."""
    one: BaseException | None = raised
    for _ in range(10):
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        if one is None:
            break
        one = getattr(one, "reason", None) or one.__cause__ or one.__context__
    return ""

"""Free SQL. Reading runs in a read-only transaction with a time limit, one statement at a time: statements go through
PostgreSQL's extended protocol, which takes no second one, so nothing can end the transaction and write after it. What
read-only transactions do not hinder, the role of the connection does (``reader_role``).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from snowgauge.errors import QueryRefused, StoreUnavailable
from snowgauge.store.base import QueryResult
from snowgauge.store.cancelling import CANCELLED, cancelled, ended_by
from snowgauge.store.patience import MARGIN
from snowgauge.store.placeholders import replaced
from snowgauge.store.postgres.connection import QUERY_CANCELED, Connections, Refused
from snowgauge.store.postgres.results import check_format, encoded, plain

_PAGE = 5_000
_EXPORT_SECONDS = 3600
_GRACE = 1.0
"""Seconds after which a statement that lifted the server's own limit is cancelled from here."""
_BEFORE = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)*")
_CURSOR = ("select", "with", "values", "table")
_READ = (*_CURSOR, "show", "explain")
_OF_THE_QUERY = ("25006", "42501", "XX000", "53200", "53400", "54001")
"""States that say the server is not fit for loading, but here speak of the query: writes in a read-only transaction,
no permission, internal errors, no memory for it, a limit."""
OUT_OF_ROOM = ("53200", "53400")
"""States that say that a statement needs more memory, or more temporary files, than it may have."""
_names = count(1)
_TYPES = {
    "String": "text", "Int8": "smallint", "Int16": "smallint", "Int32": "integer", "Int64": "bigint",
    "UInt8": "smallint", "UInt16": "integer", "UInt32": "bigint", "UInt64": "numeric", "Float32": "real",
    "Float64": "double precision", "Bool": "boolean", "Date": "date", "Date32": "date", "DateTime": "timestamp",
    "DateTime64": "timestamp", "DateTime64(3)": "timestamp", "UUID": "uuid", "Array(String)": "text[]",
}  # fmt: skip


def first_word(sql: str) -> str:
    """The word a statement begins with, after comments and parentheses."""
    start = _BEFORE.match(sql)
    found = re.match(r"[a-zA-Z]+", sql[start.end() if start else 0 :])
    return found[0].lower() if found else ""


@dataclass(frozen=True)
class Limits:
    """``max_rows``: ``None``: all. ``timeout`` in seconds."""

    max_rows: int | None
    timeout: float
    read_only: bool


def query(connections: Connections, sql: str, parameters: Mapping[str, Any] | None, limits: Limits) -> QueryResult:
    """``parameters`` are written ``%(name)s``; with any, a per cent sign is written twice."""
    text = _statement(sql, read_only=limits.read_only)
    max_rows, timeout = limits.max_rows, limits.timeout
    if not limits.read_only:
        return _run(connections, text, parameters, max_rows=max_rows, timeout=timeout)
    with _reading(connections, timeout) as connection:
        if first_word(text) not in _CURSOR:
            cursor = _extended(connection, text, parameters)
            return _result(cursor, cursor.fetchall() if cursor.description else [], max_rows)
        with connection.cursor(name=f"snowgauge_{next(_names)}") as cursor:
            cursor.execute(text, parameters or None)
            rows = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows + 1)
            return _result(cursor, rows, max_rows)


def prepared(sql: str) -> str:
    """With placeholders ``{name:Type}`` as parameters of the driver. Types of ClickHouse are those of PostgreSQL that
    hold the same."""
    return replaced(
        sql, lambda one: f"%({one.name})s::{_TYPES.get(one.type, one.type)}", lambda text: text.replace("%", "%%")
    )


def export(
    connections: Connections, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None
) -> Iterator[bytes]:
    """A reading query's rows, fetched page by page. Errors of the statement are raised here, not at the first piece."""
    check_format(fmt)
    text = _statement(sql, read_only=True)
    pages = _pages(connections, text, parameters)
    names, types = next(pages)
    return encoded(fmt, names, types, pages)


def _pages(connections: Connections, text: str, parameters: Mapping[str, Any] | None) -> Iterator[Any]:
    """Names and types of the columns first, then lists of rows."""
    with _reading(connections, _EXPORT_SECONDS) as connection:
        if first_word(text) not in _CURSOR:
            cursor = _extended(connection, text, parameters)
            yield _columns(cursor)
            yield cursor.fetchall()
            return
        with connection.cursor(name=f"snowgauge_{next(_names)}") as cursor:
            cursor.execute(text, parameters or None)
            yield _columns(cursor)
            while rows := cursor.fetchmany(_PAGE):
                yield rows


def _extended(connection: Any, text: str, parameters: Mapping[str, Any] | None) -> Any:
    # results in binary form are to be had by the extended protocol only, and that is what they are asked for here
    return connection.execute(text, parameters or None, binary=True)


def _statement(sql: str, *, read_only: bool) -> str:
    text = sql.strip().rstrip(";").rstrip()
    word = first_word(text)
    if not word:
        raise QueryRefused("there is no SQL in the query")
    if read_only and word not in _READ:
        raise QueryRefused(f"only reading is allowed here ({', '.join(_READ)}), found {word.upper()}")
    return text


class _reading:  # noqa: N801 - used like a function
    """A connection inside of a read-only transaction, which is rolled back."""

    def __init__(self, connections: Connections, timeout: float) -> None:
        self._used = connections.use()
        self._timeout = timeout
        self._done = threading.Event()
        self._ending = ExitStack()

    def __enter__(self) -> Any:
        self._connection = self._used.__enter__()
        # a statement may set the server's limit for what comes after it, such as the next page; not this one
        threading.Thread(target=self._watch, args=(self._connection,), daemon=True).start()
        try:
            self._ending.enter_context(ended_by(lambda: self._cancel(self._connection)))
            self._connection.execute("BEGIN READ ONLY")
            self._connection.set_limit(self._timeout)
        except BaseException as raised:  # nobody else calls __exit__ then
            self.__exit__(type(raised), raised, raised.__traceback__)
            raise
        return self._connection

    def _watch(self, connection: Any) -> None:
        left = self._timeout + _GRACE
        while not self._done.wait(left):
            self._cancel(connection)
            left = _GRACE

    @staticmethod
    def _cancel(connection: Any) -> None:
        with suppress(Exception):
            connection.cancel_safe(timeout=_GRACE)

    def __exit__(self, kind: Any, raised: Any, trace: Any) -> None:
        self._done.set()
        self._ending.close()
        connection = self._connection
        if not connection.closed:
            connection.rollback()
            # a session's advisory locks outlive the transaction, and could stop the loaders
            connection.execute("SELECT pg_advisory_unlock_all()")
        try:
            self._used.__exit__(kind, raised, trace)
        except Refused as refused:
            if refused.code == QUERY_CANCELED and cancelled():
                raise QueryRefused(CANCELLED) from raised
            if refused.code == QUERY_CANCELED:
                raise Refused(f"the query took longer than {self._timeout:g} s: {refused}", refused.code) from raised
            raise
        except StoreUnavailable as away:
            code = getattr(raised, "sqlstate", None)
            if code in _OF_THE_QUERY:
                raise Refused(str(away), code) from raised
            raise


def _run(
    connections: Connections,
    text: str,
    parameters: Mapping[str, Any] | None,
    *,
    max_rows: int | None,
    timeout: float,
) -> QueryResult:
    with connections.use() as connection:
        try:
            connection.execute(f"SET statement_timeout = {max(1, round(timeout * 1000))}")
            connection.limit = timeout + MARGIN
            cursor = connection.execute(text, parameters or None)
            return _result(cursor, cursor.fetchall() if cursor.description else [], max_rows)
        finally:
            if not connection.closed:
                connection.rollback()
                connection.execute("RESET statement_timeout")


def _columns(cursor: Any) -> tuple[list[str], list[str]]:
    found = cursor.description or []
    types = cursor.connection.adapters.types
    return [column.name for column in found], [
        info.name if (info := types.get(column.type_code)) else "text" for column in found
    ]


def _result(cursor: Any, rows: list[Any], max_rows: int | None) -> QueryResult:
    names, _ = _columns(cursor)
    types = [column.type_display for column in cursor.description or []]
    cut = max_rows is not None and len(rows) > max_rows
    kept = rows[:max_rows] if cut else rows
    return QueryResult(names, types, [[plain(value) for value in row] for row in kept], cut)

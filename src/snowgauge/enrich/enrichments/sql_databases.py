"""Databases that the SQL query enrichment asks: one connection each, kept open, made again when it broke.

Values come back as JSON values by the rules of enrich 6.10: null, numbers, booleans and text as they are, a date as
ISO text at midnight, and everything else (json, numeric, timestamp, uuid, arrays) as its text, parsed as JSON where
it is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from snowgauge.enrich.enrichments.sql_text import translate

Value = str | int | float
_SECONDS = 5
_BROKEN_MYSQL = {2006, 2013, 2014, 2055, 4031}  # gone away, lost, out of sync, lost, closed by the server


class SqlError(Exception):
    """The database answered that the statement cannot be run, with its reason."""


class Target(msgspec.Struct, frozen=True):
    """Where a database is."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    database: str


class Database(Protocol):
    placeholders: int
    """How many ``?`` the statement has."""

    def rows(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        """Run the statement; rows by column label. Raises ``SqlError``; ``OSError`` if the database is unreachable."""

    def close(self) -> None: ...


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return text


def _number(text: str) -> Any:
    """A floating-point number; NaN and the infinities, which JSON does not have, stay text."""
    value = float(text)
    return value if value - value == 0 else text


def _date(text: str) -> str:
    return f"{text}T00:00:00.000Z"


def _timestamp(text: str) -> str:
    """As Java prints it: in UTC, with at least one digit of fraction."""
    text = text.removesuffix("+00")
    return text if "." in text else f"{text}.0"


_POSTGRESQL_TYPES: dict[int, Callable[[str], Any]] = {
    16: lambda text: text == "t",
    **dict.fromkeys((20, 21, 23), int),  # int8, int2, int4
    **dict.fromkeys((700, 701), _number),  # float4, float8
    **dict.fromkeys((18, 19, 25, 1042, 1043), str),  # char, name, text, bpchar, varchar
    1082: _date,
    1114: _timestamp,
    1184: _timestamp,
}


class PostgreSql:
    """PostgreSQL through psycopg. TLS is used without checking the certificate, as enrich does."""

    def __init__(self, target: Target, sql: str) -> None:
        self._target = target
        self._sql, self.placeholders = translate(sql)
        self._connection: Any = None

    def rows(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        import psycopg

        fresh = self._connection is None
        while True:
            try:
                return self._run(values)
            except psycopg.Error as error:
                away = self._connection is None or self._connection.closed
                if not away:
                    raise SqlError(_postgresql_text(error)) from None
                self.close()
                if fresh:
                    raise ConnectionError(_postgresql_text(error)) from None
                fresh = True

    def _run(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        if self._connection is None:
            self._connection = self._connect()
        with self._connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            result = cursor.pgresult
            if cursor.description is None:
                raise SqlError("No results were returned by the query.")
            names = [column.name for column in cursor.description]
            readers = [_POSTGRESQL_TYPES.get(result.ftype(i), _parsed) for i in range(len(names))]
            return [
                {
                    name: None
                    if (raw := result.get_value(row, i)) is None
                    else readers[i](raw.decode("utf-8", "replace"))
                    for i, name in enumerate(names)
                }
                for row in range(result.ntuples)
            ]

    def _connect(self) -> Any:
        import psycopg

        target = self._target
        connection = psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.username,
            password=target.password,
            dbname=target.database,
            sslmode="require" if target.tls else "prefer",
            connect_timeout=_SECONDS,
            tcp_user_timeout=_SECONDS * 1000,
            application_name="snowgauge",
            client_encoding="UTF8",
            autocommit=True,
        )
        connection.execute(f"SET statement_timeout = '{_SECONDS}s'")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET DateStyle = 'ISO'")
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _postgresql_text(error: Any) -> str:
    """The message as PostgreSQL's JDBC driver words it."""
    if error.diag.message_primary is None:
        return str(error).strip() or type(error).__name__
    text = f"{error.diag.severity}: {error.diag.message_primary}"
    return f"{text}\n  Position: {error.diag.statement_position}" if error.diag.statement_position else text


def _bytes_text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


_TINY, _BIT = 1, 16
_MYSQL_TYPES: dict[int, Callable[[str], Any]] = {
    **dict.fromkeys((1, 2, 3, 8, 9), int),  # tiny, short, long, longlong, int24
    **dict.fromkeys((4, 5), _number),  # float, double
    **dict.fromkeys((15, 249, 250, 251, 252, 253, 254), str),  # varchar, the texts and blobs, var_string, string
    10: _date,
    7: _timestamp,
    12: _timestamp,
}


class MySql:
    """MySQL and MariaDB through PyMySQL. ``tinyint(1)`` and ``bit(1)`` are booleans, as with JDBC."""

    def __init__(self, target: Target, sql: str) -> None:
        self._target = target
        self._sql, self.placeholders = translate(sql, mysql=True)
        self._connection: Any = None

    def rows(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        import pymysql

        fresh = self._connection is None
        while True:
            try:
                return self._run(values)
            except pymysql.MySQLError as error:
                away = self._connection is None or (error.args and error.args[0] in _BROKEN_MYSQL)
                text = str(error.args[-1]) if error.args else type(error).__name__
                if not away:
                    raise SqlError(text) from None
                self.close()
                if fresh:
                    raise ConnectionError(text) from None
                fresh = True

    def _run(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        if self._connection is None:
            self._connection = self._connect()
        with self._connection.cursor() as cursor:
            cursor.execute(self._sql, tuple(values))
            if cursor.description is None:
                raise SqlError("Can not issue data manipulation statements with executeQuery().")
            columns = [(name, _mysql_reader(kind, size)) for name, kind, _, size, *_ in cursor.description]
            return [
                {name: None if raw is None else read(raw) for (name, read), raw in zip(columns, row, strict=True)}
                for row in cursor.fetchall()
            ]

    def _connect(self) -> Any:
        import pymysql
        from pymysql.converters import encoders

        target = self._target
        tls = {"check_hostname": False, "verify_mode": "none"} if target.tls else None
        return pymysql.connect(
            host=target.host,
            port=target.port,
            user=target.username,
            password=target.password,
            database=target.database,
            ssl=tls,
            ssl_disabled=not target.tls,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=_SECONDS,
            read_timeout=_SECONDS,
            write_timeout=_SECONDS,
            conv=encoders,  # no decoders: values come as text and are read below
            init_command="SET time_zone = '+00:00'",
        )

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if connection.open:
                connection.close()


def _mysql_reader(kind: int, size: int | None) -> Callable[[Any], Any]:
    if kind == _TINY and size == 1:
        return lambda raw: _bytes_text(raw) != "0"
    if kind == _BIT:
        if size == 1:
            return lambda raw: bool(int.from_bytes(raw, "big")) if isinstance(raw, bytes) else raw not in ("\0", "0")
        return _bytes_text
    read = _MYSQL_TYPES.get(kind, _parsed)
    return lambda raw: read(_bytes_text(raw))

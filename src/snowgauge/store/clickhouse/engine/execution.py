"""Runs one request on one engine handle and gives its result piece by piece."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from typing import Any

import msgspec

from snowgauge.store.clickhouse.engine import native
from snowgauge.store.clickhouse.engine.database import Database
from snowgauge.store.clickhouse.engine.exceptions import error, from_engine
from snowgauge.store.clickhouse.engine.formats import header_of
from snowgauge.store.clickhouse.engine.guard import Limits
from snowgauge.store.clickhouse.engine.requests import Asked
from snowgauge.store.clickhouse.engine.statements import (
    Insert,
    first_word,
    needs_no_room,
    output_format,
    reads,
    split_insert,
    streams,
)
from snowgauge.store.clickhouse.native_values import sized_text, varint

_STATEMENT_LIMIT = 64 << 20
_HEAD = 1 << 20
_KILL_ID = re.compile(r"query_id\s*=\s*('(?:[^'\\]|\\.)*')", re.IGNORECASE)


class Progress(msgspec.Struct):
    """The figures of ``X-ClickHouse-Summary``."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    started: int = msgspec.field(default_factory=time.perf_counter_ns)

    def header(self) -> str:
        fields: dict[str, int] = {
            "read_rows": self.read_rows,
            "read_bytes": self.read_bytes,
            "written_rows": self.written_rows,
            "written_bytes": self.written_bytes,
            "total_rows_to_read": self.read_rows,
            "result_rows": self.result_rows,
            "result_bytes": self.result_bytes,
            "elapsed_ns": time.perf_counter_ns() - self.started,
        }
        return msgspec.json.encode({name: str(value) for name, value in fields.items()}).decode()


class Execution:
    """One statement on its way through the engine. ``format`` is known once ``pieces`` has begun."""

    def __init__(self, database: Database, asked: Asked, body: Iterator[bytes], comment: str) -> None:
        self._database = database
        self._asked = asked
        self._body = body
        self._comment = comment
        self.progress = Progress()
        self.format = asked.format

    def pieces(self, handle: Any, *, in_session: bool) -> Iterator[bytes]:
        """Run it. Raises ``EngineError``; closes what it opened, also when left half-way."""
        statement, insert, data = self._statement()
        asked = self._asked
        if not statement.strip() and insert is None:
            raise error(62, "SYNTAX_ERROR", "Syntax error: Empty query")
        self._database.guard.settings(asked.settings, self._database.limits)
        restore = self._prepare(handle, in_session=in_session)
        try:
            if insert is not None:
                if asked.read_only:
                    raise error(164, "READONLY", "Cannot execute query in readonly mode.")
                self._check(f"{insert.sql} FORMAT {insert.format}")
                yield from self._insert(handle, insert, data)
            else:
                text = statement.decode("utf-8", "surrogateescape")
                self._database.guard.single(handle, text)
                if asked.read_only:
                    self._database.guard.read_only(handle, text)
                self._check(text)
                if asked.read_only and not in_session:
                    handle.query(f"SET readonly = {asked.read_only}", "Null")
                yield from self._run(handle, statement, text)
        except RuntimeError as raised:
            raise from_engine(raised) from None
        finally:
            if restore:
                handle.query(restore, "Null")

    def _check(self, statement: str) -> None:
        limits = self._limits()
        self._database.guard.check(statement, limits, maintenance=self._asked.maintenance)

    def _limits(self) -> Limits:
        """What the statement itself may set at most. Who may only read cannot lift the time given beside it."""
        seconds = self._asked.settings.get("max_execution_time", "")
        if not self._asked.read_only or not seconds:
            return self._database.limits
        try:
            most = float(seconds)
        except ValueError:
            return self._database.limits
        return {**self._database.limits, "max_execution_time": most} if most else self._database.limits

    def _statement(self) -> tuple[bytes, Insert | None, Iterator[bytes]]:
        """The statement, and where it is an INSERT with data, the INSERT and its data."""
        query = self._asked.query
        if query:
            insert = split_insert(query)
            if insert is not None:
                return b"", insert, chain([query[insert.data_at :]], self._body)
            query += b"\n"
        head = bytearray(query)
        for piece in self._body:
            head += piece
            if len(head) >= _HEAD:
                break
        if first_word(bytes(head[:_HEAD])) == b"INSERT":
            insert = split_insert(bytes(head))
            if insert is not None:
                return b"", insert, chain([bytes(head[insert.data_at :])], self._body)
        for piece in self._body:
            head += piece
            if len(head) > _STATEMENT_LIMIT:
                raise error(298, "QUERY_IS_TOO_LARGE", f"The statement is larger than {_STATEMENT_LIMIT} bytes")
        return bytes(head), None, iter(())

    def _prepare(self, handle: Any, *, in_session: bool) -> str:
        """Apply database and settings; returns the statement that takes the settings back in a session."""
        asked = self._asked
        settings = {"log_comment": self._comment, **asked.settings}
        if asked.protocol >= native.PLAIN_COLUMNS:
            settings |= native.SETTINGS
        restore = ""
        try:
            if in_session:
                names = ", ".join(_quoted(name) for name in settings)
                rows = handle.query(
                    f"SELECT name, value, changed FROM system.settings WHERE name IN ({names})", "JSONCompactEachRow"
                )
                before = [msgspec.json.decode(line) for line in bytes(rows.bytes() or b"").splitlines()]
                restore = "SET " + ", ".join(f"{n} = {_quoted(v) if c else 'DEFAULT'}" for n, v, c in before)
            if asked.database:
                handle.query(
                    f"USE `{asked.database.replace(chr(92), chr(92) * 2).replace('`', chr(92) + '`')}`", "Null"
                )
            handle.query("SET " + ", ".join(f"{n} = {_quoted(v)}" for n, v in settings.items()), "Null")
        except RuntimeError as raised:
            raise from_engine(raised) from None
        return restore

    def _insert(self, handle: Any, insert: Insert, data: Iterator[bytes]) -> Iterator[bytes]:
        with self._database.room.needed():
            inserter = handle.send_insert(insert.sql, insert.format)
            try:
                for piece in data:
                    if piece:
                        handle.insert_append(inserter, piece)
            except BaseException:
                handle.insert_cancel(inserter)
                raise
            done = handle.insert_done(inserter)
        self.progress.written_rows = self.progress.read_rows = self.progress.result_rows = done.rows_written()
        self.progress.written_bytes = self.progress.read_bytes = self.progress.result_bytes = done.bytes_written()
        yield b""

    def _run(self, handle: Any, statement: bytes, text: str) -> Iterator[bytes]:
        parameters = self._asked.parameters
        reading = reads(statement)
        own = output_format(statement) if reading else None
        self.format = own.name if own else self._asked.format
        plain = statement[: own.at].decode("utf-8", "surrogateescape") if own else text
        header = header_of(self.format) if streams(statement) else None
        if header is None:
            if first_word(statement) == b"KILL":
                # the engine names its queries itself; ours carry the client's id in their comment
                text = _KILL_ID.sub(lambda found: f"Settings['log_comment'] = concat('http:', {found[1]})", text)
            with nullcontext() if needs_no_room(statement) else self._database.changing(statement):
                result = handle.query(text, self._asked.format, params=parameters)
            self._count(result)
            yield self._as_asked(bytes(result.bytes() or b""), one_block=False)
            return
        stream = handle.send_query(text, self.format, params=parameters)
        ended = False
        try:
            first = True
            while True:
                block = handle.streaming_fetch_result(stream)
                if block is None:
                    ended = True
                    return
                raw = bytes(block.bytes() or b"")
                self._count(block)
                if block.rows_read() == 0:
                    ended = True
                    if first:
                        yield self._as_asked(raw or self._empty(handle, plain), one_block=True)
                    return
                yield self._as_asked(raw if first else raw[header(raw) :], one_block=True)
                first = False
        finally:
            if not ended:
                handle.streaming_cancel_query(stream)

    def _as_asked(self, document: bytes, *, one_block: bool) -> bytes:
        """Native as the client's protocol has it; anything else as it is."""
        protocol = self._asked.protocol
        if not protocol or self.format.lower() != "native":
            return document
        return native.framed(document, protocol, one_block=one_block)

    def _empty(self, handle: Any, text: str) -> bytes:
        """A Native result without rows still names its columns."""
        if self.format.lower() != "native":
            return b""
        try:
            rows = handle.query(f"DESCRIBE ({text}\n)", "JSONCompactEachRow", params=self._asked.parameters)
        except RuntimeError:
            return b""  # SHOW and the like cannot be described
        columns = [msgspec.json.decode(line)[:2] for line in bytes(rows.bytes() or b"").splitlines()]
        return varint(len(columns)) + b"\0" + b"".join(sized_text(name) + sized_text(kind) for name, kind in columns)

    def _count(self, result: Any) -> None:
        self.progress.read_rows = max(self.progress.read_rows, result.storage_rows_read())
        self.progress.read_bytes = max(self.progress.read_bytes, result.storage_bytes_read())
        self.progress.result_rows += result.rows_read()
        self.progress.result_bytes += len(result)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

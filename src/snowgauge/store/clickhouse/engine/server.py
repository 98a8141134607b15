"""The HTTP server of the embedded engine: one thread for each connection, since the engine's calls block.

The library lets go of Python's lock while it works, so threads run queries in parallel; an event loop would only hand
every call to a thread. A connection whose client goes away has its query cancelled.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from snowgauge.errors import SettingsError, StoreUnavailable
from snowgauge.store.clickhouse.engine.bodies import (
    ClientGone,
    Compressor,
    accepted_encoding,
    decoded,
    limited,
    read_framed,
)
from snowgauge.store.clickhouse.engine.compressed import decompressed
from snowgauge.store.clickhouse.engine.database import Database
from snowgauge.store.clickhouse.engine.exceptions import EngineError
from snowgauge.store.clickhouse.engine.execution import Execution
from snowgauge.store.clickhouse.engine.formats import content_type
from snowgauge.store.clickhouse.engine.forms import form_fields
from snowgauge.store.clickhouse.engine.requests import Asked, asked, take_fields
from snowgauge.store.clickhouse.engine.sessions import Sessions
from snowgauge.store.settings import EngineSettings
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, observe

log = logger("clickhouse")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BUFFER = 1 << 20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 600
    server: _Server
    server_version = "snowgauge"
    sys_version = ""
    _in_blocks = False
    """Is the answer, an error too, sent in ClickHouse's compressed blocks?"""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        log.debug("http", line=format % args)

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.busy(self.connection, True)
        try:
            self._route()
        except (ClientGone, BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        finally:
            self.server.busy(self.connection, False)
            if self.server.stopping:
                self.close_connection = True

    def _route(self) -> None:
        path = urlsplit(self.path)
        self._in_blocks = False
        body = read_framed(self.rfile, self.headers)
        try:
            self._refuse_pages()
            if path.path in ("/ping", "/replicas_status"):
                self._drain(body)
                self._plain(200, b"Ok.\n")
            elif path.path in ("/", "") and self.command in ("GET", "HEAD") and not path.query:
                self._plain(200, b"Ok.\n")
            elif path.path in ("/", "") or path.path == "/query":
                self._counted(asked(self.command, path.query, self.headers, self.server.settings), body)
            else:
                self._drain(body)
                self._plain(
                    404, f"There is no handle {path.path[:200]}\n\nUse / or /ping for health checks.\n".encode()
                )
        except EngineError as raised:
            # what is left of the body is not worth reading: an insert may have gigabytes to go
            self.close_connection = self.close_connection or self._has_body()
            self._error(raised, "")

    def _has_body(self) -> bool:
        return self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers

    def _refuse_pages(self) -> None:
        """A web page must not reach the engine, by its own name for it, across origins or as a script's address."""
        host = (self.headers.get("Host") or "").rsplit("]", 1)
        name = host[0].lstrip("[") if len(host) == 2 else host[0].split(":", 1)[0]
        strange = self.server.local and bool(name) and name.lower() not in _LOOPBACK
        if strange or any(header.lower().startswith(("origin", "sec-fetch-")) for header in self.headers):
            raise EngineError(
                516,
                "Code: 516. DB::Exception: Requests of web pages are not allowed: "
                "this engine answers programs only. (AUTHENTICATION_FAILED)",
            )

    @staticmethod
    def _drain(body: Iterator[bytes]) -> None:
        for _ in body:
            pass

    def _counted(self, request: Asked, framed: Iterator[bytes]) -> None:
        started = time.perf_counter()
        try:
            self._query(request, framed)
        except EngineError:
            count("engine_queries", result="refused")
            raise
        count("engine_queries", result="done")
        observe("engine_query_seconds", time.perf_counter() - started)

    def _query(self, request: Asked, framed: Iterator[bytes]) -> None:
        server = self.server
        self._in_blocks = request.compress_blocks
        body = decoded(framed, self.headers.get("Content-Encoding") or "", server.settings.request_limit)
        if request.decompress_blocks:
            body = limited(decompressed(body), server.settings.request_limit)
        kind = self.headers.get("Content-Type") or ""
        if kind.lower().startswith("multipart/form-data"):
            take_fields(request, form_fields(kind, b"".join(body)))
        comment = f"http:{request.query_id}"
        run = Execution(server.database, request, body, request.settings.get("log_comment", comment))
        with ExitStack() as stack:
            stack.enter_context(server.database.slot())
            if request.session_id:
                handle = stack.enter_context(
                    server.sessions.use(request.session_id, request.session_timeout, must_exist=request.session_check)
                )
            else:
                handle = server.database.handle()
                stack.callback(handle.close)
            pieces = run.pieces(handle, in_session=bool(request.session_id))
            stack.callback(pieces.close)  # type: ignore[attr-defined]
            if request.read_only:
                stack.enter_context(server.watched(self.connection, comment))
            last = self._stream(request, run, pieces)
        self._drain(body)
        # the end of the answer is sent when the session is free again: the client's next request may follow at once
        self.wfile.write(last)

    def _stream(self, request: Asked, run: Execution, pieces: Iterator[bytes]) -> bytes:
        """Send the result but for its end, which is returned.

        A small result is all end, so that late errors still get their status; a large one is chunked.
        """
        held = bytearray()
        for piece in pieces:
            held += piece
            if len(held) > _BUFFER and not request.wait_end:
                break
        else:
            return self._whole(200, bytes(held), self._headers(request, run))
        encoding = "blocks" if self._in_blocks else self._encoding(request)
        compressor = Compressor(encoding) if encoding else None
        tag = uuid4().hex[:16]
        headers = {**self._headers(request, run), "Transfer-Encoding": "chunked", "X-ClickHouse-Exception-Tag": tag}
        self.wfile.write(self._head_bytes(200, headers))
        if self.command == "HEAD":
            return b""
        try:
            self._chunk(bytes(held), compressor)
            held.clear()
            for piece in pieces:
                self._chunk(piece, compressor)
        except EngineError as raised:
            # the status is sent: the text goes into the body as ClickHouse 25.11 marks it, and the stream breaks off
            text = raised.body(self.server.database.version)
            mark = b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (
                tag.encode(), text, len(text), tag.encode(),
            )  # fmt: skip
            self._chunk(mark, compressor)
            self.close_connection = True
            return b""
        if compressor:
            self._raw_chunk(compressor.end())
        return b"0\r\n\r\n"

    def _chunk(self, data: bytes, compressor: Compressor | None) -> None:
        self._raw_chunk(compressor.pack(data) if compressor else data)

    def _raw_chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _encoding(self, request: Asked) -> str:
        if not request.compress_http or request.compress_blocks:
            return ""
        return accepted_encoding(self.headers.get("Accept-Encoding") or "")

    def _headers(self, request: Asked, run: Execution) -> dict[str, str]:
        headers = {
            "Content-Type": content_type(run.format),
            "X-ClickHouse-Query-Id": _line(request.query_id),
            "X-ClickHouse-Format": _line(run.format),
            "X-ClickHouse-Timezone": self.server.database.timezone,
            "X-ClickHouse-Summary": run.progress.header(),
        }
        encoding = self._encoding(request)
        if encoding:
            headers["Content-Encoding"] = encoding
        return headers

    def _error(self, raised: EngineError, query_id: str) -> None:
        headers = {"Content-Type": "text/plain; charset=UTF-8", "X-ClickHouse-Exception-Code": str(raised.code)}
        if query_id:
            headers["X-ClickHouse-Query-Id"] = _line(query_id)
        self._send(raised.status, raised.body(self.server.database.version), headers)

    def _plain(self, status: int, text: bytes) -> None:
        self._send(status, text, {"Content-Type": "text/html; charset=UTF-8"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.wfile.write(self._whole(status, body, headers))

    def _whole(self, status: int, body: bytes, headers: dict[str, str]) -> bytes:
        encoding = headers.get("Content-Encoding") or ("blocks" if self._in_blocks else "")
        if encoding:
            compressor = Compressor(encoding)
            body = compressor.pack(body) + compressor.end()
        head = self._head_bytes(status, {**headers, "Content-Length": str(len(body))})
        return head if self.command == "HEAD" else head + body

    def _head_bytes(self, status: int, headers: dict[str, str]) -> bytes:
        reason = self.responses[status][0] if status in self.responses else ""
        everything = {
            "Date": self.date_time_string(),
            "X-ClickHouse-Server-Display-Name": "snowgauge",
            # no page makes a script, style or image of an answer
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Connection": "Close" if self.close_connection else "Keep-Alive",
            **headers,
        }
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in everything.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _line(value: str) -> str:
    return "".join(character for character in value if character.isprintable())[:200]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, settings: EngineSettings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.sessions = Sessions(database)
        self.stopping = False
        self._guard = threading.Lock()
        self._connections: dict[socket.socket, bool] = {}
        self._watched: dict[socket.socket, str] = {}
        self.address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self.local = settings.host in _LOOPBACK
        super().__init__((settings.host, settings.port), _Handler)

    def busy(self, connection: socket.socket, state: bool) -> None:
        with self._guard:
            self._connections[connection] = state

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's
        if isinstance(sys.exc_info()[1], OSError):
            return  # the client went away between two requests
        log.error("request_failed", exc_info=True)

    def watched(self, connection: socket.socket, comment: str) -> ExitStack:
        """Cancel the queries of ``comment`` if the client goes away before the returned context ends."""
        with self._guard:
            self._watched[connection] = comment
        stack = ExitStack()
        stack.callback(lambda: self._watched.pop(connection, None))
        return stack

    def look_after(self, stop: threading.Event) -> None:
        """Until stopped: cancel queries whose client is gone, end old sessions."""
        while not stop.wait(0.5):
            self.sessions.sweep()
            with self._guard:
                watched = dict(self._watched)
            if not watched:
                continue
            with suppress(OSError, ValueError):
                readable, _, _ = select.select(list(watched), [], [], 0)
                for connection in readable:
                    if connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                        self._watched.pop(connection, None)
                        self.database.kill(watched[connection])

    def drain(self, seconds: float) -> None:
        """Close idle connections, wait for busy ones."""
        self.stopping = True
        until = time.monotonic() + seconds
        while True:
            with self._guard:
                open_ones = dict(self._connections)
            for connection, is_busy in open_ones.items():
                if not is_busy:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            if not any(open_ones.values()) or time.monotonic() > until:
                return
            time.sleep(0.05)


class EngineServer:
    """The engine and its HTTP interface in this process; ``port`` is the real one when 0 was asked for.

    A process can hold one engine; starting another raises ``StoreUnavailable``.
    """

    def __init__(self, settings: EngineSettings, path: Path) -> None:
        if settings.host not in _LOOPBACK and not settings.password.get_secret_value():
            raise SettingsError(
                f"clickhouse.engine.host is {settings.host}, which other machines can reach, and no password is set: "
                "set clickhouse.engine.password, or listen on 127.0.0.1"
            )
        self._database = Database(path, settings)
        try:
            self._server = _Server(settings, self._database)
        except OSError as raised:
            self._database.close()
            raise StoreUnavailable(
                f"cannot listen on {settings.host}:{settings.port} ({raised.strerror}): "
                "set clickhouse.engine.port to a free port"
            ) from None
        self.port: int = self._server.server_address[1]
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.2,), name="clickhouse-http", daemon=True),
            threading.Thread(target=self._server.look_after, args=(self._stop,), name="clickhouse-care", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        log.info("engine_ready", port=self.port, version=self._database.version, path=str(self._database.path))

    def stop(self, seconds: float = 30) -> None:
        """Take no more requests, let running ones end, close the engine."""
        self._server.shutdown()
        self._server.server_close()
        self._server.drain(seconds)
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._server.sessions.close()
        self._database.close()
        log.info("engine_stopped", path=str(self._database.path))


def run(settings: EngineSettings, path: Path, *, stop_with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT. For the main thread of a process of its own.

    ``stop_with_parent``: stop too when the process that started this one is gone, so that a killed supervisor leaves
    no engine behind that holds the data folder.
    """
    parent = os.getppid()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server = EngineServer(settings, path)
    server.start()
    while not ended.wait(1):
        if stop_with_parent and os.getppid() != parent:
            log.warning("parent_gone", parent=parent)
            break
    server.stop()

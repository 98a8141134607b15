"""A destination on this machine that answers as it is told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Answer = tuple[int, dict[str, str], bytes]


class Destination(http.server.ThreadingHTTPServer):
    """``answer`` is asked for each request's body; ``seen`` are path, headers and body of those that got a 2xx."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.asked = 0
        self.answer: Callable[[Any], Answer] = lambda _: (200, {}, b"ok")
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.seen]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Destination

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(raw)
        self.server.asked += 1
        status, headers, text = self.server.answer(body)
        if 200 <= status < 300:
            self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()} | {"raw": raw}, body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def destination() -> Iterator[Destination]:
    made = Destination()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()

"""A schema registry on this machine whose answers a test sets."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]


class RegistryServer:
    """Serves ``schemas`` by path; ``answers`` hold, for a path or for all (``"*"``), status and body instead.

    While ``held`` is cleared no request is answered. ``requests`` are the paths and API keys of those that came.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.delay = 0.0
        self.held = threading.Event()
        self.held.set()
        self.apikey: str | None = None
        self.requests: list[tuple[str, str | None]] = []
        self._start(0)

    def _start(self, port: int) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.path, self.headers.get("apikey")))
                time.sleep(server.delay)
                server.held.wait()
                status, body = server.answer(self.path, self.headers.get("apikey"))
                try:
                    self.send_response(status)
                    if 300 <= status < 400:
                        self.send_header("Location", body.decode())
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the client has given up

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                return  # clients that hang up are part of the tests

        self._http = Server(("127.0.0.1", port), Handler)
        self.uri = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, path: str, apikey: str | None) -> Answer:
        """Status and body for a request."""
        if self.apikey is not None and apikey != self.apikey:
            return 403, b'{"message":"Authentication error: not authorized"}'
        chosen = self.answers.get(path, self.answers.get("*"))
        if isinstance(chosen, list):
            chosen = chosen.pop(0) if chosen else None
        if chosen is not None:
            return chosen
        if path in self.schemas:
            return 200, json.dumps(self.schemas[path]).encode()
        return 404, b'{"message":"The schema is not found"}'

    def put(self, uri: str, schema: Any) -> None:
        """Publish a schema."""
        self.schemas["/schemas/" + uri.removeprefix("iglu:")] = schema

    def down(self) -> None:
        """Listen no more."""
        self.held.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def up(self) -> None:
        """Listen again, at the same address."""
        self._start(self._http.server_port)

"""A registry server on this machine whose answers a test sets, and a clock that a test moves."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class RegistryServer:
    """Serves ``schemas`` by path; ``answers`` hold, for a path or for all (``"*"``), status and body instead."""

    def __init__(self):
        self.schemas = {}
        self.answers = {}
        self.delay = 0.0
        self.apikey = None
        self.requests = []
        self._start(0)

    def _start(self, port):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append((self.path, self.headers.get("apikey")))
                time.sleep(server.delay)
                status, body = server.answer(self.path, self.headers.get("apikey"))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", body.decode())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the client has given up

            def log_message(self, *args):
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                return  # clients that hang up are part of the tests

        self._http = Server(("127.0.0.1", port), Handler)
        self.uri = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, path, apikey):
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

    def put(self, uri, schema):
        self.schemas["/schemas/" + uri.removeprefix("iglu:")] = schema

    def down(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def up(self):
        self._start(self._http.server_port)


@pytest.fixture
def server():
    running = RegistryServer()
    yield running
    running.down()


class Clock:
    def __init__(self):
        self.now = 1_714_557_600.123

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()

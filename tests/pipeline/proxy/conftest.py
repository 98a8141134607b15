"""A front proxy with a backend that shows what it was sent, and Pebble as the authority."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from pathlib import Path

import psutil
import pytest

from snowgauge.errors import SettingsError
from snowgauge.pipeline.proxy import run as run_module
from snowgauge.pipeline.proxy.programs import find_program
from snowgauge.pipeline.proxy.run import FrontProxy
from snowgauge.settings.load import load
from snowgauge.testing import pebble
from snowgauge.testing.deployment import free_port, wait_until

CACHE = Path(__file__).parents[3] / ".cache" / "bin"
GOOD, OTHER, ASTRAY, NOWHERE, CONSOLE = (
    f"{name}.snowgauge.example" for name in ("good", "other", "astray", "nowhere", "console")
)


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the request as it came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        body = f"{self.server.label}\n{self.requestline}\n{self.headers}".encode() + self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class wants it so

    def log_message(self, *_):
        pass


def serve(label):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.label = label
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class Front:
    """``settings`` on top of what every test needs; ``run`` starts the proxy in a thread of its own."""

    def __init__(self, folder, collector, console):
        self.folder = folder
        self.http_port, self.https_port = free_port(), free_port()
        self.collector_port, self.console_port = collector.server_address[1], console.server_address[1]
        self.events = []
        self._running = []

    def settings(self, **tls):
        flags = {
            "collector.port": self.collector_port,
            "console.port": self.console_port,
            "tls.http_port": self.http_port,
            "tls.https_port": self.https_port,
            "tls.interface": "127.0.0.1",
            **{f"tls.{key.replace('__', '.')}": value for key, value in tls.items()},
        }
        return load(flags=[f"{key}={value}" for key, value in flags.items()], folder=self.folder).settings

    def start(self, settings):
        made = Run(self, settings)
        self._running.append(made)
        made.start()
        return made

    def stop_all(self):
        """At once: how it stops in order is another test's subject."""
        for running in self._running:
            running.kill()

    def told(self, event, **fields):
        return [said for said in self.events if said["event"] == event and fields.items() <= said.items()]

    def wait_told(self, event, within=180, **fields):
        wait_until(
            lambda: bool(self.told(event, **fields)), f"{event} {fields}; told were {self.events}", within=within
        )
        return self.told(event, **fields)[0]

    def ask(self, context, name, request, *, alpn=("http/1.1",)):
        """Send a request as bytes over TLS under a name; the whole answer as text."""
        context.set_alpn_protocols(list(alpn))
        with (
            socket.create_connection(("127.0.0.1", self.https_port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            secure.sendall(request)
            return read_all(secure)

    def get(self, context, name, target="/", *headers):
        head = "".join(f"{header}\r\n" for header in headers)
        return self.ask(
            context, name, f"GET {target} HTTP/1.1\r\nHost: {name}\r\n{head}Connection: close\r\n\r\n".encode()
        )

    def get_plain(self, name, target="/", method="GET"):
        with socket.create_connection(("127.0.0.1", self.http_port), timeout=10) as plain:
            plain.sendall(
                f"{method} {target} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
            )
            return read_all(plain)

    def served(self, name):
        """Serial number of the certificate served for a name, whoever signed it; ``None`` without one."""
        from cryptography import x509

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", self.https_port), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname=name) as secure,
            ):
                found = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True))
        except OSError:
            return None
        # until it has read its routes Traefik shows one that it made itself
        return None if "TRAEFIK DEFAULT" in found.subject.rfc4514_string() else found.serial_number


def read_all(connection):
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received.decode("latin-1")


class Run:
    def __init__(self, front, settings):
        self.proxy = FrontProxy(settings, front.folder, {"PATH": "/usr/bin:/bin", "HOME": str(front.folder)})
        self._stop = threading.Event()
        self._ready = threading.Event()
        self.error = None
        self._thread = threading.Thread(target=self._work)

    def _work(self):
        try:
            self.proxy.run(self._stop, self._ready.set)
        except Exception as error:
            self.error = error
            self._ready.set()

    def start(self):
        self._thread.start()
        assert self._ready.wait(30)
        assert self.error is None, self.error

    def stop(self):
        self._stop.set()
        self._thread.join()

    def kill(self):
        for child in psutil.Process().children():
            if child.name() in ("traefik", "caddy"):
                child.kill()
        self.stop()


class Told:
    """In place of the log: what was said, to ask for it."""

    def __init__(self, events):
        self._events = events

    def __getattr__(self, level):
        return lambda event, **fields: self._events.append({"level": level, "event": event, **fields})


@pytest.fixture(scope="session")
def backends():
    servers = [serve("collector"), serve("console")]
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def front(tmp_path, backends, monkeypatch):
    made = Front(tmp_path, *backends)
    monkeypatch.setattr(run_module, "_log", Told(made.events))
    yield made
    made.stop_all()


@pytest.fixture(params=["traefik", "caddy"])
def program(request):
    needs(request.param)
    return request.param


@pytest.fixture
def traefik():
    needs("traefik")


def needs(name):
    import os

    from snowgauge.settings.tls import TlsSettings

    try:
        find_program(TlsSettings(proxy=name), os.environ)
    except SettingsError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def authority(front, tmp_path):
    """Pebble, which asks this front's ports."""
    missing = pebble.missing(CACHE)
    if missing:
        pytest.skip(missing)
    with pebble.Pebble(
        tmp_path / "pebble", http_port=front.http_port, https_port=front.https_port, cache=CACHE
    ) as made:
        yield made


def ordering(authority, *names, **more):
    """Settings that order from the authority of the tests."""
    return {
        "domains": ",".join(names),
        "acme__directory": authority.directory,
        "acme__ca_certificates": authority.ca_file,
        **more,
    }


@pytest.fixture
def order_from():
    return ordering

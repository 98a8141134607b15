"""Clients that send byte by byte, as many as there may be: each is cut off, and nobody waits for them for ever."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack, suppress

import pytest

from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = pytest.mark.e2e
MOST = 4


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A collector with room for few connections, and little patience."""
    settings = {
        "collector.interface": "127.0.0.1",
        "collector.networking.max_connections": str(MOST),
        "collector.networking.idle_timeout": "1 s",
        "collector.networking.response_header_timeout": "1 s",
        "collector.networking.http2_without_tls": "false",
        "collector.pre_termination_period": "0",
    }
    deployment = Deployment(tmp_path_factory.mktemp("slow") / "data", settings)
    process = deployment.role("collector", "--port", str(deployment.port), folder="data")
    try:
        wait_until(deployment.collector_up, "the collector answers")
        yield deployment.port
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /i?e=pv HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /com.acme/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        b"",
    ],
    ids=["head", "body", "nothing"],
)
def test_who_waits_behind_slow_clients_is_served(port, beginning):
    with ExitStack() as held:

        def connect():
            return held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))

        slow = [connect() for _ in range(MOST)]
        for connection in slow:
            connection.sendall(beginning)
        honest = connect()
        honest.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        while not select.select([honest], [], [], 0.1)[0]:
            for connection in slow:
                if beginning:
                    with suppress(OSError):
                        connection.sendall(b"a")
        assert honest.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /i?" + b"a" * 30_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET /i HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 50_000 + b"\r\n\r\n", b"400"),
        (b"POST /com.acme/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n", b"413"),
    ],
    ids=["request line", "headers", "body"],
)
def test_what_is_too_large_is_refused(port, request_bytes, status):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)

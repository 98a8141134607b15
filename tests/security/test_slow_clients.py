"""Clients that send byte by byte or nothing, as many as there may be: nobody waits for them for ever."""

from __future__ import annotations

import select
import socket
import sys
from contextlib import ExitStack, contextmanager, suppress

import pytest

from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = pytest.mark.e2e
MOST = 4


HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_GET_HEALTH = b"\x82\x86\x04\x07/health\x01\x09localhost"
HEALTH_2 = bytes([0, 0, len(_GET_HEALTH), 1, 5, 0, 0, 0, 1]) + _GET_HEALTH
"""The same request as a HEADERS frame of HTTP/2."""


def headers_frame(stream):
    """The beginning of a HEADERS frame of 200 bytes."""
    return bytes([0, 0, 200, 1, 5, 0, 0, 0, stream, 0x82, 0x86])


@contextmanager
def collector(folder, **networking):
    """A collector with room for few connections."""
    settings = {"interface": "127.0.0.1", "networking.max_connections": str(MOST), "pre_termination_period": "0"}
    settings |= {f"networking.{name}": value for name, value in networking.items()}
    deployment = Deployment(folder / "data", {f"collector.{name}": value for name, value in settings.items()})
    process = deployment.role("collector", "--port", str(deployment.port), folder="data")
    try:
        wait_until(deployment.collector_up, "the collector answers")
        yield deployment.port
    finally:
        process.terminate()
        process.wait(60)


IMPATIENT = {"head_timeout": "1 s", "idle_timeout": "1 s", "response_header_timeout": "1 s"}


@pytest.fixture(scope="module", params=["true", "false"], ids=["both versions", "HTTP/1 only"])
def port(request, tmp_path_factory):
    with collector(tmp_path_factory.mktemp("slow"), http2_without_tls=request.param, **IMPATIENT) as port:
        yield port


def fill(held, port, beginning):
    """Take every place."""
    slow = [connect(held, port) for _ in range(MOST)]
    for connection in slow:
        connection.sendall(beginning)
    return slow


def connect(held, port):
    return held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))


def answered(connection, slow, more=b""):
    """The answer to an honest request, while the slow clients go on sending."""
    connection.sendall(HEALTH)
    while not select.select([connection], [], [], 0.1)[0]:
        for each in slow:
            if more:
                with suppress(OSError):
                    each.sendall(more)
    return connection.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"GET /i?e=pv HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"a"),
        (b"POST /com.acme/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (b"", b""),
        (b"P", b""),
        (PREFACE, b""),
        (PREFACE, bytes([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])),
        (PREFACE + headers_frame(1), b"a"),
        (PREFACE + HEALTH_2 + headers_frame(3), b"a"),
    ],
    ids=[
        "head",
        "body",
        "nothing",
        "half a version",
        "HTTP/2 without a request",
        "HTTP/2 with pings",
        "HTTP/2 head",
        "further HTTP/2 head",
    ],
)
def test_who_waits_behind_slow_clients_is_served(port, beginning, more):
    with ExitStack() as held:
        slow = fill(held, port, beginning)
        assert answered(connect(held, port), slow, more)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """Time for everything: only the want of places can end a connection."""
    long = dict.fromkeys(("head_timeout", "idle_timeout", "response_header_timeout"), "1 hour")
    with collector(tmp_path_factory.mktemp("patient"), **long) as port:
        yield port


@pytest.mark.parametrize("beginning", [b"", HEALTH, HEALTH + b"GET /i HTTP/1.1\r\nX-Slow: "])
def test_where_every_place_is_taken_the_silent_make_room(patient, beginning):
    with ExitStack() as held:
        slow = fill(held, patient, beginning)
        assert answered(connect(held, patient), slow)


@pytest.mark.parametrize("timeout", ["1 s", "1 hour"])
def test_the_private_port_is_not_shut_by_silent_connections(tmp_path, timeout):
    settings = {"console.max_connections": str(MOST), "console.idle_timeout": timeout}
    deployment = Deployment(tmp_path / "data", settings)
    process = deployment.role("console", folder="data")
    try:
        wait_until(lambda: deployment.answers(deployment.console_port), "the console answers")
        for beginning in (b"", PREFACE, HEALTH):
            with ExitStack() as held:
                slow = fill(held, deployment.console_port, beginning)
                assert answered(connect(held, deployment.console_port), slow)
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize("named", ["true", "false"])
def test_connections_of_one_address_are_limited_unless_it_is_a_proxy_of_ours(tmp_path, named):
    settings = {
        "collector.interface": "127.0.0.1",
        "collector.networking.max_connections_per_address": "2",
        "security.trust_proxy_headers": named,
        "collector.pre_termination_period": "0",
    }
    deployment = Deployment(tmp_path / "data", settings)
    process = deployment.role("collector", "--port", str(deployment.port), folder="data")
    try:
        wait_until(deployment.collector_up, "the collector answers")
        with ExitStack() as held:
            silent = [connect(held, deployment.port) for _ in range(6)]
            if named == "true":
                assert all(answered(connection, []) for connection in silent)
            else:
                wait_until(lambda: len(select.select(silent, [], [], 1)[0]) == 4, "what is too many is closed")
                assert [connection.recv(1) for connection in silent[:4]] == [b""] * 4
                assert all(answered(connection, []) for connection in silent[4:])
    finally:
        process.terminate()
        process.wait(60)


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


def test_a_further_head_of_http_2_that_drips_is_ended_as_an_idle_connection_is(tmp_path):
    """Whatever comes, a connection without a request is idle: over HTTP/2 pings come as well, and are no request."""
    long = dict.fromkeys(("head_timeout", "response_header_timeout"), "1 hour")
    with collector(tmp_path, idle_timeout="1 s", **long) as port, ExitStack() as held:
        dripping = connect(held, port)
        dripping.sendall(PREFACE + HEALTH_2)
        said = b""
        while b"ok" not in said:
            piece = dripping.recv(4096)
            assert piece, said
            said += piece
        dripping.sendall(headers_frame(3))

        def ended():
            try:
                dripping.sendall(b"a")
                return bool(select.select([dripping], [], [], 0)[0]) and dripping.recv(4096) == b""
            except OSError:
                return True

        wait_until(ended, "the dripping connection is ended")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when data came in last")
def test_a_further_head_that_drips_is_ended_and_a_silent_connection_stays(tmp_path):
    long = dict.fromkeys(("idle_timeout", "response_header_timeout"), "1 hour")
    with collector(tmp_path, head_timeout="1 s", **long) as port, ExitStack() as held:
        silent, dripping = connect(held, port), connect(held, port)
        assert answered(silent, [])
        assert answered(dripping, [])
        dripping.sendall(b"GET /i?e=pv HTTP/1.1\r\nHost: x\r\nX-Slow: ")

        def ended():
            with suppress(OSError):
                dripping.sendall(b"a")
                if not select.select([dripping], [], [], 0)[0]:
                    return False
                return dripping.recv(4096) == b""
            return True

        wait_until(ended, "the dripping connection is ended")
        assert answered(silent, [])

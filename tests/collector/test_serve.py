"""The collector on its real server, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvloop

from snowgauge.collector.serve import serve
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.errors import SettingsError
from snowgauge.events.payload_record import decode
from snowgauge.testing.deployment import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    def __init__(self, port, log):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    @property
    def kept(self):
        return [decode(entry.body) for entry in self.log.peek()]

    def raw(self, data: bytes, *, end: bool = False) -> bytes:
        """Send bytes, read until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.3)
            got = b""
            with contextlib.suppress(OSError):
                while part := connection.recv(65536):
                    got += part
            return got


@contextmanager
def serving(log=None, **settings):
    log = log or MemoryLog()
    port = free_port()
    made = CollectorSettings.model_validate(
        {"interface": "127.0.0.1", "port": port, "pre_termination_period": 0, **settings}
    )
    ready, failed = threading.Event(), []
    loop = uvloop.new_event_loop()
    stop = asyncio.Event()

    def work():
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(serve(made, log.writer(), stop=stop, ready=ready.set))
        except BaseException as error:
            failed.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(10), failed
        yield Served(port, log)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()
        assert not failed


@pytest.fixture(scope="module")
def served():
    with serving() as it:
        yield it


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_both_versions_of_http(served, http2):
    before = len(served.kept)
    with httpx.Client(http1=not http2, http2=http2, base_url=served.url) as client:
        for number in range(20):
            target = f"/com.acme/v1?n={number}&raw=%zz%C3%A9+%2f"
            answer = client.post(target, content=b'{"a":"\xe2\x98\x83"}', headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.content) == (200, b"ok")
            assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        pixel = client.get("/i?e=pv", headers={"Origin": "https://a.example", "X-Forwarded-For": "198.51.100.4"})
        assert len(pixel.content) == 43
        assert pixel.headers["access-control-allow-origin"] == "https://a.example"
        assert client.head("/i").content == b""
        assert client.options("/anything").status_code == 200
        assert client.get("/sink-health").text == "ok"
    kept = served.kept[before:]
    assert [p.querystring for p in kept[:20]] == [f"n={n}&raw=%zz%C3%A9+%2f" for n in range(20)]
    assert {p.body for p in kept[:20]} == {'{"a":"☃"}'}
    assert kept[20].ip_address == "198.51.100.4"
    assert any(header.startswith("Host: 127.0.0.1:") for header in kept[20].headers)
    assert len(kept) == 22


def test_keep_alive_and_chunked_bodies(served):
    before = len(served.kept)
    head = b"POST /a/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = served.raw((head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") * 3)
    assert got.count(b"HTTP/1.1 200") == 3
    assert [p.body for p in served.kept[before:]] == ["abcde"] * 3


@pytest.mark.parametrize(
    ("request_bytes", "kept"),
    [
        (b"GET /i?a=\"{}|`^ HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET /i?a=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET /\xff/\xfe HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET http://h.example/i?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", 1),
        (b"GET /i HTTP/1.0\r\n\r\n", 1),
        (b"GET /i HTTP/1.1\r\nHost: x\r\nCookie: \xff\xfe; sp=\xe9\r\n\r\n", 1),
        (b"GET /i HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n", None),
        (b"GET /i HTTP/9.9\r\n\r\n", 0),
        (b"\x00\x01\x02\r\n\r\n", 0),
        (b"GET\r\n\r\n", 0),
        (b"* * *\r\n\r\n", 0),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", 0),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 0),
        (b"GET /i?" + b"a" * 600_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 0),
        (b"GET /i HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n", 0),
        (b"GET /i HTTP/1.1\r\nX: " + b"y" * 50_000 + b"\r\n\r\n", 0),
        (b"POST /a/b HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 0),
        (b"POST /a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 0),
        (b"POST /a/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0),
        (b"POST /a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 0),
        (b"POST /a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab", 0),
        (b"GET /i HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", 1),
    ],
)  # fmt: skip
def test_hostile_requests_never_get_500(served, request_bytes, kept):
    before = len(served.kept)
    # a client that closes its side is gone for the server: only the one that breaks off does so
    got = served.raw(request_bytes, end=request_bytes.endswith(b"\r\n\r\nab"))
    assert b"HTTP/1.1 500" not in got
    assert b"HTTP/1.0 500" not in got
    acknowledged = got.count(b"200 OK\r\n") if not request_bytes.startswith(b"OPTIONS") else 0
    assert len(served.kept) - before >= acknowledged
    if kept is not None:
        assert len(served.kept) - before == kept
    assert httpx.get(served.url + "/health").text == "ok"


def test_large_bodies_and_bombs_are_refused(served):
    before = len(served.kept)
    with httpx.Client(base_url=served.url) as client:
        assert client.post("/a/b", content=b"x" * 2_097_152).status_code == 413
        assert client.post("/a/b", content=iter([b"x" * 100_000] * 30)).status_code == 413
        bomb = gzip.compress(b"\0" * 100_000_000)
        assert client.post("/a/b", content=bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
        assert client.post("/a/b", content=b"fine").status_code == 200
    assert len(served.kept) == before + 1


def test_slow_clients_are_timed_out_and_idle_ones_closed():
    with serving(networking={"response_header_timeout": "300 ms", "idle_timeout": "1 s"}) as served:
        head = b"POST /a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            connection.sendall(head)
            assert connection.recv(4096).startswith(b"HTTP/1.1 408")
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in connection.recv(4096)
            assert connection.recv(4096) == b""
        assert served.kept == []


def test_requests_under_way_are_finished_when_stopping():
    under_way = threading.Event()

    class Slow(MemoryLog):
        def _append(self, entries):
            under_way.set()
            time.sleep(0.5)
            super()._append(entries)

    answers = []
    log = Slow()
    with serving(log) as served:
        client = threading.Thread(target=lambda: answers.append(httpx.post(served.url + "/a/b", content=b"x")))
        client.start()
        assert under_way.wait(30)
    client.join()
    assert answers[0].status_code == 200
    assert log.stats().entries == 1


@pytest.fixture
def certificate(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"certificate": chain, "private_key": key}


def test_https_with_plain_http_sent_on_to_it(certificate):
    settings = {"enable": True, "redirect": True, "port": free_port(), **certificate}
    with serving(ssl=settings, hsts={"enable": True}) as served:
        trusted = ssl.create_default_context(cafile=str(certificate["certificate"]))
        with httpx.Client(verify=trusted, http2=True, follow_redirects=True) as client:
            answer = client.post(served.url + "/a/b?x=1", content=b"sent twice")
        assert (answer.status_code, str(answer.url)) == (200, f"https://127.0.0.1:{settings['port']}/a/b?x=1")
        assert answer.http_version == "HTTP/2"
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert [p.body for p in served.kept] == ["sent twice"]


def test_a_handshake_that_does_not_begin_is_ended(certificate):
    settings = {"enable": True, "port": free_port(), **certificate}
    with serving(ssl=settings, networking={"head_timeout": "300 ms", "max_connections": 1}, port=settings["port"]):
        trusted = ssl.create_default_context(cafile=str(certificate["certificate"]))
        for beginning in (b"", b"\x16\x03\x01"):
            with socket.create_connection(("127.0.0.1", settings["port"]), timeout=60) as silent:
                silent.sendall(beginning)
                assert (
                    httpx.get(f"https://127.0.0.1:{settings['port']}/health", verify=trusted, timeout=60).text == "ok"
                )


@pytest.mark.parametrize("interface", ["::", "::1"])
def test_a_connection_that_speaks_is_known_by_either_family(interface):
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with serving(interface=interface, networking={"head_timeout": "200 ms"}) as served:
        for host in ("127.0.0.1", "::1")[interface == "::1" :]:
            with (
                socket.create_connection((host, served.port), timeout=60) as speaks,
                socket.create_connection((host, served.port), timeout=60) as silent,
            ):
                for last in (False, True):
                    speaks.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = b""
                    while not answer.endswith(b"ok"):
                        part = speaks.recv(4096)
                        assert part
                        answer += part
                    assert last or silent.recv(1) == b""  # from now on the other is older than its time, too


def test_an_address_that_is_none():
    settings = CollectorSettings(interface="no such host", port=1)
    with pytest.raises(SettingsError, match=r"collector\.interface"):
        asyncio.run(serve(settings, MemoryLog().writer(), stop=asyncio.Event()))


def test_a_port_that_another_program_has():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = CollectorSettings(interface="127.0.0.1", port=other.getsockname()[1], pre_termination_period=0)
        with pytest.raises(SettingsError, match=r"collector\.port"):
            asyncio.run(serve(settings, MemoryLog().writer(), stop=asyncio.Event()))


@contextmanager
def collector_process(folder, period):
    """A collector of its own process, and its address."""
    port = free_port()
    program = folder / "collector.py"
    program.write_text(
        "from snowgauge.collector.serve import run\n"
        "from snowgauge.collector.settings import CollectorSettings\n"
        "from snowgauge.delivery.memory import MemoryLog\n"
        f"run(CollectorSettings(interface='localhost', port={port}, pre_termination_period='{period}',\n"
        "                      pre_termination_unhealthy=True),\n"
        "    MemoryLog().writer(), ready=lambda: print('ready', flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process, f"http://localhost:{port}"
    finally:
        process.kill()
        process.communicate()


def test_sigterm_keeps_serving_for_the_period(tmp_path):
    with collector_process(tmp_path, "5 minutes") as (process, url):
        assert [httpx.get(url + path).status_code for path in ("/i", "/health", "/sink-health")] == [200] * 3
        process.terminate()
        wait_until(lambda: httpx.get(url + "/health").status_code == 503, "it says that it goes")
        assert [httpx.get(url + path).status_code for path in ("/i", "/health", "/sink-health")] == [200, 503, 503]
        assert process.poll() is None


def test_sigterm_ends_it_well_after_the_period(tmp_path):
    with collector_process(tmp_path, "200 ms") as (process, url):
        assert httpx.get(url + "/i").status_code == 200
        process.terminate()
        _, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
        assert b"Traceback" not in err

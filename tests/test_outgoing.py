"""Outgoing HTTP against a real server on this machine, and the guard against reaching it."""

import http.server
import ipaddress
import socket
import threading

import pytest

from snowgauge import outgoing
from snowgauge.outgoing import HttpClient, PrivateAddress, is_public


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one(self):
        length = int(self.headers.get("content-length") or 0)
        self.server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, headers, body = self.server.answers.pop(0) if self.server.answers else (200, {}, b"ok")
        if callable(body):
            body = body()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = handle_one  # noqa: N815

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.seen, made.answers = [], []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{made.server_address[1]}"
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def client():
    waits = []
    made = HttpClient(timeout=60, allow_private_hosts=True, sleep=waits.append)
    made.waits = waits
    yield made
    made.close()


def test_it_sends_what_it_was_given(server, client):
    answer = client("post", f"{server.url}/a?b=c", headers={"X-One": "1"}, body=b"{}", auth=("u", "p"))
    assert answer == (200, b"ok")
    ((method, path, headers, body),) = server.seen
    assert (method, path, body) == ("POST", "/a?b=c", b"{}")
    assert headers["x-one"] == "1"
    assert headers["authorization"] == "Basic dTpw"
    assert headers["host"] == server.url.removeprefix("http://")


def test_connections_are_reused(server, client):
    for _ in range(3):
        client("GET", server.url)
    assert len(client._pool.connections) == 1


def test_a_get_is_repeated_after_5xx_with_growing_waits(server, client):
    server.answers = [(503, {}, b""), (500, {}, b""), (200, {}, b"at last")]
    assert client("GET", server.url) == (200, b"at last")
    assert len(client.waits) == 2


def test_the_last_5xx_is_the_answer(server, client):
    server.answers = [(503, {}, b"1"), (503, {}, b"2"), (503, {}, b"3")]
    assert client("GET", server.url) == (503, b"3")


def test_a_post_is_not_repeated_after_5xx(server, client):
    server.answers = [(503, {}, b"no")]
    assert client("POST", server.url, body=b"x") == (503, b"no")
    assert len(server.seen) == 1


def test_4xx_is_an_answer(server, client):
    server.answers = [(404, {}, b"no")]
    assert client("GET", server.url) == (404, b"no")


def test_an_answer_that_is_too_large_is_not_read(server, client):
    server.answers = [(200, {}, b"x" * 3_000_000)]
    with pytest.raises(OSError, match="larger than 1048576 bytes"):
        client("GET", server.url)


def test_a_slow_answer_is_given_up(server, client):
    release = threading.Event()
    server.answers = [(200, {}, lambda: release.wait(5) and b"")] * 3
    with pytest.raises(OSError, match="no answer in time"):
        client("GET", server.url, timeout=0.05)
    release.set()


def test_a_server_that_is_not_there_is_tried_again_and_reported(client):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/x?key=secret"
        with pytest.raises(OSError, match="no connection") as caught:
            client("GET", url)
    assert len(client.waits) == 2
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://x.example", "x", "http://", "file:///etc/passwd", "http://a\nb/", "//x"])
def test_other_addresses_are_refused(client, url):
    with pytest.raises(OSError, match="address"):
        client("GET", url)


def test_redirects_are_answers_unless_asked_for(server, client):
    server.answers = [(302, {"Location": "/next"}, b"")] * 2
    assert client("GET", server.url)[0] == 302
    assert client.ask("GET", server.url, redirects=3).status == 200
    assert server.seen[-1][1] == "/next"


def test_credentials_stay_with_their_host(server, client):
    port = server.server_address[1]
    server.answers = [(302, {"Location": f"http://localhost:{port}/x"}, b"")]
    client.ask("GET", server.url, redirects=1, auth=("u", "p"))
    assert "authorization" in server.seen[0][2]
    assert "authorization" not in server.seen[1][2]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_of_the_inside(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_world(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"],
)
def test_the_guard_is_on_unless_switched_off(server, host):
    guarded = HttpClient(timeout=1, retries=0, private_hosts_cure="set a.b to true")
    with pytest.raises(OSError, match=r"not a public address; set a\.b to true|could not be resolved"):
        guarded("GET", f"http://{host}:{server.server_address[1]}/")
    guarded.close()
    assert server.seen == []


def test_a_redirect_is_checked_as_well(server, monkeypatch):
    """The first address is let through as if it were public; where it redirects to is not."""
    port = server.server_address[1]
    real = outgoing.is_public
    monkeypatch.setattr(outgoing, "is_public", lambda address: str(address) == "127.0.0.1" or real(address))
    server.answers = [(302, {"Location": f"http://127.0.0.2:{port}/inside"}, b"")]
    guarded = HttpClient(timeout=1, retries=0)
    with pytest.raises(PrivateAddress, match=r"127\.0\.0\.2"):
        guarded.ask("GET", f"http://127.0.0.1:{port}/", redirects=3)
    guarded.close()
    assert [seen[1] for seen in server.seen] == ["/"]


def test_the_connection_goes_to_the_address_that_was_checked(server, monkeypatch):
    """A name that resolves differently the second time is resolved once only."""
    answers = iter(["127.0.0.1", "127.0.0.9"])
    monkeypatch.setattr(outgoing, "is_public", lambda address: True)

    def resolve(host, port, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    seen = []
    real = outgoing.httpcore.SyncBackend.connect_tcp

    def connect(self, host, *rest, **more):
        seen.append(host)
        monkeypatch.undo()
        return real(self, host, *rest, **more)

    monkeypatch.setattr(outgoing.httpcore.SyncBackend, "connect_tcp", connect)
    guarded = HttpClient(timeout=1, retries=0)
    assert guarded("GET", f"http://rebinding.example:{server.server_address[1]}/")[0] == 200
    guarded.close()
    assert seen == ["127.0.0.1"]
    assert server.seen[0][2]["host"].startswith("rebinding.example")


def test_it_is_usable_from_several_threads(server, client):
    results = []
    threads = [threading.Thread(target=lambda: results.append(client("GET", server.url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(200, b"ok")] * 8

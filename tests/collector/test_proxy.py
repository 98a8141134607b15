"""The analytics proxy: the addresses of Simple Snowplow, and no way to anything that is not listed."""

import base64
import http.server
import json
import threading
from contextlib import contextmanager

import pytest

from snowgauge.collector.app import create_app
from snowgauge.collector.proxy.app import AnalyticsProxy
from snowgauge.collector.proxy.settings import ProxySettings
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.outgoing import HttpClient
from snowgauge.testing.asgi import Client


class Upstream(http.server.ThreadingHTTPServer):
    """A third party on this machine. ``answers``: path -> (status, headers, body)."""

    daemon_threads = True

    def __init__(self):
        self.answers, self.asked = {}, []
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                upstream.asked.append((self.headers["host"], self.path))
                status, headers, body = upstream.answers.get(self.path, (404, {}, b"not here"))
                self.send_response(status)
                for name, value in {"content-type": "text/javascript", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def upstream(monkeypatch):
    """Every name is this machine's, every port that of the third party: the proxy asks for the usual ports only."""
    import httpcore

    made = Upstream()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    real = httpcore.SyncBackend.connect_tcp

    def connect(self, host, port, *more, **named):
        return real(self, "127.0.0.1", made.server_address[1], *more, **named)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@contextmanager
def proxy(*, guarded=False, now=lambda: 0.0, public_url="http://localhost:8000", **settings):
    chosen = ProxySettings(enabled=True, **settings)
    client = HttpClient(timeout=60, retries=0, allow_private_hosts=not guarded)
    app = AnalyticsProxy(chosen, client, public_url=public_url, clock=now)
    with Client(create_app(CollectorSettings(), MemoryLog().writer(), more={"/proxy": app})) as made:
        yield made
    client.close()


def hidden(text):
    return base64.urlsafe_b64encode(text.encode()).decode()


def hash_of(client, url, headers=()):
    return client.request("POST", "/proxy/hash", headers, json.dumps({"url": url}).encode())


def route(client, host, rest, scheme="http", **more):
    return client.request("GET", f"/proxy/route/{scheme}/{hidden(host)}/{hidden(rest)}", **more)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://www.googletagmanager.com/gtm.js?id=GTM-1",
         "http://localhost:8000/proxy/route/https/d3d3Lmdvb2dsZXRhZ21hbmFnZXIuY29t/Z3RtLmpzP2lkPUdUTS0x"),
        ("https://google-analytics.com/analytics.js",
         "http://localhost:8000/proxy/route/https/Z29vZ2xlLWFuYWx5dGljcy5jb20=/YW5hbHl0aWNzLmpz"),
        ("https://google-analytics.com/x/y.js",
         "http://localhost:8000/proxy/route/https/Z29vZ2xlLWFuYWx5dGljcy5jb20=/x/y.js"),
        ("https://example.com/gtm.js", "http://localhost:8000/proxy/route/https/ZXhhbXBsZS5jb20=/Z3RtLmpz"),
        ("https://example.com/x", "https://example.com/x"),
        ("https://sub.google-analytics.com/g", "https://sub.google-analytics.com/g"),
    ],
)  # fmt: skip
def test_addresses_as_simple_snowplow_makes_them(url, answer):
    with proxy() as client:
        found = hash_of(client, url)
    assert (found.status, found["content-type"], json.loads(found.body)) == (200, "application/json", answer)


def test_without_a_public_address_the_requests_own_is_used():
    with proxy(public_url="") as client:
        headers = [("Host", "sp.example.com"), ("X-Forwarded-Proto", "https")]
        found = json.loads(hash_of(client, "https://google-analytics.com/analytics.js", headers).body)
    assert found.startswith("https://sp.example.com/proxy/route/https/")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"url": "no url"}', b'{"url": 5}', b"[]", b'{"url": "ftp://a/b"}', b"\xff", b'{"url": "http://[/"}'],
)
def test_a_question_without_an_address(body):
    with proxy() as client:
        answer = client.request("POST", "/proxy/hash", (), body)
    assert answer.status == 422
    assert json.loads(answer.body)["detail"][0]["loc"] == ["body", "url"]


def test_a_listed_script_is_fetched_once_and_kept(upstream):
    upstream.answers["/gtm.js?id=1"] = (200, {"set-cookie": "a=b"}, b"script")
    now = [0.0]
    with proxy(now=lambda: now[0], cache_for="1 hour") as client:
        first = route(client, "www.googletagmanager.com", "gtm.js?id=1")
        again = route(client, "www.googletagmanager.com", "gtm.js?id=1")
        now[0] = 3601
        route(client, "www.googletagmanager.com", "gtm.js?id=1")
    assert (first.status, first.body, first["content-type"]) == (200, b"script", "text/javascript")
    assert (first["cache-control"], first["set-cookie"]) == ("public, max-age=3600", None)
    assert first["x-content-type-options"] == "nosniff"
    assert again.body == b"script"
    assert upstream.asked == [("www.googletagmanager.com", "/gtm.js?id=1")] * 2


def test_the_hosts_spelling_does_not_matter(upstream):
    upstream.answers["/gtm.js"] = (200, {}, b"script")
    with proxy() as client:
        for host in ("WWW.GoogleTagManager.com", "www.googletagmanager.com.", "www.googletagmanager.com:80"):
            assert route(client, host, "gtm.js").status == 200


def test_what_the_other_side_refuses_is_passed_on_and_not_kept(upstream):
    with proxy() as client:
        for _ in range(2):
            answer = route(client, "www.googletagmanager.com", "gtm.js?id=2")
            assert (answer.status, answer.body, answer["cache-control"]) == (404, b"not here", "no-store")
    assert len(upstream.asked) == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/http/{hidden('evil.example')}/{hidden('gtm.js')}", 403),
        (f"/http/{hidden('127.0.0.1')}/{hidden('gtm.js')}", 403),
        (f"/http/{hidden('www.googletagmanager.com@evil.example')}/{hidden('gtm.js')}", 403),
        (f"/http/{hidden('evil.example#www.googletagmanager.com')}/{hidden('gtm.js')}", 403),
        (f"/http/{hidden('www.googletagmanager.com:22')}/{hidden('gtm.js')}", 403),
        (f"/http/{hidden('www.googletagmanager.com/@')}/{hidden('gtm.js')}", 403),
        (f"/http/{hidden('www.googletagmanager.com')}/{hidden('other.js')}", 403),
        (f"/http/{hidden('www.googletagmanager.com')}/{hidden('../gtm.js')}", 403),
        (f"/http/{hidden('www.googletagmanager.com')}/x/y.js", 403),
        (f"/file/{hidden('www.googletagmanager.com')}/{hidden('gtm.js')}", 400),
        (f"/gopher/{hidden('www.googletagmanager.com')}/{hidden('gtm.js')}", 400),
        (f"/http/!!/{hidden('gtm.js')}", 400),
        (f"/http/_w==/{hidden('gtm.js')}", 400),
        ("/http", 404),
    ],
)  # fmt: skip
def test_what_is_not_listed_is_not_asked_for(upstream, path, status):
    with proxy() as client:
        answer = client.request("GET", f"/proxy/route{path}")
    assert answer.status == status
    assert "detail" in json.loads(answer.body)
    assert upstream.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest",
        "http://evil.example/gtm.js",
        "//evil.example/x",
        "file:///etc/passwd",
        "http://u@www.googletagmanager.com/a",
    ],
)
def test_redirects_lead_to_listed_hosts_only(upstream, target):
    upstream.answers["/gtm.js"] = (302, {"location": target}, b"")
    with proxy() as client:
        assert route(client, "www.googletagmanager.com", "gtm.js").status == 502
    assert len(upstream.asked) == 1


def test_a_redirect_to_a_listed_host_is_followed(upstream):
    upstream.answers["/gtm.js"] = (302, {"location": "http://google-analytics.com/moved.js"}, b"")
    upstream.answers["/moved.js"] = (200, {}, b"moved")
    with proxy() as client:
        assert route(client, "www.googletagmanager.com", "gtm.js").body == b"moved"


def test_a_circle_of_redirects_ends(upstream):
    upstream.answers["/gtm.js"] = (302, {"location": "/gtm.js"}, b"")
    with proxy() as client:
        assert route(client, "www.googletagmanager.com", "gtm.js").status == 502
    assert len(upstream.asked) == 4


def test_a_listed_name_of_a_private_address_is_refused(upstream):
    upstream.answers["/gtm.js"] = (200, {}, b"secret")
    with proxy(guarded=True, domains=["localhost"]) as client:
        assert route(client, "localhost", "gtm.js").status == 502
    assert upstream.asked == []


def test_an_answer_that_is_too_large(upstream):
    upstream.answers["/gtm.js"] = (200, {}, b"x" * 2000)
    with proxy(max_bytes=1500) as client:
        assert route(client, "www.googletagmanager.com", "gtm.js").status == 502


def test_an_answer_that_does_not_come():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        import httpcore

        real = httpcore.SyncBackend.connect_tcp
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                httpcore.SyncBackend,
                "connect_tcp",
                lambda self, host, port, *more, **named: real(self, *silent.getsockname(), *more, **named),
            )
            with proxy(timeout="200 ms") as client:
                assert route(client, "www.googletagmanager.com", "gtm.js").status == 504


@pytest.mark.parametrize("domain", ["https://a.example", "a.example/x", "*.a.example", "a.example:80", ""])
def test_domains_are_names_of_hosts(domain):
    with pytest.raises(ValueError, match="expected the name of a host"):
        ProxySettings(domains=[domain])

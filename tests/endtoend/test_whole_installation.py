"""From one command to rows in PostgreSQL: a certificate, a browser over HTTPS with a first-party cookie, the agent API
for a token of an identity provider, all through one proxy; and whatever is killed, nothing that was sent is missing."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import time
import urllib.request

import pytest

from snowgauge.testing.deployment import Deployment, wait_until
from snowgauge.testing.issuer import Issuer
from snowgauge.testing.postgres import temporary_server
from snowgauge.testing.web import serving

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
COLLECTOR, SHOP = "collector.snowgauge.example", "https://shop.snowgauge.example/"
CLIENT, USER = "console", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


class Installation(Deployment):
    """A deployment whose events are in PostgreSQL: the private port stands in for the engine that it has not."""

    def engine_up(self):
        return self.answers(self.console_port)


class Visitor:
    """One browser, on one page of a shop whose collector has a name of the same site."""

    def __init__(self, browser, page_js, html, port):
        self._collector = f"https://{COLLECTOR}:{port}"
        self.context = browser.new_context()
        self.context.route(f"{SHOP}**", lambda route: self._serve(route, page_js, html))

    @staticmethod
    def _serve(route, page_js, html):
        script = route.request.url.endswith("page.js")
        kind = "text/javascript" if script else "text/html; charset=utf-8"
        route.fulfill(status=200, content_type=kind, body=page_js if script else html)

    def visit(self):
        """Open the page, and leave it once every tracker on it has its answer."""
        tab = self.context.new_page()
        failed = []
        tab.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
        tab.on("console", lambda message: failed.append(message.text))
        tab.goto(f"{SHOP}?collector={self._collector}")
        try:
            tab.wait_for_function("test.acknowledged.length >= 3", timeout=60_000)
        except Exception as error:
            raise AssertionError(f"no answer for every tracker: {failed}") from error
        tab.close()

    def cookie(self):
        (found,) = [cookie for cookie in self.context.cookies() if cookie["name"] == "sp"]
        return found


def served(port, trusting):
    """The fingerprint of the key served under the collector's name, once the authority's root vouches for it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        trusting.wrap_socket(plain, server_hostname=COLLECTOR) as secure,
    ):
        key = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True)).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def answers(port, trusting):
    try:
        return ask(port, trusting, "/health")[0] == 200
    except OSError:
        return False


def ask(port, trusting, target, *headers):
    """Status and body of a GET through the proxy."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        trusting.wrap_socket(plain, server_hostname=COLLECTOR) as secure,
    ):
        head = "".join(f"{header}\r\n" for header in (f"Host: {COLLECTOR}", "Connection: close", *headers))
        secure.sendall(f"GET {target} HTTP/1.0\r\n{head}\r\n".encode())
        received = b""
        while chunk := secure.recv(65536):
            received += chunk
    if not received.startswith(b"HTTP/"):
        raise ConnectionError("closed without an answer")
    first, _, rest = received.partition(b"\r\n")
    return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]


@pytest.fixture
def postgres():
    with temporary_server(fsync="on", synchronous_commit="on") as server:
        yield server


def test_the_whole_installation_outlives_a_kill_of_each_part(tmp_path, authority, postgres, launch_chromium, page):
    import psycopg

    database = postgres.url

    def asked(query, *values):
        with psycopg.connect(database, connect_timeout=5) as connection:
            return connection.execute(query, values).fetchall()

    def stored():
        """Page views of the browser by application."""
        try:
            rows = asked(
                "SELECT app_id, count(DISTINCT event_id), count(*) FROM atomic.events "
                "WHERE event_name = 'page_view' GROUP BY 1"
            )
        except psycopg.Error:
            return {}
        assert all(distinct == rows for _, distinct, rows in rows), "an event is there twice"
        return {app: count for app, count, _ in rows}

    https_port = authority.ports["https_port"]
    trusting = authority.trusting()
    with serving() as web:
        issuer = Issuer(web)

        def token(**claims):
            now = int(time.time())
            return issuer.sign(
                {"iss": issuer.url, "sub": USER, "client_id": CLIENT, "iat": now, "exp": now + 300, **claims}
            )

        settings = {
            "store.url": database,
            "postgres.dbt_tables": "false",
            **authority.settings,
            "tls.domains": COLLECTOR,
            "tls.agent": "true",
            "agent.issuer": issuer.url,
            "agent.client_ids": CLIENT,
            "agent.subjects": USER,
            "agent.smallest_count": "1",
            "collector.cookie.domains": "snowgauge.example",
            "collector.pre_termination_period": "0",
            "iglu.iglu_central": "false",
        }
        running = Installation(tmp_path / "data", settings)
        running.command("access", "add-admin", "ada", "--password-stdin", stdin=b"a password of some length\n")

        def through_the_agent(bearer):
            return ask(https_port, trusting, "/agent/v1/applications", f"Authorization: Bearer {bearer}")

        with running:
            wait_until(lambda: answers(https_port, trusting), "the certificate is served")
            # the browser believes the key that Pebble's root has just vouched for, and no other
            browser = launch_chromium(
                f"--host-resolver-rules=MAP {COLLECTOR} 127.0.0.1",
                f"--ignore-certificate-errors-spki-list={served(https_port, trusting)}",
                f"--ip-address-space-overrides=127.0.0.1:{https_port}=public",  # not a page that reaches into a network
            )
            page_js = urllib.request.urlopen(page.replace("index.html", "page.js"), timeout=10).read().decode()
            # a visitor who wants to be anonymous loses the cookie that this test follows
            asked_for, page_js = (
                page_js,
                page_js.replace("withServerAnonymisation: true", "withServerAnonymisation: false"),
            )
            assert asked_for != page_js
            html = urllib.request.urlopen(page, timeout=10).read().decode()
            visitor = Visitor(browser, page_js, html, https_port)
            visitor.visit()
            cookie = visitor.cookie()
            assert (cookie["secure"], cookie["sameSite"], cookie["httpOnly"]) == (True, "None", True)
            assert cookie["domain"] == ".snowgauge.example"
            user = cookie["value"]
            visits = 1

            def kept():
                return stored() == dict.fromkeys(("browser", "browser-get", "browser-anonymous"), visits)

            wait_until(kept, "the first visit is in PostgreSQL")
            assert ask(https_port, trusting, "/agent/v1/status")[0] == 401
            assert through_the_agent(token(sub="somebody-else"))[0] in (401, 403)
            status, body = through_the_agent(token())
            assert status == 200, body
            assert "browser" in json.dumps(json.loads(body))

            for part in ("proxy", "collector", "pipeline", "console"):
                before = running.pid(part)
                assert running.kill(part)
                wait_until(lambda part=part, before=before: running.pid(part) != before, f"{part} is started again")
                wait_until(lambda: answers(https_port, trusting), f"the collector answers after {part} was killed")
                visitor.visit()
                visits += 1
                wait_until(kept, f"what was sent after {part} was killed is in PostgreSQL")
            wait_until(lambda: _status(through_the_agent, token()) == 200, "the agent answers again")

            postgres.kill()
            visitor.visit()  # taken without a store
            visits += 1
            postgres.start()
            wait_until(kept, "what was sent while PostgreSQL was away is there")

            running.kill_all()
            wait_until(lambda: not answers(https_port, trusting), "everything is gone")
            wait_until(lambda: _free(https_port), "the proxy's port is free again")
            running.start()
            wait_until(lambda: answers(https_port, trusting), "the certificate is served again")
            visitor.visit()
            visits += 1
            wait_until(kept, "what was sent after everything was killed is there")
            assert visitor.cookie()["value"] == user
            # before its first answer the browser has no cookie, so that each tracker's first request makes up a new one
            ((with_cookie,),) = asked("SELECT count(*) FROM atomic.events WHERE network_userid = %s", user)
            assert with_cookie >= 2 * (visits - 1)
            assert through_the_agent(token())[0] == 200
            browser.close()
        assert authority.log_file.read_text().count("POST /finalize-order/") == 1, "a restart ordered anew"


def _status(asked, bearer):
    try:
        return asked(bearer)[0]
    except OSError:
        return 0


def _free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""What passes through the proxy, with a certificate of our own: routes, headers, redirects, versions, reloading."""

from __future__ import annotations

import os
import ssl

import h2.config
import h2.connection
import h2.events
import pytest

from snowgauge.errors import SettingsError
from snowgauge.pipeline.proxy.run import certificates_of, folder_of
from snowgauge.testing.certificates import self_signed
from snowgauge.testing.deployment import wait_until

GOOD, OTHER, CONSOLE = "good.snowgauge.example", "other.snowgauge.example", "console.snowgauge.example"


@pytest.fixture
def own(tmp_path):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    self_signed([GOOD, OTHER, CONSOLE], chain, key)
    return {"certificate": chain, "private_key": key, "domains": GOOD}


@pytest.fixture
def trusting(own):
    return ssl.create_default_context(cafile=str(own["certificate"]))


def start(front, name, **settings):
    run = front.start(front.settings(**settings))
    wait_until(lambda: front.served(name) is not None, f"{name} is served")
    return run


def test_hosts_and_paths_lead_to_their_ports(front, own, trusting, program):
    start(front, GOOD, proxy=program, agent="on", console_domain=CONSOLE, **own)
    for name, target, backend in [
        (GOOD, "/com.snowplowanalytics.snowplow/tp2", "collector"),
        (GOOD, "/agent", "console"),
        (GOOD, "/agent/health?x=1", "console"),
        (GOOD, "/agents", "collector"),
        (GOOD, "/api/v1/x", "collector"),
        (CONSOLE, "/", "console"),
        (CONSOLE, "/api/v1/x", "console"),
    ]:
        body = front.get(trusting, name, target).partition("\r\n\r\n")[2]
        assert body.startswith(f"{backend}\nGET {target} "), (name, target, body)


def test_addresses_that_a_visitor_makes_up_are_thrown_away(front, own, trusting, program):
    start(front, GOOD, proxy=program, **own)
    answer = front.get(
        trusting, GOOD, "/i", "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: http", "X-Real-IP: 8.8.8.8"
    )
    sent = answer.partition("\r\n\r\n")[2].lower()
    assert "x-forwarded-for: 127.0.0.1\n" in sent.replace("\r", "")
    assert "x-forwarded-proto: https" in sent
    assert f"host: {GOOD}" in sent
    assert "9.9.9.9" not in sent
    assert "8.8.8.8" not in sent


def test_a_load_balancer_in_front_is_believed_where_the_settings_name_it(front, own, trusting, program):
    start(front, GOOD, proxy=program, trusted_proxies="127.0.0.0/8", **own)
    sent = front.get(trusting, GOOD, "/i", "X-Forwarded-For: 198.51.100.7").lower()
    assert "x-forwarded-for: 198.51.100.7, 127.0.0.1" in sent


def test_the_request_arrives_as_it_was_sent(front, own, trusting, program):
    start(front, GOOD, proxy=program, **own)
    target = "/com.acme/v1?u=https%3A%2F%2Fa.b%2F%3Fx%3D1&x=%zz&y=%E4&plus=a+b%20c&json={%22a%22:[1]}&e="
    headers = ["SP-Anonymous: *", "Cookie: sp=1; other=2", "User-Agent: odd \u00e9", "X-Custom: a", "X-Custom: b"]
    body = front.get(trusting, GOOD, target, *headers).partition("\r\n\r\n")[2]
    assert f"GET {target} HTTP/1.1" in body
    for header in ("sp-anonymous: *", "cookie: sp=1; other=2", "x-custom: a", "x-custom: b"):
        assert header in body.lower()


def test_a_semicolon_in_a_query_stays_part_of_its_value(front, own, trusting, program):
    start(front, GOOD, proxy=program, **own)
    line = front.get(trusting, GOOD, "/i?page=a;b&e=pv").partition("\r\n\r\n")[2].splitlines()[1]
    assert line.replace("%3B", ";") == "GET /i?page=a;b&e=pv HTTP/1.1"


def test_a_body_arrives_whole(front, own, trusting, program):
    start(front, GOOD, proxy=program, **own)
    body = os.urandom(700_000).hex().encode()
    request = f"POST /t HTTP/1.1\r\nHost: {GOOD}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    assert front.ask(trusting, GOOD, request + body).encode().endswith(body)


def test_plain_http_is_sent_on_to_https(front, own, program):
    start(front, GOOD, proxy=program, **own)
    for method in ("GET", "POST"):
        answer = front.get_plain(GOOD, "/i?e=pv", method)
        status = int(answer.split()[1])
        assert status in ((301, 308) if method == "GET" else (308,)), answer
        assert f"location: https://{GOOD}:{front.https_port}/i?e=pv" in answer.lower()


def test_plain_http_is_served_for_the_collector_alone_where_the_settings_say_so(front, own, program):
    start(front, GOOD, proxy=program, redirect_http="off", console_domain=CONSOLE, **own)
    assert "collector\nGET /i " in front.get_plain(GOOD, "/i")
    assert "console\n" not in front.get_plain(CONSOLE, "/")


def test_browsers_are_told_to_insist(front, own, trusting, program):
    start(front, GOOD, proxy=program, hsts="2 days", hsts_subdomains="on", **own)
    assert "strict-transport-security: max-age=172800; includesubdomains\r\n" in front.get(trusting, GOOD).lower()


def test_no_insisting_with_zero(front, own, trusting, program):
    start(front, GOOD, proxy=program, hsts="0", **own)
    assert "strict-transport-security" not in front.get(trusting, GOOD).lower()


@pytest.mark.parametrize(("oldest", "offered", "works"), [("1.2", "TLSv1_2", True), ("1.3", "TLSv1_2", False)])
def test_old_versions_of_tls_are_refused(front, own, program, oldest, offered, works):
    start(front, GOOD, proxy=program, min_version=oldest, **own)
    context = ssl.create_default_context(cafile=str(own["certificate"]))
    context.maximum_version = getattr(ssl.TLSVersion, offered)
    if works:
        assert front.get(context, GOOD).startswith("HTTP/1.1 200")
    else:
        with pytest.raises(ssl.SSLError):
            front.get(context, GOOD)


def test_weak_ciphers_are_refused(front, own, program):
    start(front, GOOD, proxy=program, **own)
    context = ssl.create_default_context(cafile=str(own["certificate"]))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        front.get(context, GOOD)


def test_a_name_that_is_not_served_gets_no_certificate(front, own, program):
    start(front, GOOD, proxy=program, **own)
    assert front.served("stranger.example") is None


def test_http2_is_spoken(front, own, trusting, program):
    start(front, GOOD, proxy=program, **own)
    import socket

    trusting.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", front.https_port), timeout=10) as plain,
        trusting.wrap_socket(plain, server_hostname=GOOD) as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        connection.initiate_connection()
        head = [(":method", "GET"), (":path", "/i"), (":authority", GOOD), (":scheme", "https")]
        connection.send_headers(1, head, end_stream=True)
        secure.sendall(connection.data_to_send())
        body, ended = b"", False
        while not ended:
            for event in connection.receive_data(secure.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                ended = ended or isinstance(event, h2.events.StreamEnded)
            secure.sendall(connection.data_to_send())
    assert body.startswith(b"collector\nGET /i HTTP/1.1")


@pytest.mark.parametrize("on", [True, False])
def test_http3_is_offered_where_the_settings_say_so(front, own, trusting, program, on):
    start(front, GOOD, proxy=program, http3="on" if on else "off", **own)
    answer = front.get(trusting, GOOD).lower()
    assert (f'alt-svc: h3=":{front.https_port}"' in answer) is on


def test_own_files_are_loaded_when_they_change_and_only_if_they_fit(front, own, program, tmp_path):
    settings = front.settings(proxy=program, **own)
    start(front, GOOD, proxy=program, **own)
    first = front.served(GOOD)
    own["private_key"].write_text("not a key")
    front.wait_told("certificate_files_refused")
    assert front.served(GOOD) == first
    second = self_signed([GOOD], tmp_path / "new.pem", tmp_path / "new.key")
    (tmp_path / "new.key").replace(own["private_key"])
    (tmp_path / "new.pem").replace(own["certificate"])
    wait_until(lambda: front.served(GOOD) == second, "the new certificate is served", within=180)
    front.wait_told("certificate_renewed", domain=GOOD)
    assert [found.serial for found in certificates_of(settings, front.folder)] == [second]


def test_own_files_that_do_not_fit_stop_the_start(front, own, tmp_path, traefik):
    for change, says in [
        ({"domains": "stranger.example"}, "not for stranger.example"),
        ({"certificate": tmp_path / "none.pem"}, "No such file"),
        ({"certificate": own["private_key"]}, "holds no certificate"),
        ({"private_key": own["certificate"]}, "holds no private key"),
    ]:
        with pytest.raises(SettingsError, match=says):
            front.start(front.settings(**{**own, **change}))
    self_signed([GOOD], tmp_path / "x.pem", tmp_path / "x.key")
    with pytest.raises(SettingsError, match="is not the key of"):
        front.start(front.settings(**{**own, "private_key": tmp_path / "x.key"}))


def test_a_proxy_that_ends_by_itself_is_an_error(front, own, traefik):
    run = front.start(front.settings(**own))
    import psutil

    (child,) = [found for found in psutil.Process().children() if found.name() == "traefik"]
    child.kill()
    wait_until(lambda: run.error is not None, "the end is noticed")
    assert "traefik ended with code -9" in str(run.error)


def test_files_with_keys_are_private(front, own, program):
    start(front, GOOD, proxy=program, **own)
    for file in folder_of(front.folder).iterdir():
        if file.is_file():
            assert not file.stat().st_mode & 0o077, file

"""`serve` with a name: a certificate from Pebble, an event over HTTPS, the proxy killed and everything restarted."""

from __future__ import annotations

import json
import socket
import urllib.request

import pytest

from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = pytest.mark.e2e
NAME = "collector.snowgauge.example"


def ask(port, context, target):
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as secure,
    ):
        head = f"Host: {NAME}\r\nX-Forwarded-For: 203.0.113.66\r\nConnection: close\r\n"
        secure.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
        received = b""
        while chunk := secure.recv(65536):
            received += chunk
        return received.decode("latin-1")


def answers(port, context):
    try:
        return ask(port, context, "/health").startswith("HTTP/1.1 200")
    except OSError:
        return False


def test_one_command_serves_https_and_outlives_restarts(tmp_path, authority):
    https_port = authority.ports["https_port"]
    settings = {
        **authority.settings,
        "tls.domains": NAME,
        "iglu.iglu_central": "false",
        "collector.pre_termination_period": "0",
    }
    trusting = authority.trusting()
    running = Deployment(tmp_path / "data", settings)
    with running:
        wait_until(lambda: answers(https_port, trusting), "the certificate is served", within=180)
        answer = ask(https_port, trusting, "/i?e=pv&p=web&tv=t&aid=https")
        assert answer.startswith("HTTP/1.1 200")
        cookie = next(line for line in answer.splitlines() if line.lower().startswith("set-cookie: sp="))
        assert "Secure" in cookie
        assert "SameSite=None" in cookie
        assert "\r\nStrict-Transport-Security: max-age=31536000\r\n" in answer
        (event,) = running.events("https", 1)
        assert event["user_ipaddress"].startswith("127.0.0."), "the address that the visitor made up was believed"
        shown = running.command("proxy", "certificates").decode()
        assert NAME in shown
        assert "Pebble" in shown
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{running.console_port}/metrics", timeout=10).read().decode()
        assert f'snowgauge_tls_certificate_expires_timestamp{{domain="{NAME}"}}' in metrics

        before = running.pid("proxy")
        assert running.kill("proxy")
        wait_until(lambda: running.pid("proxy") != before and answers(https_port, trusting), "it is back", within=180)
    assert not answers(https_port, trusting)
    with running:
        wait_until(lambda: answers(https_port, trusting), "the certificate is served again", within=180)
        told = running.data_dir / "run" / "status.json"
        wait_until(lambda: told.exists() and "proxy-0" in told.read_text(), "the supervisor says how it is")
        status = json.loads(told.read_text())
        assert status["proxy-0"]["restarts"] == 0
    assert authority.log_file.read_text().count("POST /finalize-order/") == 1, "a restart ordered anew"

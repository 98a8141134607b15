"""Certificates for real: ordered from Pebble, kept, renewed, refused with a reason, by Traefik and by Caddy."""

from __future__ import annotations

import stat
import time
from datetime import timedelta

import pytest

from snowgauge.pipeline.proxy.run import certificates_of, folder_of, orders_of
from snowgauge.testing import pebble
from snowgauge.testing.deployment import wait_until

GOOD, OTHER, ASTRAY = "good.snowgauge.example", "other.snowgauge.example", "astray.snowgauge.example"
NOWHERE, CONSOLE = "nowhere.snowgauge.example", "console.snowgauge.example"


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_each_name_gets_a_certificate(front, authority, order_from, program, challenge):
    names = (GOOD, OTHER) if challenge == "http-01" else (GOOD,)
    settings = front.settings(**order_from(authority, *names, proxy=program, acme__challenge=challenge))
    front.start(settings)
    for name in names:
        front.wait_told("certificate_served", domain=name)
        wait_until(lambda name=name: front.served(name) is not None, f"{name} is served")
        answer = front.get(authority.trusting(), name, "/i?e=pv")
        assert answer.startswith("HTTP/1.1 200")
        assert "collector\nGET /i?e=pv HTTP/1.1" in answer
    assert {name for found in certificates_of(settings, front.folder) for name in found.names} == set(names)
    for file in folder_of(front.folder).rglob("*"):
        if file.is_file() and file.suffix != ".lock":
            assert not stat.S_IMODE(file.stat().st_mode) & 0o077, f"{file} can be read by others"
    assert not stat.S_IMODE(folder_of(front.folder).stat().st_mode) & 0o077


def test_a_restart_keeps_the_certificates(front, authority, order_from, program):
    settings = front.settings(**order_from(authority, GOOD, proxy=program))
    run = front.start(settings)
    front.wait_told("certificate_served", domain=GOOD)
    wait_until(lambda: front.served(GOOD) is not None, "it is served")
    before = front.served(GOOD)
    run.stop()
    authority.__exit__()  # nobody to order from
    front.start(settings)
    wait_until(lambda: front.served(GOOD) == before, "the same certificate is served")


def test_a_certificate_near_its_end_is_renewed(front, order_from, traefik, tmp_path):
    """With 10 minutes of life Traefik renews at each start (and once a minute): 20 minutes before the end."""
    missing = pebble.missing()
    if missing:
        pytest.skip(missing)
    ports = {"http_port": front.http_port, "https_port": front.https_port}
    with pebble.Pebble(tmp_path / "short", lifetime=timedelta(minutes=10), **ports) as authority:
        settings = front.settings(**order_from(authority, GOOD, acme__certificate_lifetime="1 hour"))
        run = front.start(settings)
        front.wait_told("certificate_served", domain=GOOD)
        wait_until(lambda: front.served(GOOD) is not None, "it is served")
        first = front.served(GOOD)
        run.stop()
        front.start(settings)
        wait_until(lambda: front.served(GOOD) not in (None, first), "a new certificate is served", within=180)
        front.wait_told("certificate_renewed", domain=GOOD)


def test_a_name_that_leads_elsewhere_is_told_with_its_cure_and_keeps_no_other_waiting(
    front, authority, order_from, traefik
):
    authority.point(ASTRAY, "127.0.0.2")
    authority.unknown(NOWHERE)
    settings = front.settings(**order_from(authority, GOOD, ASTRAY, NOWHERE))
    front.start(settings)
    front.wait_told("certificate_served", domain=GOOD)
    astray = front.wait_told("certificate_not_issued", domain=ASTRAY)
    assert "connection refused" in astray["reason"]
    assert "DNS entries" in astray["cure"]
    assert f"port {front.http_port}" in astray["cure"]
    nowhere = front.wait_told("certificate_not_issued", domain=NOWHERE)
    assert "make a DNS entry" in nowhere["cure"]
    wait_until(lambda: front.served(GOOD) is not None, "the good one is served")
    assert front.served(ASTRAY) is None
    assert set(orders_of(settings, front.folder).failures) == {ASTRAY, NOWHERE}


def test_a_failed_order_is_not_repeated_by_restarts_but_after_its_pause(front, authority, order_from, traefik):
    authority.point(ASTRAY, "127.0.0.2")
    settings = front.settings(**order_from(authority, ASTRAY))
    run = front.start(settings)
    front.wait_told("certificate_not_issued", domain=ASTRAY)
    run.stop()
    asked = authority.log_file.read_text().count("POST /order-plz")
    assert asked
    for _ in range(2):
        run = front.start(settings)
        time.sleep(1)
        run.stop()
    assert authority.log_file.read_text().count("POST /order-plz") == asked

    authority.point_back(ASTRAY)
    orders = orders_of(settings, front.folder)
    front.start(settings)
    orders.forget([ASTRAY])  # as `snowgauge proxy retry` does, beside the running proxy
    front.wait_told("certificate_served", domain=ASTRAY)
    assert not orders_of(settings, front.folder).failures


def test_an_order_is_tried_again_when_its_pause_is_over(front, authority, order_from, traefik):
    authority.point(ASTRAY, "127.0.0.2")
    front.start(front.settings(**order_from(authority, ASTRAY, acme__retry_after="1 s")))
    front.wait_told("certificate_not_issued", domain=ASTRAY)
    authority.point_back(ASTRAY)
    front.wait_told("certificate_served", domain=ASTRAY)


@pytest.mark.parametrize("bound", [True, False], ids=["with the key", "without it"])
def test_an_authority_for_customers_only(front, tmp_path, order_from, traefik, bound):
    missing = pebble.missing()
    if missing:
        pytest.skip(missing)
    ports = {"http_port": front.http_port, "https_port": front.https_port}
    with pebble.Pebble(tmp_path / "bound", bind_accounts=True, **ports) as authority:
        keys = {"acme__eab_key_id": pebble.EAB_KEY_ID, "acme__eab_hmac_key": pebble.EAB_HMAC_KEY}
        front.start(front.settings(**order_from(authority, GOOD, **(keys if bound else {}))))
        if bound:
            front.wait_told("certificate_served", domain=GOOD)
        else:
            assert "tls.acme.eab_key_id" in front.wait_told("certificate_not_issued", domain=GOOD)["cure"]


def test_an_authority_that_is_away_is_told(front, authority, order_from, traefik):
    settings = front.settings(**order_from(authority, GOOD))
    authority.__exit__()
    front.start(settings)
    assert "could not be asked" in front.wait_told("certificate_not_issued", domain=GOOD)["cure"]

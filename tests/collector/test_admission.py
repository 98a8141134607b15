"""Who may come in at the collector's port: hosts, HTTPS, number of requests."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from snowgauge.collector.admission.addresses import Visitors, parse
from snowgauge.collector.admission.gate import Gate, gate
from snowgauge.collector.admission.rate_limit import RateLimit
from snowgauge.collector.admission.settings import SecuritySettings
from snowgauge.collector.request import Request
from snowgauge.testing.asgi import scope

PIXEL = "/i?e=pv&p=web&tv=t"


async def nothing():
    raise AssertionError("no body is read")


def request(method="GET", target=PIXEL, headers=(), **more):
    return Request(scope(method, target, headers, **more), nothing)


def test_with_nothing_asked_for_there_is_no_gate():
    assert gate(SecuritySettings()) is None
    assert gate(SecuritySettings(trusted_hosts=["a.com", "*"])) is None


def test_a_window_of_requests_per_address(collecting):
    collect = collecting(security={"rate_limiting": {"enabled": True, "max_requests": 3, "window_seconds": 60}})
    one, other = {"client": ("203.0.113.7", 1)}, {"client": ("203.0.113.8", 1)}
    assert [collect("GET", PIXEL, **one).status for _ in range(3)] == [200, 200, 200]
    refused = collect("GET", PIXEL, ("Origin", "https://shop.example"), **one)
    assert (refused.status, refused.body) == (429, b"Too many requests")
    assert 1 <= int(refused["retry-after"]) <= 60
    assert refused["access-control-allow-origin"] == "https://shop.example"
    assert refused["access-control-allow-credentials"] == "true"
    assert collect("GET", PIXEL, **other).status == 200
    assert len(collect.kept) == 4, "what was refused is not kept"


def test_everything_but_probes_and_preflights_counts(collecting):
    collect = collecting(security={"rate_limiting": {"enabled": True, "max_requests": 1, "window_seconds": 60}})
    assert collect("GET", "/robots.txt").status == 200
    assert collect("POST", "/tracker", body=b"{}").status == 429
    assert collect("GET", "/nowhere").status == 429
    assert collect("GET", "/health").status == 200
    assert collect("GET", "/sink-health").status == 200
    assert collect("OPTIONS", "/tracker").status == 200
    assert collect("POST", "/health/x", body=b"{}").status == 429, "that is a tracking request"


def test_addresses_and_paths_that_are_never_limited(collecting):
    collect = collecting(
        security={
            "rate_limiting": {
                "enabled": True,
                "max_requests": 1,
                "ip_whitelist": ["192.0.2.1", "2001:db8::/32"],
                "path_whitelist": ["/static", "/health"],
            }
        }
    )
    for _ in range(3):
        assert collect("GET", PIXEL, client=("192.0.2.1", 1)).status == 200
        assert collect("GET", PIXEL, client=("2001:db8::7", 1)).status == 200
        assert collect("GET", "/static/x.js", client=("203.0.113.1", 1)).status == 200
    assert [collect("GET", PIXEL, client=("203.0.113.1", 1)).status for _ in range(2)] == [200, 429]
    assert collect("GET", "/statics", client=("203.0.113.1", 1)).status == 429


@pytest.mark.parametrize(
    ("peer", "forwarded", "visitor"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (None, "198.51.100.1", None),
    ],
)
def test_forwarded_addresses_count_only_from_proxies_of_ours(peer, forwarded, visitor):
    headers = [] if forwarded is None else [("X-Forwarded-For", forwarded)]
    found = Visitors(SecuritySettings().trusted_proxies).address(
        request(headers=headers, client=(peer, 1) if peer else None)
    )
    assert found == (ip_address(visitor) if visitor else None)


def test_who_makes_up_forwarded_addresses_is_limited_all_the_same(collecting):
    collect = collecting(security={"rate_limiting": {"enabled": True, "max_requests": 2}})
    made_up = [collect("GET", PIXEL, ("X-Forwarded-For", f"198.51.100.{n}")).status for n in range(4)]
    assert made_up == [200, 200, 429, 429]
    proxied = [
        collect("GET", PIXEL, ("X-Forwarded-For", f"9.9.9.9, 198.51.100.{n}"), client=("127.0.0.1", 1)).status
        for n in range(4)
    ]
    assert proxied == [200] * 4


def test_without_trust_in_proxies_the_peer_is_the_visitor(collecting):
    collect = collecting(security={"trust_proxy_headers": False, "rate_limiting": {"enabled": True, "max_requests": 1}})
    answers = [
        collect("GET", PIXEL, ("X-Forwarded-For", f"198.51.100.{n}"), client=("127.0.0.1", 1)).status for n in range(2)
    ]
    assert answers == [200, 429]


def test_a_window_ends_and_tells_when():
    limit = RateLimit(2, 60, 1000)
    address = ip_address("203.0.113.7")
    assert [limit.wait(address, at) for at in (0, 10, 20, 59.5, 60, 61, 62)] == [0, 0, 40, 1, 0, 0, 58]


def test_one_ipv6_network_is_one_visitor():
    limit = RateLimit(1, 60, 1000)
    assert limit.wait(ip_address("2001:db8::1"), 0) == 0
    assert limit.wait(ip_address("2001:db8::2"), 0) == 60
    assert limit.wait(ip_address("2001:db8:0:1::2"), 0) == 0
    assert limit.wait(ip_address("0.0.0.1"), 0) == 0


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 1000)), max_size=300))
def test_memory_is_bounded_and_a_first_request_comes_in(requests):
    limit = RateLimit(3, 10, 20)
    for number, at in sorted(requests, key=lambda pair: pair[1]):
        known = len(limit)
        wait = limit.wait(ip_address(number), at)
        assert len(limit) <= 20
        assert 0 <= wait <= 10
        assert wait == 0 or len(limit) == known


@given(st.text(max_size=80))
def test_any_text_is_read_as_an_address_or_none(text):
    parse(text)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("example.com", 200),
        ("EXAMPLE.com:8000", 200),
        ("example.com.", 200),
        ("a.shop.example", 200),
        ("a.b.shop.example:443", 200),
        ("shop.example", 400),
        ("evilshop.example", 400),
        ("example.com.evil.net", 400),
        ("[::1]:8000", 200),
        ("", 400),
        ("127.0.0.1", 400),
    ],
)
def test_only_trusted_hosts_are_served(collecting, host, status):
    collect = collecting(security={"trusted_hosts": ["example.com", "*.shop.example", "[::1]"]})
    answer = collect("GET", PIXEL, ("Host", host))
    assert answer.status == status
    if status == 400:
        assert answer.body == b"Invalid host header"
        assert collect("GET", "/health", ("Host", host)).status == 200, "load balancers ask by address"


def test_a_request_without_a_host_is_not_for_us(collecting):
    assert collecting(security={"trusted_hosts": ["example.com"]})("GET", PIXEL).status == 400


def test_plain_http_is_sent_on_to_https(collecting):
    collect = collecting(security={"enable_https_redirect": True})
    to = collect("POST", "/tracker?a=1", ("Host", "c.example:80"), body=b"{}")
    assert (to.status, to["location"]) == (307, "https://c.example/tracker?a=1")
    assert to["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert collect("GET", PIXEL, ("Host", "c.example"), ("X-Forwarded-Proto", "http")).status == 307
    secure = collect("GET", PIXEL, ("Host", "c.example"), ("X-Forwarded-Proto", "https"))
    assert secure.status == 200
    assert secure["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert collect("GET", PIXEL, ("Host", "c.example"), scheme="https").status == 200
    assert collect("GET", "/health").status == 200
    assert len(collect.kept) == 2


def test_a_proxy_is_not_believed_about_https_where_none_is_trusted(collecting):
    collect = collecting(security={"enable_https_redirect": True, "trust_proxy_headers": False})
    assert collect("GET", PIXEL, ("Host", "c.example"), ("X-Forwarded-Proto", "https")).status == 307


def test_the_collectors_own_hsts_setting_wins(collecting):
    collect = collecting(security={"enable_https_redirect": True}, hsts={"enable": True, "max_age": "1 day"})
    answer = collect("GET", PIXEL, ("Host", "c.example"), scheme="https")
    assert answer.all("strict-transport-security") == ["max-age=86400; includeSubDomains"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_hosts": ["http://a.com"]},
        {"trusted_hosts": ["a.*.com"]},
        {"trusted_proxies": ["10.0.0.0/99"]},
        {"rate_limiting": {"max_requests": 0}},
        {"rate_limiting": {"window_seconds": 0}},
        {"rate_limiting": {"ip_whitelist": ["nobody"]}},
        {"rate_limiting": {"path_whitelist": ["health"]}},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        SecuritySettings.model_validate(wrong)


def test_a_gate_reads_the_clock_it_is_given():
    now = [0.0]
    made = gate(
        SecuritySettings.model_validate({"rate_limiting": {"enabled": True, "max_requests": 1}}), lambda: now[0]
    )
    assert isinstance(made, Gate)
    assert made.refusal(request()) is None
    assert made.refusal(request()) is not None
    now[0] = 60.0
    assert made.refusal(request()) is None

"""Answers, header by header."""

from __future__ import annotations

import pytest

PIXEL = bytes.fromhex("47494638396101000100f00000ffffff00000021f90405000000002c00000000010001000002024401003b")


def test_a_pixel(collecting):
    answer = collecting()("GET", "/i?e=pv")
    assert answer.status == 200
    assert answer.body == PIXEL
    assert [name for name, _ in answer.headers] == [
        "set-cookie",
        "cache-control",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "content-type",
    ]
    assert answer["content-type"] == "image/gif"
    assert answer["cache-control"] == "no-cache, no-store, must-revalidate"


def test_head_differs_from_get_in_the_body_alone(collecting):
    collect = collecting()
    get, head = collect("GET", "/i?e=pv"), collect("HEAD", "/i?e=pv")
    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


def test_a_post(collecting):
    answer = collecting()("POST", "/com.snowplowanalytics.snowplow/tp2", body=b"{}")
    assert (answer.status, answer.body, answer["content-type"]) == (200, b"ok", "text/plain")
    assert answer["cache-control"] is None


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe", b"{}"])
def test_content_is_never_a_reason_to_refuse(collecting, body):
    collect = collecting()
    assert collect("POST", "/a/b", body=body).status == 200
    assert len(collect.kept) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/health", b"ok"),
        ("/sink-health", b"ok"),
        (
            "/robots.txt",
            b"User-agent: *\nDisallow: /\n\nUser-agent: Googlebot\nDisallow: /\n\n"
            b"User-agent: AdsBot-Google\nDisallow: /",
        ),
    ],
)
def test_pages_without_cookies_and_cors(collecting, path, body):
    answer = collecting()("GET", path, ("Origin", "https://a.example"))
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers == [("content-type", "text/plain; charset=UTF-8")]


def test_cross_domain_policy(collecting):
    collect = collecting(cross_domain={"enabled": True, "domains": ["*.acme.com", "acme.org"], "secure": False})
    answer = collect("GET", "/crossdomain.xml")
    assert answer["content-type"] == "text/xml"
    assert answer.body.decode().split("\n") == [
        '<?xml version="1.0"?>',
        "<cross-domain-policy>",
        '<allow-access-from domain="*.acme.com" secure="false" />',
        '<allow-access-from domain="acme.org" secure="false" />',
        "</cross-domain-policy>",
    ]


def test_root_response(collecting):
    collect = collecting(
        root_response={"enabled": True, "status_code": 302, "headers": {"Location": "https://a.example"}, "body": "☃"}
    )
    answer = collect("GET", "/")
    assert (answer.status, answer.body) == (302, "☃".encode())
    assert answer.headers == [("location", "https://a.example")]
    assert collect("HEAD", "/").status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/health"), ("GET", "/nope"), ("GET", "/i"), ("POST", "/a/b"), ("OPTIONS", "/")]
)
def test_hsts_is_on_every_answer(collecting, method, path):
    answer = collecting(hsts={"enable": True, "max_age": "1 day"})(method, path)
    assert answer["strict-transport-security"] == "max-age=86400; includeSubDomains"
    assert collecting()(method, path)["strict-transport-security"] is None


def test_p3p_is_sent_when_wanted(collecting):
    assert collecting()("GET", "/i")["p3p"] is None
    collect = collecting(p3p={"enabled": True})
    assert collect("GET", "/i")["p3p"] == 'policyref="/w3c/p3p.xml", CP="NOI DSP COR NID PSA OUR IND COM NAV STA"'
    assert collect("GET", "/health")["p3p"] is None
    assert collecting(p3p={"policy_ref": "/p.xml", "cp": "NOI"})("GET", "/i")["p3p"] == 'policyref="/p.xml", CP="NOI"'
    assert collecting(p3p={"enabled": False, "cp": "NOI"})("GET", "/i")["p3p"] is None


@pytest.mark.parametrize("path", ["/", "/health", "/i", "/a/b", "/x/y/z", "*"])
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, "*"),
        ("null", "null"),
        ("file://", "file://"),
        ("null null", "null"),
        ("file:///index.html", "*"),
        ("nullable", "*"),
        ("", "*"),
        ("no scheme", "*"),
        ("https://a.example", "https://a.example"),
        ("https://a.example:443", "https://a.example:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("null https://b.example https://c.example", "https://b.example"),
        ("http://[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ("https://a.example/path", "*"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_preflight(collecting, path, origin, allowed):
    collect = collecting()
    headers = [] if origin is None else [("Origin", origin)]
    answer = collect("OPTIONS", path, *headers, ("Access-Control-Request-Headers", "x-custom"))
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers == [
        ("access-control-allow-origin", allowed),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "Content-Type, SP-Anonymous"),
        ("access-control-max-age", "3600"),
    ]
    assert collect.kept == []
    assert collect("GET", "/i", *headers)["access-control-allow-origin"] == allowed


def test_preflight_can_be_kept_for_another_time_on_some_paths(collecting):
    collect = collecting(
        cors={
            "accessControlMaxAge": "-1 s",
            "access_control_max_age_by_path": {"/a/b": "1 day"},
            "allowed_headers": ["Content-Type", "X-Key"],
        }
    )
    assert collect("OPTIONS", "/a/b")["access-control-max-age"] == "86400"
    assert collect("OPTIONS", "/a/c")["access-control-max-age"] == "-1"
    assert collect("OPTIONS", "/a/c")["access-control-allow-headers"] == "Content-Type, X-Key"


def test_requests_that_are_too_long_are_refused_as_malformed(collecting):
    collect = collecting()
    assert collect("GET", "/i?" + "a" * 20480).status == 400
    assert collect("GET", "/i", ("X-Long", "a" * 40960)).status == 400
    assert collect("GET", "/i?" + "a" * 20000, ("X-Long", "a" * 40000)).status == 200
    assert len(collect.kept) == 1


def test_http_is_sent_on_to_https(collecting):
    collect = collecting(ssl={"redirect": True})
    plain, host = ("X-Forwarded-Proto", "http"), ("Host", "c.example:80")
    answer = collect("GET", "/i?e=pv&x=%20", plain, host)
    assert (answer.status, answer["location"]) == (301, "https://c.example/i?e=pv&x=%20")
    assert collect("POST", "/a/b", plain, host).status == 308
    assert collect("POST", "/a/b", plain, host)["access-control-allow-origin"] == "*"
    assert collect("GET", "/i", plain, ("Host", "a b")).status == 400
    assert collect.kept == []
    assert collect("GET", "/i", ("X-Forwarded-Proto", "https"), host).status == 200
    assert collect("GET", "/i", host).status == 200
    assert collect("GET", "/health", plain, host).status == 200
    assert collect("OPTIONS", "/i", plain, host).status == 200
    assert len(collect.kept) == 2

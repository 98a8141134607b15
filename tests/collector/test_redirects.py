"""Click redirects."""

from __future__ import annotations

from urllib.parse import quote

import pytest


@pytest.mark.parametrize(
    ("target", "domains", "allowed"),
    [
        ("https://example.org/a?b=c&d=e", [], True),
        ("https://example.org", ["example.org"], True),
        ("https://example.org:8443/x", ["example.org"], True),
        ("https://user@example.org/x", ["example.org"], True),
        ("//example.org/x", ["example.org"], True),
        ("https://sub.example.org", ["example.org"], False),
        ("https://EXAMPLE.org", ["example.org"], False),
        ("https://example.org@evil.example", ["example.org"], False),
        ("https://evil.example/example.org", ["example.org"], False),
        ("https://evil.example\\@example.org", ["example.org"], False),
        ("/relative", ["example.org"], False),
        ("/relative?x=1#part", [], True),
        ("relative", [], True),
        ("", [], True),
        ("mailto:a@example.org", [], True),
        ("https://example.org/[x]?y=[z]", [], False),
        ("https://example.org/?y=[z]", [], True),
        ("http://[2001:db8::1]/x", ["[2001:db8::1]"], True),
        ("https://example.org/a b", [], False),
        ("https://example.org/{x}", [], False),
        ("https://example.org/a|b", [], False),
        ("https://example.org/%zz", [], False),
        ("https://example.org/é", [], False),
        ("https://example.org/\r\nSet-Cookie: x=y", [], False),
        ("a b:c", [], False),
        ("1:2", [], False),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_where_a_redirect_may_lead(collecting, method, target, domains, allowed):
    collect = collecting(enable_default_redirect=True, redirect_domains=domains)
    query = f"u={quote(target, safe='')}&e=pv"
    answer = collect(method, f"/r/tp2?{query}", body=b"posted" if method == "POST" else b"")
    assert (answer.status, answer["location"]) == ((302, target) if allowed else (400, None))
    assert answer.body == b""
    assert answer["content-type"] is None
    assert answer["set-cookie"].startswith("sp=")
    assert answer["access-control-allow-origin"] == "*"
    assert (answer["cache-control"] is None) is (method == "POST")
    # kept in any case: the refused click happened too
    assert (collect.one.path, collect.one.querystring) == ("/r/tp2", query)
    assert collect.one.body == ("posted" if method == "POST" else None)


def test_a_redirect_without_target(collecting):
    collect = collecting(enable_default_redirect=True)
    assert collect("GET", "/r/tp2?x=1").status == 400
    assert collect("GET", "/r/anything?u=%2Fa+b").status == 400
    assert collect("GET", "/r/anything?u=%2Fa&u=%2Fb")["location"] == "/a"
    assert [p.path for p in collect.kept] == ["/r/tp2", "/r/anything", "/r/anything"]


def test_the_macro_puts_the_network_user_id_in(collecting):
    target = "https://example.org/?id=${SP_NUID}&again=${SP_NUID}"
    query = f"/r/tp2?u={quote(target, safe='')}&nuid=a%26b"
    assert collecting(enable_default_redirect=True)("GET", query).status == 400
    collect = collecting(enable_default_redirect=True, redirect_macro={"enabled": True})
    assert collect("GET", query)["location"] == "https://example.org/?id=a%26b&again=a%26b"
    collect = collecting(enable_default_redirect=True, redirect_macro={"enabled": True, "placeholder": "[ID]"})
    answer = collect("GET", "/r/tp2?u=/x?%5BID%5D", ("SP-Anonymous", "*"))
    assert answer["location"] == "/x?00000000-0000-0000-0000-000000000000"

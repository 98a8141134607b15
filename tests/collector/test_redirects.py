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
        ("https://example.org/?y=[z]", [], True),
        ("http://[2001:db8::1]/x", ["[2001:db8::1]"], True),
        ("https://example.org/\r\nSet-Cookie: x=y", [], False),
        ("https://example.org/\ttab", [], False),
        ("https://exam ple.org/", [], False),
        ("https://exam\\ple.org/", [], False),
        ("https://example.org\\.evil.example/", ["example.org"], False),
        ("\\\\evil.example/", ["example.org"], False),
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


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://example.org/a b?c=d e#f g", "https://example.org/a%20b?c=d%20e#f%20g"),
        ("https://example.org/é?q=日本#ü", "https://example.org/%C3%A9?q=%E6%97%A5%E6%9C%AC#%C3%BC"),
        ('https://example.org/{x}/a|b?<>"^`', "https://example.org/%7Bx%7D/a%7Cb?%3C%3E%22%5E%60"),
        ("https://example.org/[x]?y=[z]#[a]", "https://example.org/%5Bx%5D?y=[z]#%5Ba%5D"),
        ("https://example.org/100%/%zz/%41", "https://example.org/100%25/%25zz/%41"),
        ("https://example.org/#a#b", "https://example.org/#a%23b"),
        ("https://example.org/a\\b", "https://example.org/a%5Cb"),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("https://user@münchen.example:8443/", "https://user@xn--mnchen-3ya.example:8443/"),
        ("/tür", "/t%C3%BCr"),
    ],
)
def test_an_address_with_characters_that_are_not_for_uris_is_escaped(collecting, target, location):
    collect = collecting(enable_default_redirect=True)
    for query in (f"u={quote(target, safe='')}".encode(), f"u={quote(target, safe='/:?=')}&x".encode()):
        answer = collect("GET", b"/r/tp2?" + query)
        assert (answer.status, answer["location"]) == (302, location)


def test_what_is_no_utf8_leads_where_it_led(collecting):
    collect = collecting(enable_default_redirect=True)
    assert collect("GET", b"/r/tp2?u=https://example.org/caf\xe9/%E9")["location"] == "https://example.org/caf%E9/%E9"


def test_a_host_with_letters_is_allowed_in_idnas_form(collecting):
    collect = collecting(enable_default_redirect=True, redirect_domains=["xn--mnchen-3ya.example"])
    assert collect("GET", "/r/tp2?u=https://m%C3%BCnchen.example/")["location"] == "https://xn--mnchen-3ya.example/"
    assert collect("GET", "/r/tp2?u=https://m%C3%BCnster.example/").status == 400


def test_a_redirect_without_target(collecting):
    collect = collecting(enable_default_redirect=True)
    assert collect("GET", "/r/tp2?x=1").status == 400
    assert collect("GET", "/r/anything?u=%2Fa+b")["location"] == "/a%20b"
    assert collect("GET", "/r/anything?u=%2Fa&u=%2Fb")["location"] == "/a"
    assert [p.path for p in collect.kept] == ["/r/tp2", "/r/anything", "/r/anything"]


def test_the_macro_puts_the_network_user_id_in(collecting):
    target = "https://example.org/?id=${SP_NUID}&again=${SP_NUID}"
    query = f"/r/tp2?u={quote(target, safe='')}&nuid=a%26b"
    unchanged = collecting(enable_default_redirect=True)("GET", query)["location"]
    assert unchanged == "https://example.org/?id=$%7BSP_NUID%7D&again=$%7BSP_NUID%7D"
    collect = collecting(enable_default_redirect=True, redirect_macro={"enabled": True})
    assert collect("GET", query)["location"] == "https://example.org/?id=a%26b&again=a%26b"
    collect = collecting(enable_default_redirect=True, redirect_macro={"enabled": True, "placeholder": "[ID]"})
    answer = collect("GET", "/r/tp2?u=/x?%5BID%5D", ("SP-Anonymous", "*"))
    assert answer["location"] == "/x?00000000-0000-0000-0000-000000000000"

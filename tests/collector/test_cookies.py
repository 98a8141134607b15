"""The network user id: where it comes from, and the cookies that carry it."""

from __future__ import annotations

import pytest

FRESH = "11111111-2222-4333-8444-555555555555"
NOBODY = "00000000-0000-0000-0000-000000000000"
IN_A_YEAR = "Thu, 01 Apr 2027 10:00:00 GMT"
A_YEAR_AGO = "Tue, 01 Apr 2025 10:00:00 GMT"


@pytest.mark.parametrize(
    ("target", "cookies", "expected"),
    [
        ("/i", [], FRESH),
        ("/i?e=pv&nuid=abc", [], "abc"),
        ("/i?nuid=a%2Db+c", [], "a-b c"),
        ("/i?x=1;nuid=semi", [], "semi"),
        ("/i?n%75id=spelled", [], "spelled"),
        ("/i?nuid=first&nuid=second", [], "first"),
        ("/i?nuid", [], ""),
        ("/i?nuid=", ["sp=cookie"], ""),
        ("/i?tnuid=x", [], FRESH),
        ("/i?u=nuid=x", [], FRESH),
        ("/i?NUID=x", [], FRESH),
        ("/i", ["sp=cookie"], "cookie"),
        ("/i", ["a=1; sp=one; sp=two"], "one"),
        ("/i", ["a=1", "sp=later-line"], "later-line"),
        ("/i", ['sp="quoted%20"'], '"quoted%20"'),
        ("/i", ["SP=case"], FRESH),
        ("/i", ["xsp=no; sp2=no"], FRESH),
        ("/i", ["sp=a=b"], "a=b"),
        ("/i", ["sp="], ""),
        ("/i?nuid=query", ["sp=cookie"], "query"),
    ],
)
def test_where_the_network_user_id_comes_from(collecting, target, cookies, expected):
    collect = collecting()
    answer = collect("GET", target, *[("Cookie", line) for line in cookies])
    assert collect.one.network_user_id == expected
    assert answer["set-cookie"] == (f"sp={expected}; Expires={IN_A_YEAR}; Path=/; SameSite=None; Secure; HttpOnly")


@pytest.mark.parametrize("anonymous", ["*", ""])
@pytest.mark.parametrize("target", ["/i", "/i?nuid=x"])
def test_anonymous_visitors_have_no_id_and_lose_their_cookie(collecting, anonymous, target):
    collect = collecting(cookie={"client_cookie_name": "spc"})
    header = ("SP-Anonymous", anonymous)
    assert collect("GET", target, header).all("set-cookie") == []
    assert collect("GET", target, header, ("Cookie", "spc=x")).all("set-cookie") == []
    assert collect("GET", target, header, ("Cookie", "sp=x")).all("set-cookie") == [
        f"sp=; Expires={A_YEAR_AGO}; Path=/; SameSite=None; Secure; HttpOnly",
        f"spc=; Expires={A_YEAR_AGO}; Path=/; SameSite=None; Secure",
    ]
    assert {p.network_user_id for p in collect.kept} == {NOBODY}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "nuid", "expiration": "1 hour"}, "nuid={}; Expires=Wed, 01 Apr 2026 11:00:00 GMT; Path=/; "
         "SameSite=None; Secure; HttpOnly"),
        ({"same_site": "lax", "secure": False}, "sp={}; Expires=" + IN_A_YEAR + "; Path=/; SameSite=Lax; HttpOnly"),
        ({"sameSite": "STRICT"}, "sp={}; Expires=" + IN_A_YEAR + "; Path=/; SameSite=Strict; Secure; HttpOnly"),
        ({"secure": False}, "sp={}; Expires=" + IN_A_YEAR + "; Path=/; SameSite=None; Secure; HttpOnly"),
        ({"same_site": None, "secure": False, "http_only": False}, "sp={}; Expires=" + IN_A_YEAR + "; Path=/"),
        ({"fallback_domain": "f.example"}, "sp={}; Expires=" + IN_A_YEAR + "; Domain=f.example; Path=/; "
         "SameSite=None; Secure; HttpOnly"),
    ],
)  # fmt: skip
def test_how_the_cookie_is_written(collecting, settings, expected):
    assert collecting(cookie=settings)("POST", "/a/b").all("set-cookie") == [expected.format(FRESH)]


def test_a_cookie_that_may_not_be_set_is_still_read(collecting):
    collect = collecting(cookie={"enabled": False, "client_cookie_name": "c"})
    assert collect("GET", "/i", ("Cookie", "sp=known")).all("set-cookie") == []
    assert collect.one.network_user_id == "known"


def test_the_client_cookie_is_readable_by_scripts_and_never_read_back(collecting):
    collect = collecting(cookie={"clientCookieName": "spc"})
    answer = collect("GET", "/i", ("Cookie", "spc=theirs"))
    assert answer.all("set-cookie") == [
        f"sp={FRESH}; Expires={IN_A_YEAR}; Path=/; SameSite=None; Secure; HttpOnly",
        f"spc={FRESH}; Expires={IN_A_YEAR}; Path=/; SameSite=None; Secure",
    ]


@pytest.mark.parametrize(
    ("origin", "domains", "expected"),
    [
        ("https://domain.com", ["domain.com"], "domain.com"),
        ("https://www.domain.com", ["domain.com"], "domain.com"),
        ("https://secure.client.domain.com:8443", ["domain.com"], "domain.com"),
        ("https://secure.client.domain.com", ["client.domain.com"], "client.domain.com"),
        ("https://domain.com", ["client.domain.com"], None),
        ("https://www.domain.com", ["client.domain.com"], None),
        ("https://notsnplow.com", ["snplow.com"], None),
        ("https://blog.snplow.comsnplow.com", ["snplow.com"], None),
        ("https://blog.snplow.com.snplow.com", ["snplow.com"], "snplow.com"),
        ("https://DOMAIN.com", ["domain.com"], None),
        ("https://b.com https://a.com", ["a.com", "b.com"], "a.com"),
        ("null https://a.com", ["a.com"], "a.com"),
        ("null", ["a.com"], None),
        (None, ["a.com"], None),
    ],
)
@pytest.mark.parametrize("fallback", [None, "fall.back"])
def test_cookie_domain(collecting, origin, domains, expected, fallback):
    collect = collecting(cookie={"domains": domains, "fallback_domain": fallback})
    cookie = collect("GET", "/i", *([("Origin", origin)] if origin else []))["set-cookie"]
    chosen = expected or fallback
    assert (f"; Domain={chosen}; Path" in cookie) if chosen else ("Domain" not in cookie)


@pytest.mark.parametrize("value", ["a%0d%0aX:y", "a;Domain=evil", "a%00b", "☃"])
def test_an_id_from_the_query_cannot_write_other_headers_or_attributes(collecting, value):
    collect = collecting()
    target = f"/i?nuid={value}".encode()
    cookie = collect("GET", target)["set-cookie"]
    assert "\r" not in cookie
    assert "\n" not in cookie
    assert "\0" not in cookie
    assert "evil" not in cookie
    assert len(collect.kept) == 1


@pytest.mark.parametrize(
    ("cookie", "opted_out"),
    [
        ("optout=yes-1", True),
        ("a=b; optout=yes-22", True),
        ("optout=yes-", False),
        ("optout=yes-1x", False),
        ("optout=no; optout=yes-1", False),
        ("OPTOUT=yes-1", False),
        ("", False),
    ],
)
@pytest.mark.parametrize(
    ("method", "target", "status"), [("GET", "/i", 200), ("POST", "/a/b", 200), ("GET", "/r/tp2?u=/x", 302)]
)
def test_do_not_track_cookie(collecting, cookie, opted_out, method, target, status):
    collect = collecting(
        do_not_track_cookie={"enabled": True, "name": "optout", "value": "yes-[0-9]+"}, enable_default_redirect=True
    )
    answer = collect(method, target, ("Cookie", cookie))
    assert answer.status == status
    assert (answer["set-cookie"] is None) is opted_out
    assert (collect.kept == []) is opted_out


class TestBounce:
    def test_a_browser_without_cookie_is_sent_round_once(self, collecting):
        collect = collecting(cookie_bounce={"enabled": True})
        answer = collect("GET", "/i?e=pv&page=a+b%26c&n=")
        assert (answer.status, answer.body) == (302, b"")
        assert answer["location"] == "/i?e=pv&page=a%20b%26c&n=&n3pc=true"
        assert answer["set-cookie"].startswith(f"sp={FRESH};")
        assert answer["cache-control"] == "no-cache, no-store, must-revalidate"
        assert answer["access-control-allow-origin"] == "*"
        assert answer["content-type"] is None
        assert collect.kept == []

    def test_a_request_without_query(self, collecting):
        assert collecting(cookie_bounce={"enabled": True})("HEAD", "/i")["location"] == "/i?n3pc=true"

    def test_it_never_points_to_another_host(self, collecting):
        collect = collecting(cookie_bounce={"enabled": True}, paths={"//x": "/a/b"})
        assert collect("GET", "//x")["location"] == "/x?n3pc=true"

    def test_the_second_request_is_kept(self, collecting):
        collect = collecting(cookie_bounce={"enabled": True})
        assert collect("GET", "/i?e=pv&n3pc=true").status == 200
        collect("GET", "/i?e=pv&n3pc=true", ("Cookie", "sp=came-back"))
        assert [p.network_user_id for p in collect.kept] == ["00000000-0000-4000-A000-000000000000", "came-back"]
        assert {p.querystring for p in collect.kept} == {"e=pv&n3pc=true"}

    @pytest.mark.parametrize(
        ("method", "target", "header"),
        [
            ("POST", "/a/b", ("X-A", "b")),
            ("GET", "/i", ("Cookie", "sp=x")),
            ("GET", "/i?nuid=x", ("X-A", "b")),
            ("GET", "/i", ("SP-Anonymous", "*")),
            ("GET", "/r/tp2?u=/x", ("X-A", "b")),
        ],
    )
    def test_who_is_not_sent_round(self, collecting, method, target, header):
        collect = collecting(cookie_bounce={"enabled": True}, enable_default_redirect=True)
        answer = collect(method, target, header)
        assert (answer.status, answer["location"]) in [(200, None), (302, "/x")]
        assert len(collect.kept) == 1

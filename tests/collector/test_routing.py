"""Which request is which: the routing table of Snowplow's collector, and the paths of Simple Snowplow."""

from __future__ import annotations

import pytest

TP2 = "/com.snowplowanalytics.snowplow/tp2"


@pytest.mark.parametrize(
    ("method", "target", "status", "path"),
    [
        ("POST", TP2, 200, TP2),
        ("GET", TP2, 200, TP2),
        ("HEAD", TP2, 200, TP2),
        ("GET", "/com.snowplowanalytics.snowplow/tp1", 200, "/com.snowplowanalytics.snowplow/tp1"),
        ("POST", "/com.mailgun/v1", 200, "/com.mailgun/v1"),
        ("POST", "/any.vendor/at-all", 200, "/any.vendor/at-all"),
        ("GET", "/i", 200, "/i"),
        ("HEAD", "/i", 200, "/i"),
        ("GET", "/ice.png", 200, "/ice.png"),
        ("HEAD", "/ice.png", 200, "/ice.png"),
        ("GET", "/%69", 200, "/i"),
        ("GET", "/i/", 200, "/i/"),
        ("GET", "/vendor/", 200, "/vendor/"),
        ("GET", "/com.%61cme/v%31", 200, "/com.acme/v1"),
        # Simple Snowplow's, and trackers that POST to the pixel
        ("POST", "/tracker", 200, TP2),
        ("POST", "/i", 200, TP2),
        # nothing of these is kept
        ("POST", "/ice.png", 404, None),
        ("GET", "/tracker", 404, None),
        ("GET", "/a/b/", 404, None),
        ("GET", "/a/b/c", 404, None),
        ("GET", "//a/b", 404, None),
        ("GET", "//b", 404, None),
        ("GET", "/r", 404, None),
        ("GET", "/r/x/y", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/unknown", 404, None),
        ("GET", "/crossdomain.xml", 404, None),
        ("PUT", TP2, 404, None),
        ("DELETE", TP2, 404, None),
        ("PATCH", TP2, 404, None),
        ("TRACE", "/i", 404, None),
        ("POST", "/health", 404, None),
        ("HEAD", "/health", 404, None),
        ("POST", "/robots.txt", 404, None),
        ("HEAD", "/robots.txt", 404, None),
        ("POST", "/", 404, None),
        ("HEAD", "/", 404, None),
    ],
)
def test_what_is_kept_under_which_path(collecting, method, target, status, path):
    collect = collecting()
    answer = collect(method, target)
    assert answer.status == status
    assert [payload.path for payload in collect.kept] == ([] if path is None else [path])
    if status == 404:
        assert answer.body == b"Not found"
        assert answer["content-type"] == "text/plain; charset=UTF-8"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT"])
def test_redirects_are_off_unless_wanted(collecting, method):
    collect = collecting()
    answer = collect(method, "/r/tp2?u=https%3A%2F%2Fexample.org")
    assert (answer.status, answer.body) == (404, b"redirects disabled")
    assert collect.kept == []


def test_configured_paths_replace_the_request_path(collecting):
    collect = collecting(
        paths={"/com.acme/track": TP2, "/com.acme/redirect": "/r/tp2", "/sendgrid": "/com.sendgrid/v3"}
    )
    assert collect("POST", "/com.acme/track").body == b"ok"
    assert collect("GET", "/com.acme/track")["content-type"] == "image/gif"
    assert collect("POST", "/sendgrid").status == 200
    assert collect("GET", "/com.acme/redirect?u=https%3A%2F%2Fexample.org").status == 302
    assert collect("GET", "/COM.acme/track").status == 200
    assert [p.path for p in collect.kept] == [TP2, TP2, "/com.sendgrid/v3", "/r/tp2", "/COM.acme/track"]


def test_the_pixel_and_post_paths_can_be_chosen(collecting):
    collect = collecting(post_paths=["/my/events", "/t"], pixel_paths=["/p.gif"])
    assert collect("POST", "/my/events").status == collect("POST", "/t").status == 200
    assert collect("GET", "/p.gif?e=pv").status == 200
    assert collect("GET", "/i").status == 404
    assert [p.path for p in collect.kept] == [TP2, TP2, "/i"]


async def _page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def _broken(scope, receive, send):
    raise RuntimeError("nobody foresaw this")


def test_further_applications_own_their_path_and_all_below(collecting):
    collect = collecting(more={"/static": _page, "/demo": _broken})
    assert collect("GET", "/static/sp.js").body == b"/static/sp.js"
    assert collect("GET", "/static").body == b"/static"
    assert collect("GET", "/statics/sp.js")["content-type"] == "image/gif"
    assert collect("GET", "/demo/x").status == 503
    assert [p.path for p in collect.kept] == ["/statics/sp.js"]

"""Pages on the collector's port under Simple Snowplow's names."""

from __future__ import annotations

import json

from snowgauge.collector.pages.description import description
from snowgauge.collector.pages.figures import figures
from snowgauge.collector.pages.system_health import system_health
from snowgauge.collector.settings import CollectorSettings

SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def health(status, clock=lambda: 0.0, keep=2.0):
    asked = []

    def check():
        asked.append(1)
        if isinstance(status, Exception):
            raise status
        return status

    return system_health(check, "local", keep_seconds=keep, monotonic=clock), asked


def test_health_is_simple_snowplows(collecting):
    app, _ = health({"clickhouse": True})
    answer = collecting(more={"/": app})("GET", "/")
    assert answer.status == 200
    assert answer["content-type"] == "application/json"
    assert json.loads(answer.body) == {"status": {"clickhouse": True}, "healthy": True, "table": "local"}
    assert {name: answer[name] for name in SAFE} == SAFE


def test_a_database_that_is_away_is_told_with_502(collecting):
    app, _ = health({"clickhouse": False, "eventlog": True})
    answer = collecting(more={"/": app})("GET", "/")
    assert answer.status == 502
    assert json.loads(answer.body) == {"status": {"clickhouse": False, "eventlog": True}, "healthy": False}


def test_a_check_that_fails_is_no_500(collecting):
    app, _ = health(RuntimeError("the driver is not installed"))
    answer = collecting(more={"/": app})("GET", "/")
    assert (answer.status, json.loads(answer.body)) == (502, {"status": {}, "healthy": False})


def test_the_database_is_not_asked_at_every_request(collecting):
    now = [0.0]
    app, asked = health({"clickhouse": True}, clock=lambda: now[0])
    collect = collecting(more={"/": app})
    for _ in range(5):
        assert collect("GET", "/").status == 200
    assert len(asked) == 1
    now[0] = 2.0
    collect("GET", "/")
    assert len(asked) == 2


def test_the_root_owns_only_itself(collecting):
    app, _ = health({"clickhouse": True})
    collect = collecting(more={"/": app})
    assert collect("GET", "/i?e=pv").status == 200
    assert collect("GET", "//a/b").status == 404
    assert collect("GET", "/nowhere").status == 404
    assert collect("POST", "/", body=b"").status == 404
    assert collect("HEAD", "/").body == b""


def test_figures_are_served_and_the_slash_leads_to_them(collecting):
    collect = collecting(more={"/metrics": figures("/metrics/")})
    answer = collect("GET", "/metrics")
    assert answer.status == 200
    assert answer["content-type"].startswith("text/plain; version=0.0.4")
    slash = collect("GET", "/metrics/")
    assert (slash.status, slash["location"]) == (307, "/metrics")
    assert collect("GET", "/metrics/x").status == 404


def test_the_docs_tell_the_paths_that_are_served(collecting):
    settings = CollectorSettings.model_validate({"paths": {"/sendgrid": "/com.sendgrid/v3"}})
    pages = description(settings, "https://c.example/", {"/": "The whole system works"})
    collect = collecting(more=pages, paths={"/sendgrid": "/com.sendgrid/v3"})
    document = json.loads(collect("GET", "/openapi.json").body)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "https://c.example"}]
    assert {"/tracker", "/i", "/sendgrid", "/com.snowplowanalytics.snowplow/tp2", "/health", "/"} <= set(
        document["paths"]
    )
    for path, operations in document["paths"].items():
        for method in set(operations) & {"get", "post"}:
            if path not in ("/", "/{vendor}/{version}"):
                answer = collect(method.upper(), path, body=b"{}" if method == "post" else b"")
                assert str(answer.status) in operations[method]["responses"], (method, path)
    for path in ("/docs", "/redoc"):
        page = collect("GET", path)
        assert page.status == 200
        assert page["content-type"].startswith("text/html")
        assert b"/tracker" in page.body
        assert b"http://" not in page.body, "nothing is loaded from elsewhere"
        assert b"<script" not in page.body


def test_without_docs_their_paths_are_not_there(collecting):
    collect = collecting()
    assert [collect("GET", path).status for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/")] == [404] * 5


def test_a_page_may_say_more_itself(collecting):
    async def framed(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"SAMEORIGIN")]})
        await send({"type": "http.response.body", "body": b""})

    assert collecting(more={"/demo": framed})("GET", "/demo/").all("x-frame-options") == ["SAMEORIGIN"]


def test_a_trackers_request_gets_no_page_headers(collecting):
    answer = collecting()("GET", "/i?e=pv")
    assert [name for name in SAFE if answer[name]] == []

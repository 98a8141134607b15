"""What Simple Snowplow's README promises and its code did not keep, on a running deployment with its variables."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from snowgauge.testing.deployment import Deployment, wait_until
from snowgauge.testing.web import Web, serving

ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Web]:
    with serving() as web:
        web.answers["/"] = (200, {"version": "8.15.0"})
        web.answers["/intake/v2/events"] = (202, {})
        web.answers["/api/7/envelope/"] = (200, {})
        yield web


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, receiver: Web) -> Iterator[Deployment]:
    settings = {
        "iglu.iglu_central": "false",
        "common.service_name": "shop",
        "prometheus.enabled": "true",
        "sentry.enabled": "true",
        "sentry.dsn": f"http://key@{receiver.host}/7",
        "sentry.traces_sample_rate": "1",
        "elastic_apm.enabled": "true",
        "elastic_apm.server_url": receiver.url,
        "performance.healthcheck_cache_ttl_seconds": "0",
    }
    deployment = Deployment(tmp_path_factory.mktemp("simple") / "data", settings)
    with deployment:
        yield deployment


def ask(
    deployment: Deployment, method: str, target: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", deployment.port, timeout=30)
    try:
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send(deployment: Deployment, path: str, *events: dict[str, str]) -> int:
    payload = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": list(events)}
    return ask(deployment, "POST", path, json.dumps(payload).encode(), **{"Content-Type": "application/json"})[0]


def event(app: str, **fields: str) -> dict[str, str]:
    return {"e": "pv", "p": "web", "tv": "js-4.6.9", "aid": app, "url": "https://shop.example/", **fields}


def context(schema: str, data: Any) -> str:
    return json.dumps(
        {
            "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1",
            "data": [{"schema": schema, "data": data}],
        }
    )


@pytest.mark.parametrize("path", ["/tracker", "/i", "/com.snowplowanalytics.snowplow/tp2"])
def test_the_readmes_snippet_works_with_and_without_its_post_path(running: Deployment, path: str) -> None:
    app = "snippet" + path.replace("/", "-").replace(".", "-")
    assert send(running, path, event(app)) == 200
    assert len(running.events(app, 1)) == 1


def test_the_readmes_queries_run_unchanged(running: Deployment) -> None:
    assert send(running, "/tracker", event("readme", refr="https://www.google.com/", duid=ID, sid=ID)) == 200
    assert send(running, "/tracker", event("readme", e="se", se_ca="video", se_ac="play")) == 200
    # more than any other test sends of another type, whichever ran before this one
    assert send(running, "/tracker", *(event("readme") for _ in range(3))) == 200
    running.events("readme", 5)
    pages = running.sql(
        "SELECT time, page, refr, device_id, session_id FROM snowplow.local WHERE event_type = 'page_view' "
        "AND time > now() - INTERVAL 1 DAY ORDER BY time DESC LIMIT 100"
    )
    assert {
        "page": "https://shop.example/",
        "refr": "https://www.google.com/",
        "device_id": ID,
        "session_id": ID,
    }.items() <= {key: value for row in pages if row["refr"] for key, value in row.items()}.items()
    counts = running.sql(
        "SELECT event_type, count() AS events FROM snowplow.local GROUP BY event_type ORDER BY events DESC"
    )
    assert counts[0]["event_type"] == "page_view"
    assert {row["event_type"] for row in counts} >= {"page_view", "struct"}


def test_events_that_the_reference_refused_are_kept(running: Deployment) -> None:
    """No `res`, IPv6, a platform of its own, GET as trackers send it, no User-Agent."""
    assert send(running, "/tracker", event("kept")) == 200
    assert send(running, "/tracker", event("kept", p="headset")) == 200
    target = "/i?e=pv&p=web&tv=js-4&aid=kept&url=https%3A%2F%2Fshop.example%2F"
    assert ask(running, "GET", target, **{"X-Forwarded-For": "2001:db8::1"})[0] == 200
    found = running.events("kept", 3)
    assert any(row["user_ipaddress"].startswith("2001:db8:") for row in found), "shortened, as the default has it"
    assert "headset" in {row["platform"] for row in found}


def test_an_entity_nobody_knows_is_not_dropped_in_silence(running: Deployment) -> None:
    entity = context("iglu:com.acme/unheard_of/jsonschema/1-0-0", {"a": 1})
    assert send(running, "/tracker", event("unknown", co=entity), event("unknown")) == 200
    wait_until(
        lambda: bool(running.sql("SELECT 1 FROM atomic.failed_events WHERE app_id = 'unknown'")),
        "the failed event",
        within=180,
    )
    assert len(running.sql("SELECT 1 FROM atomic.events WHERE app_id = 'unknown'")) == 1, "its neighbour is kept"
    assert len(running.sql("SELECT 1 FROM atomic.incomplete_events WHERE app_id = 'unknown'")) == 1


def test_its_own_schemas_are_known(running: Deployment) -> None:
    entity = context("iglu:dev.snowplow.simple/page_data/jsonschema/1-0-0", {"id": "qwe123", "section": None})
    assert send(running, "/tracker", event("own", co=entity)) == 200
    running.events("own", 1)
    assert running.sql("SELECT toString(page_data.id) AS id FROM snowplow.local WHERE app_id = 'own'") == [
        {"id": "qwe123"}
    ]


def test_sendgrids_webhook_is_stored(running: Deployment) -> None:
    items = [
        {"email": "a@example.com", "timestamp": 1_700_000_000, "smtp-id": "<1>", "event": kind, "category": category,
         "sg_event_id": f"sendgrid-internal-id-{kind}", "sg_message_id": "m"}
        for kind, category in (("processed", ["cat"]), ("delivered", "cat"))
    ]  # fmt: skip
    assert (
        ask(running, "POST", "/sendgrid", json.dumps(items).encode(), **{"Content-Type": "application/json"})[0] == 200
    )

    def stored() -> bool:
        rows = running.sql("SELECT event_name FROM atomic.events WHERE event_vendor = 'com.sendgrid'")
        return {row["event_name"] for row in rows} == {"processed", "delivered"}

    wait_until(stored, "both of SendGrid's events", within=180)


def test_health_says_what_is_away_and_events_are_kept_meanwhile(running: Deployment) -> None:
    def health() -> tuple[int, Any]:
        status, body = ask(running, "GET", "/")
        return status, json.loads(body)

    well = 200, {"status": {"clickhouse": True, "eventlog": True}, "healthy": True, "table": "local"}
    assert health() == well
    before = running.pid("clickhouse")
    assert running.kill("clickhouse")
    wait_until(lambda: health()[0] == 502 or health() == well, "health changes")
    assert ask(running, "GET", "/sink-health")[0] == 200
    assert send(running, "/tracker", event("meanwhile")) == 200
    wait_until(lambda: running.pid("clickhouse") != before and running.engine_up(), "the engine is back")
    wait_until(lambda: health() == well, "health is back")
    assert len(running.events("meanwhile", 1)) == 1


def test_pages_and_figures(running: Deployment) -> None:
    assert ask(running, "GET", "/docs")[0] == 200
    assert b"/tracker" in ask(running, "GET", "/openapi.json")[1]
    send(running, "/tracker", event("figures"))
    running.events("figures", 1)
    figures = (b"snowgauge_pipeline_outcomes_total", b"snowgauge_collector_requests_total")
    wait_until(  # a row can be seen before those who brought it there have counted it
        lambda: all(name in ask(running, "GET", "/metrics")[1] for name in figures),
        "figures of all processes",
        within=180,
    )
    assert ask(running, "GET", "/metrics")[0] == 200


def test_making_tables_is_explicit_and_repeatable(running: Deployment) -> None:
    assert b"up to date" in running.command("db", "init")
    assert b"up to date" in running.command("db", "init")


def test_settings_are_shown_without_secrets(running: Deployment) -> None:
    shown = json.loads(running.command("settings"))
    assert shown["common"]["service_name"] == "shop"
    assert shown["sentry"]["dsn"] == "********"


def test_every_role_reports(running: Deployment, receiver: Web) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.console_port, timeout=30)
    connection.request("GET", "/health")
    assert connection.getresponse().read()
    connection.close()
    send(running, "/tracker", event("reported"))
    running.events("reported", 1)
    try:
        assert running.stop() == 0  # what waits is reported at the latest now
    finally:
        running.start()  # for the tests that come after
    sentry = [request.body for request in receiver.asked if request.path == "/api/7/envelope/"]
    apm = [request for request in receiver.asked if request.path == "/intake/v2/events"]
    assert sentry
    roles = {
        role for role in ("collector", "pipeline", "console", "clickhouse") if any(_names(r.body, role) for r in apm)
    }
    assert roles == {"collector", "pipeline", "console", "clickhouse"}


def _names(body: bytes, role: str) -> bool:
    import zlib

    text = zlib.decompress(body, wbits=47).decode()
    return f'"configured_name":"{role}"' in text or f'"configured_name": "{role}"' in text

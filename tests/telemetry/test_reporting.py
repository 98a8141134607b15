"""The real SDKs of Sentry and Elastic APM send to a receiver on this machine; what they send is looked through."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from snowgauge.telemetry.reporting import scrubbing
from snowgauge.testing.web import Asked, Web, serving

PERSONAL = ("jane@example.com", "203.0.113.77", "5f0c6a8e-1111-4222-8333-0123456789ab", "Jane Doe", "s3cret-cookie")

PROGRAM = """
import asyncio, sys
from snowgauge.pipeline.reporters import reported
from snowgauge.settings.load import load
from snowgauge.telemetry import logs
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.reporting import reports
from snowgauge.telemetry.reporting.requests import Traced
from snowgauge.errors import LogUnavailable

log = logger("collector")

async def application(scope, receive, send):
    body = "Jane Doe <jane@example.com> 203.0.113.77"
    cookie = "sp=s3cret-cookie"
    with reports.span("inner step"):
        try:
            raise KeyError(body)
        except KeyError:
            log.error("request_failed", path="/i?uid=jane@example.com", exc_info=True)
    try:
        raise LogUnavailable("disk full for jane@example.com at /var/lib")
    except LogUnavailable:
        log.exception("log_away")
    log.error("plain_error", reason="203.0.113.77 sent 5f0c6a8e-1111-4222-8333-0123456789ab", waiting=7, body=body)
    log.info("not_told", reason=body)
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})

@reported(sys.argv[1])
def run(settings):
    scope = {"type": "http", "method": "POST", "path": "/tracker/jane@example.com", "query_string": b"uid=Jane Doe",
             "headers": [(b"cookie", b"sp=s3cret-cookie"), (b"x-forwarded-for", b"203.0.113.77")]}
    async def send(message): pass
    async def receive(): return {"type": "http.request", "body": b"Jane Doe"}
    asyncio.run(Traced(application, lambda scope: "/{vendor}/{version}")(scope, receive, send))
    with reports.transaction("enrich", "batch"):
        pass
    raise ValueError("Jane Doe cannot be an integer")

logs.configure("INFO")
settings = load(flags=sys.argv[2:]).settings
try:
    run(settings)
except ValueError:
    pass
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as found:
        yield found


def run(role: str, *flags: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, role, *flags], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def text(request: Asked) -> str:
    encoding = request.headers.get("content-encoding")
    body = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(encoding or "", bytes)(request.body)
    return body.decode()


def lines(requests: list[Asked]) -> list[Any]:
    return [json.loads(line) for request in requests for line in text(request).splitlines() if line[:1] == "{"]


def whole(requests: list[Asked]) -> str:
    return "\n".join(request.target + json.dumps(request.headers) + text(request) for request in requests)


ROLES = ("collector", "pipeline", "console", "clickhouse")


@pytest.mark.parametrize("role", ROLES)
def test_sentry_gets_errors_and_durations_and_nothing_about_visitors(web: Web, role: str) -> None:
    web.answers["/api/7/envelope/"] = (200, {})
    run(
        role,
        "sentry.enabled=true",
        f"sentry.dsn=http://key@{web.host}/7",
        "sentry.traces_sample_rate=1.0",
        "sentry.environment=stage",
        "common.service_name=shop-events",
    )
    sent = lines(web.asked)
    errors = {item["tags"]["event"]: item for item in sent if item.get("level") == "error"}
    assert set(errors) == {"request_failed", "log_away", "plain_error", "process_failed"}
    traces = {item["transaction"]: item for item in sent if "spans" in item}
    assert set(traces) == {"POST /{vendor}/{version}", "enrich"}
    for item in (*errors.values(), *traces.values()):
        assert item["environment"] == "stage"
        assert item["tags"]["role"] == role
        assert item["tags"]["service"] == "shop-events"
        assert item["release"].startswith("snowgauge@")
    value = errors["request_failed"]["exception"]["values"][-1]
    assert (value["type"], value["value"]) == ("KeyError", scrubbing.LEFT_OUT)
    assert any(frame["function"] == "application" for frame in value["stacktrace"]["frames"])
    assert errors["log_away"]["exception"]["values"][-1]["value"] == "disk full for *** at /var/lib"
    assert errors["plain_error"]["contexts"]["log line"] == {"reason": "*** sent ***", "waiting": 7}
    assert errors["process_failed"]["exception"]["values"][-1]["type"] == "ValueError"
    request = traces["POST /{vendor}/{version}"]
    assert request["tags"]["result"] == "5xx"
    assert [span["description"] for span in request["spans"]] == ["inner step"]
    assert [word for word in PERSONAL if word in whole(web.asked)] == []


@pytest.mark.parametrize("role", ROLES)
def test_elastic_apm_gets_errors_and_durations_and_nothing_about_visitors(web: Web, role: str) -> None:
    web.answers["/"] = (200, {"version": "8.15.0"})
    web.answers["/intake/v2/events"] = (202, {})
    run(
        role,
        "elastic_apm.enabled=true",
        f"elastic_apm.server_url={web.url}",
        "elastic_apm.secret_token=apm-token",
        "common.service_name=shop-events",
        "sentry.environment=stage",
    )
    intake = [request for request in web.asked if request.path == "/intake/v2/events"]
    assert {request.headers["authorization"] for request in intake} == {"Bearer apm-token"}
    sent = lines(intake)
    service = next(item["metadata"]["service"] for item in sent if "metadata" in item)
    assert (service["name"], service["environment"], service["node"]["configured_name"]) == (
        "shop-events",
        "stage",
        role,
    )
    traces = {item["transaction"]["name"]: item["transaction"] for item in sent if "transaction" in item}
    assert set(traces) == {"POST /{vendor}/{version}", "enrich"}
    assert traces["POST /{vendor}/{version}"]["result"] == "5xx"
    assert traces["POST /{vendor}/{version}"]["outcome"] == "failure"
    assert [item["span"]["name"] for item in sent if "span" in item] == ["inner step"]
    errors = {item["error"]["context"]["custom"]["event"]: item["error"] for item in sent if "error" in item}
    assert set(errors) == {"request_failed", "log_away", "plain_error", "process_failed"}
    assert errors["request_failed"]["exception"]["message"] == f"KeyError: {scrubbing.LEFT_OUT}"
    assert errors["log_away"]["exception"]["message"] == "LogUnavailable: disk full for *** at /var/lib"
    assert errors["plain_error"]["context"]["custom"]["reason"] == "*** sent ***"
    assert [word for word in PERSONAL if word in whole(web.asked)] == []


def test_a_receiver_that_is_away_stops_nothing() -> None:
    run("collector", "sentry.enabled=true", "sentry.dsn=http://key@127.0.0.1:9/7", "sentry.traces_sample_rate=1")


def test_nothing_is_sent_unless_asked_for(web: Web) -> None:
    run("collector", f"sentry.dsn=http://key@{web.host}/7", f"elastic_apm.server_url={web.url}")
    assert web.asked == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("to jane.doe+x@mail.example.com now", "to *** now"),
        ("GET https://c.example/i?e=pv&uid=jane failed", "GET https://c.example/i?*** failed"),
        ("peer 203.0.113.77:4711", "peer ***:4711"),
        ("peer 2001:db8::1 gone", "peer *** gone"),
        ("id 5F0C6A8E-1111-4222-8333-0123456789AB", "id ***"),
        ("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9eyJzdWIiOiIxMjM0NTY3ODkwIn0", "token ***"),
        ("batch stored at 12:30:05, 17 rows", "batch stored at 12:30:05, 17 rows"),
        ("collector.port: cannot listen", "collector.port: cannot listen"),
    ],
)
def test_what_looks_like_a_person_is_blanked(said: str, told: str) -> None:
    assert scrubbing.text(said) == told

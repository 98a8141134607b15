"""What a running deployment says about itself: state, readiness, figures, traces and log lines. And what it does not:
nothing of what visitors sent, however it failed."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from snowgauge.telemetry.metrics import METRICS
from snowgauge.testing.deployment import Deployment, free_port, wait_until
from snowgauge.testing.otlp import Span, spans
from snowgauge.testing.web import Web, serving

pytestmark = pytest.mark.e2e

EMAIL, USER, ADDRESS, COOKIE = "jane.canary@example.com", "canary-user-4711", "198.51.100.77", "canary-cookie-0815"
PERSONAL = (EMAIL, quote(EMAIL, safe=""), "jane.canary", USER, ADDRESS, COOKIE)

BREAKS = f'''
"""Breaks for some visitors."""

def enrich(event, source):
    if event.app_id == "breaks":
        raise KeyError(f"{{event.user_id}} {EMAIL} {{source.headers}}")
'''

PROCESSES = {"clickhouse-0", "collector-0", "console-0", "modeller-0", "pipeline-0"}

Answer = tuple[int, dict[str, str], bytes]


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Web]:
    with serving() as web:
        web.answers["/v1/traces"] = (200, b"")
        yield web


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, receiver: Web) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("running")
    (folder / "enrichments").mkdir()
    (folder / "enrichments" / "breaks.py").write_text(BREAKS)
    settings = {
        "iglu.iglu_central": "false",
        "logging.json_format": "true",
        "enrichments.folder": str(folder / "enrichments"),
        "opentelemetry.enabled": "true",
        "opentelemetry.endpoint": f"{receiver.url}/v1/traces",
    }
    with Deployment(folder / "data", settings) as deployment:
        yield deployment


def status(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snowgauge", "status", *arguments],
        env=deployment._environment,
        cwd=deployment.data_dir.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def visit(deployment: Deployment, **parameters: str) -> int:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    headers = {"Cookie": f"id={COOKIE}", "X-Forwarded-For": ADDRESS, "User-Agent": f"Bot ({EMAIL})"}
    return ask(deployment.port, "GET", f"/i?tv=t&{query}", headers)[0]


def ready(deployment: Deployment) -> dict[str, Any]:
    code, _, body = ask(deployment.console_port, "GET", "/ready")
    return {"status": code, **{part["name"]: part["ok"] for part in json.loads(body)["parts"]}}


def test_ready_follows_the_store_on_the_private_port_and_the_log_on_the_collectors(running):
    wait_until(lambda: ready(running)["status"] == 200, "ready")
    assert ask(running.port, "GET", "/ready")[0] == ask(running.port, "GET", "/sink-health")[0] == 200
    running.kill("clickhouse")
    wait_until(lambda: ready(running) == {"status": 503, "store": False, "eventlog": True}, "the store is missed")
    # what comes is kept meanwhile, so a load balancer may go on sending it
    assert ask(running.port, "GET", "/ready")[0] == 200
    assert visit(running, e="pv", p="web", aid="kept") == 200
    wait_until(lambda: ready(running)["status"] == 200, "ready again")
    running.events("kept", 1)


def test_one_screen_shows_it_and_programs_get_the_same(running):
    for number in range(3):
        visit(running, e="pv", p="web", aid="screen", page=f"{number}")
    visit(running, e="pv", p="nowhere", aid="screen")
    wait_until(lambda: running.backlog() == 0, "everything is stored")
    running.events("screen", 3)
    wait_until(lambda: ready(running)["status"] == 200, "ready")
    screen = status(running)
    assert (screen.returncode, screen.stderr) == (0, "")
    for word in ("everything works", "collector", "eventlog", "pipeline", "store", "last stored", "waiting 0", "/s",
                 "disk", "free", "clickhouse-0", "console-0", "MB", "schema_violations"):  # fmt: skip
        assert word in screen.stdout, word
    assert len(screen.stdout.splitlines()) <= 24
    told = json.loads(status(running, "--json").stdout)
    assert (told["ready"], told["running"]) == (True, True)
    assert {part["name"]: part["ok"] for part in told["parts"]} == dict.fromkeys(
        ("collector", "eventlog", "pipeline", "store"), True
    )
    processes = {one["name"]: one for one in told["processes"]}
    assert set(processes) == PROCESSES
    assert processes["clickhouse-0"]["pid"] == running.pid("clickhouse")
    assert min(one["memory"] for one in processes.values()) > 10_000_000
    assert "schema_violations" in {one["type"] for one in told["failures"]}
    api = json.loads(ask(running.console_port, "GET", "/api/v1/health")[2])
    assert api.keys() == told.keys()
    assert [part["name"] for part in api["parts"]] == [part["name"] for part in told["parts"]]


def test_watching_shows_it_anew_until_it_is_stopped(running):
    watching = subprocess.Popen(
        [sys.executable, "-m", "snowgauge", "status", "--watch", "--every", "0.2", "--json"],
        env=running._environment,
        cwd=running.data_dir.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    first, second = (json.loads(watching.stdout.readline()) for _ in range(2))
    watching.send_signal(signal.SIGINT)
    watching.stdout.close()
    assert first["data_dir"] == second["data_dir"] == str(running.data_dir)
    assert watching.wait(30) == 0


def test_figures_are_those_of_the_table(running):
    visit(running, e="pv", p="web", aid="figures")
    visit(running, e="pv", p="nowhere", aid="figures")
    running.events("figures", 1)
    wait_until(lambda: b"snowgauge_failed_events_total" in ask(running.console_port, "GET", "/metrics")[2], "counted")
    text = ask(running.console_port, "GET", "/metrics")[2].decode()
    found = {family.name.removeprefix("snowgauge_"): family for family in text_string_to_metric_families(text)}
    table = {metric.name: metric for metric in METRICS}
    assert set(found) <= set(table)
    for name, family in found.items():
        assert family.type == table[name].kind
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(table[name].labels)
    assert {name.partition("_")[0] for name in found} >= {
        "collector", "eventlog", "pipeline", "enrichment", "store", "engine", "failed", "process", "disk", "part",
    }  # fmt: skip
    up = {sample.labels["process"]: sample.value for sample in found["process_up"].samples}
    assert up == dict.fromkeys(PROCESSES, 1)


def test_a_payload_is_followed_through_all_processes(running, receiver):
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    ask(running.port, "GET", "/i?e=pv&p=web&tv=t&aid=traced", {"traceparent": f"00-{trace}-{parent}-01"})

    def followed() -> dict[str, Span]:
        return {span.name: span for span in spans(receiver) if span.trace == trace}

    wait_until(lambda: len(followed()) == 3, "the trace has come")
    request, enrich, store = (followed()[name] for name in ("GET /i", "enrich", "store"))
    assert (request.parent, enrich.parent, store.parent) == (parent, request.id, enrich.id)
    assert [span.resource["service.instance.id"] for span in (request, enrich, store)] == [
        "collector", "pipeline", "pipeline",
    ]  # fmt: skip


def broken_requests(deployment: Deployment) -> None:
    """Everything that goes wrong in one way or another, each with a person in it."""
    port, private = deployment.port, deployment.console_port
    person = json.dumps({"email": EMAIL, "user": USER, "ip": ADDRESS})
    headers = {"Cookie": f"id={COOKIE}", "X-Forwarded-For": f"{ADDRESS}, {EMAIL}", "Content-Type": "application/json"}
    tp2 = "/com.snowplowanalytics.snowplow/tp2"
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    event = {"e": "ue", "p": "web", "tv": "t", "uid": USER, "ip": ADDRESS}

    def of(data: object, uri: str = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1") -> str:
        own = {"schema": uri, "data": data}
        wrapped = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": own}
        return json.dumps({"schema": schema, "data": [{**event, "ue_pr": json.dumps(wrapped)}]})

    bodies = [
        person,
        f'{{"schema": "{EMAIL}", "data": [',
        of({"targetUrl": 7, "elementId": EMAIL}),
        of({"who": EMAIL}, f"iglu:com.acme/{USER}/jsonschema/1-0-0"),
        json.dumps({"schema": schema, "data": [{**event, "ue_px": base64.b64encode(EMAIL.encode()).decode()[:-3]}]}),
        json.dumps({"schema": schema, "data": [{**event, "eid": EMAIL, "dtm": USER, "co": person}]}),
        json.dumps({"schema": schema, "data": [{"e": "pv", "x": EMAIL * 60_000}]}),
    ]
    for body in bodies:
        ask(port, "POST", tp2, headers, body.encode())
    ask(port, "POST", tp2, headers, b"\xff\xfe" + EMAIL.encode("utf-16"))
    ask(port, "GET", "/i?e=pv", {**headers, "Cookie": f"sp={COOKIE}"})
    for sender in ("sendgrid/v3", "mailchimp/v1", "mandrill/v1", "pagerduty/v1", "hubspot/v1", "unbounce/v1",
                   "mailgun/v1", "olark/v1", "marketo/v1", "vero/v1", "callrail/v1", "urbanairship.connect/v1",
                   "snowplowanalytics.iglu/v1", "google.analytics.measurement-protocol/v1"):  # fmt: skip
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            body = f"[{person}]" if "json" in kind else f"email={quote(EMAIL)}&user={USER}"
            ask(port, "POST", f"/com.{sender}?who={quote(EMAIL)}", {**headers, "Content-Type": kind}, body.encode())
    for path in (f"/{EMAIL}/v1", f"/{EMAIL}", f"/r/tp2?u=javascript:{EMAIL}", f"/i?%ff{EMAIL}", f"/static/{EMAIL}.js"):
        ask(port, "GET", path, headers)
    visit(deployment, e="pv", p="nowhere", aid="broken", uid=EMAIL, url=f"https://{USER}:p@[::{EMAIL}")
    visit(deployment, e="pv", p="web", aid="breaks", uid=USER)
    for method, path, body in (
        ("POST", "/api/v1/access/login", {"name": EMAIL, "password": COOKIE}),
        ("POST", "/api/v1/sql", {"sql": f"SELECT '{EMAIL}' FROM nowhere"}),
        ("GET", f"/api/v1/events?where=user_id:a~{quote(EMAIL)}&range=all", None),
        ("GET", f"/micro/{EMAIL}", None),
        ("GET", f"/api/v1/schemas/{EMAIL}/x", None),
    ):
        said = {"content-type": "application/json", "x-request-id": EMAIL, "cookie": f"snowgauge_session={COOKIE}"}
        ask(private, method, path, said, None if body is None else json.dumps(body).encode())


def lines(deployment: Deployment) -> list[dict[str, Any]]:
    text = deployment.log_file.read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_no_line_and_no_trace_holds_anything_of_a_person(running, receiver):
    broken_requests(running)
    running.kill("clickhouse")
    broken_requests(running)
    wait_until(lambda: running.engine_up() and running.backlog() == 0, "everything is stored")
    stored = running.sql("SELECT * FROM atomic.failed_events")
    assert any(EMAIL in json.dumps(row) for row in stored), "what is looked for never got in"
    assert {row["failure_type"] for row in stored} >= {
        "adapter_failures", "collector_payload_format_violation", "enrichment_failures", "schema_violations",
        "tracker_protocol_violations",
    }  # fmt: skip

    said = lines(running)
    events = {line["event"] for line in said}
    assert {"store_unreachable", "process_ended", "worker_started"} <= events
    assert all(line["level"] != "debug" for line in said)
    assert all(line["batch"] for line in said if line["event"] == "store_unreachable")

    text = running.log_file.read_text()
    sent = b"".join(asked.target.encode() + repr(asked.headers).encode() + asked.body for asked in receiver.asked)
    for personal in PERSONAL:
        assert personal not in text, next(line for line in text.splitlines() if personal in line)
        assert personal.encode() not in sent
    for shift in range(3):  # nor in Base64, wherever in it the text begins
        hidden = base64.b64encode(b"x" * shift + EMAIL.encode()).decode()[4:-4]
        assert hidden not in text
        assert hidden.encode() not in sent


def test_lines_that_are_no_json_are_those_of_the_command_for_people(running):
    text = running.log_file.read_text()
    other = [line for line in text.splitlines() if line and not line.startswith("{")]
    assert all(line.startswith(("ready after", "  ")) for line in other), other


def of_folder(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snowgauge", "status", "--set", f"common.data_dir={folder}", *arguments]
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)


def test_where_nothing_runs_it_is_said(tmp_path):
    done = of_folder(tmp_path / "data", "--set", f"clickhouse.engine.port={free_port()}")
    assert (done.returncode, done.stderr) == (3, "")
    assert "nothing of it runs on this machine" in done.stdout
    assert "snowgauge serve" in done.stdout
    assert str(tmp_path / "data") in done.stdout


def test_something_that_is_wrong_shows_in_the_exit_code(tmp_path):
    """A worker runs, and the store it needs is not there."""
    run = tmp_path / "data" / "run"
    run.mkdir(parents=True)
    program = [sys.executable, "-c", "import sys; sys.stdin.read()", "snowgauge", "pipeline"]
    with subprocess.Popen(program, stdin=subprocess.PIPE) as worker:
        (run / "pipeline-0.pid").write_text(f"{worker.pid}\n")
        done = of_folder(tmp_path / "data", "--json", "--set", f"clickhouse.engine.port={free_port()}")
        assert worker.stdin is not None
        worker.stdin.close()
    told = json.loads(done.stdout)
    assert (done.returncode, told["ready"], told["running"]) == (1, False, True)
    assert [part["name"] for part in told["parts"] if not part["ok"]] == ["store"]
    assert told["capacity"] is None

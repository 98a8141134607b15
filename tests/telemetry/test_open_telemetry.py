"""Traces by the real SDK to a receiver on this machine: one payload from its request to its row."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from snowgauge.collector.app import create_app
from snowgauge.collector.routing import request_name
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.worker import Worker
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import SettingsError, StoreUnavailable
from snowgauge.events import payload_record
from snowgauge.events.failed import Processor
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.trace_ids import trace_ids
from snowgauge.iglu import build as iglu_build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.pipeline.reporters import reporters
from snowgauge.settings.load import load
from snowgauge.store.memory import MemoryStore
from snowgauge.telemetry.reporting.reports import reporting
from snowgauge.telemetry.reporting.requests import Traced
from snowgauge.testing.asgi import Client
from snowgauge.testing.otlp import Span, spans
from snowgauge.testing.web import Web, serving

PIXEL = "/i?e=pv&p=web&tv=t&aid=shop&url=https%3A%2F%2Fexample.org%2F&uid=jane%40example.com"
BAD = "/i?e=pv&p=nowhere&tv=t&aid=shop&tna=jane%40example.com"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER, CLIENT, CONSUMER = 2, 3, 5


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as found:
        found.answers["/v1/traces"] = (200, b"")
        yield found


class Line:
    """Collector, log, worker and store of one deployment, as roles of their own: each with its own reporter."""

    def __init__(self, folder, web, *flags):
        self.folder, self.log, self.store = folder, MemoryLog(), MemoryStore()
        self.store.migrate()
        self.settings = load(
            flags=[
                "opentelemetry.enabled=true",
                f"opentelemetry.endpoint={web.url}/v1/traces",
                "common.service_name=shop-events",
                *flags,
            ]
        ).settings

    def collect(self, *requests, settings=None, writer=None):
        with reporting(reporters(self.settings, "collector")):
            app = create_app(settings or CollectorSettings(), writer or self.log.writer())
            with Client(Traced(app, request_name)) as client:
                for method, path, headers, body in requests:
                    client.request(method, path, headers, body)
                client.request("GET", "/health")

    def work(self):
        _, validator = iglu_build.build(IgluSettings(iglu_central=False), self.folder)
        with reporting(reporters(self.settings, "pipeline")):
            Worker(
                self.log.subscribe(),
                Enricher(validator),
                self.store,
                processor=Processor("t", "1"),
            ).run(until_empty=True)


def get(path, *headers):
    return ("GET", path, list(headers), b"")


def by_name(found: list[Span]) -> dict[str, list[Span]]:
    names: dict[str, list[Span]] = {}
    for span in found:
        names.setdefault(span.name, []).append(span)
    return names


def test_one_trace_leads_from_the_request_to_the_row(web, tmp_path):
    line = Line(tmp_path, web)
    line.collect(get(PIXEL))
    line.work()
    named = by_name(spans(web))
    assert {name: len(found) for name, found in named.items()} == {
        "GET /i": 1, "enrich": 1, "store": 1, "enrich batch": 1, "store batch": 1,
    }  # fmt: skip
    request, enrich, store = (named[name][0] for name in ("GET /i", "enrich", "store"))
    assert request.trace == enrich.trace == store.trace
    assert (request.parent, enrich.parent, store.parent) == ("", request.id, enrich.id)
    assert (request.kind, enrich.kind, store.kind) == (SERVER, CONSUMER, CLIENT)
    assert request.about == {"http.request.method": "GET", "http.route": "/i", "http.response.status_code": 200}
    outcome = {"events.enriched": 1, "events.failed": 0, "events.dropped": 0}
    assert {key: enrich.about[key] for key in outcome} == outcome
    for payload, batch in ((enrich, named["enrich batch"][0]), (store, named["store batch"][0])):
        assert batch.links == [(payload.trace, payload.id)]
        assert payload.links == [(batch.trace, batch.id)]
        assert batch.trace != payload.trace
        assert batch.about["payloads"] == 1
        assert batch.about["batch"]
    assert request.resource["service.name"] == "shop-events"
    assert (request.resource["service.instance.id"], enrich.resource["service.instance.id"]) == (
        "collector",
        "pipeline",
    )
    assert all(span.length >= 0 and not span.failed for span in spans(web))
    # the request's own span is there although its record went through the log unchanged
    assert len(line.store.events("good", _all())) == 1


def _all():
    from snowgauge.store.base import Selection

    return Selection()


def test_a_trace_of_the_sender_goes_on(web, tmp_path):
    line = Line(tmp_path, web)
    line.collect(get(PIXEL, ("traceparent", f"00-{TRACE}-{PARENT}-01")))
    line.work()
    named = by_name(spans(web))
    assert {named[name][0].trace for name in ("GET /i", "enrich", "store")} == {TRACE}
    assert named["GET /i"][0].parent == PARENT


def test_a_sender_that_does_not_record_is_heeded_unless_senders_have_no_say(web, tmp_path):
    not_recorded = get(PIXEL, ("Traceparent", f"00-{TRACE}-{PARENT}-00"))
    line = Line(tmp_path / "a", web)
    line.collect(not_recorded)
    line.work()
    assert spans(web) == []
    line = Line(tmp_path / "b", web, "opentelemetry.accept_traceparent=false")
    line.collect(not_recorded)
    line.work()
    named = by_name(spans(web))
    assert {named[name][0].trace for name in ("GET /i", "enrich", "store")} == {named["GET /i"][0].trace}
    assert named["GET /i"][0].trace != TRACE
    assert named["GET /i"][0].parent == ""


def test_a_share_is_followed_whole_or_not_at_all(web, tmp_path):
    line = Line(tmp_path, web, "opentelemetry.sample_ratio=0.5")
    line.collect(*(get(f"{PIXEL}&page={n}") for n in range(60)))
    line.work()
    named = by_name(spans(web))
    traces = {name: {span.trace for span in named[name]} for name in ("GET /i", "enrich", "store")}
    assert traces["GET /i"] == traces["enrich"] == traces["store"]
    assert 5 < len(traces["store"]) < 55
    assert {span.about["payloads"] for span in named["store batch"]} == {60}


def test_failures_and_what_was_not_kept_show_and_nothing_of_a_visitor_goes_along(web, tmp_path):
    class Full:
        def append(self, entries):
            raise OSError("jane@example.com")

        def healthy(self):
            return False

        def close(self):
            pass

    line = Line(tmp_path, web)
    line.collect(get(BAD, ("cookie", "id=s3cret-cookie"), ("x-forwarded-for", "203.0.113.77")))
    line.collect(get(PIXEL, ("traceparent", f"00-{TRACE}-{PARENT}-01")), writer=Full())
    line.collect(("POST", "/jane@example.com/v1", [], b"{}"))
    line.work()
    found = spans(web)
    named = by_name(found)
    assert set(named) >= {"GET /i", "POST /{vendor}/{version}"}
    failed = next(span for span in named["enrich"] if span.trace == named["GET /i"][0].trace)
    assert failed.about["failure.types"] == ["schema_violations"]
    assert failed.about["events.failed"] == 1
    refused = next(span for span in named["GET /i"] if span.trace == TRACE)
    assert (refused.failed, refused.about["http.response.status_code"]) == (True, 503)
    sent = b"".join(asked.target.encode() + asked.body for asked in web.asked)
    for personal in (b"jane", b"s3cret-cookie", b"203.0.113.77", b"example.org"):
        assert personal not in sent


def test_a_store_that_was_away_shows_as_a_failed_try(web, tmp_path):
    line = Line(tmp_path, web)
    write, tries = line.store.write, []

    def away_once(batch):
        tries.append(batch.id)
        if len(tries) == 1:
            raise StoreUnavailable("away")
        return write(batch)

    line.store.write = away_once
    line.collect(get(PIXEL))
    line.work()
    named = by_name(spans(web))
    assert [span.failed for span in named["store"]] == [True, False]
    assert {span.parent for span in named["store"]} == {named["enrich"][0].id}


def test_a_request_kept_in_parts_is_followed_in_each(web, tmp_path):
    body = b'{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":[%s]}' % b",".join(
        b'{"e":"pv","p":"web","tv":"t","page":"%s"}' % (b"x" * 600) for _ in range(4)
    )
    small = CollectorSettings.model_validate({"streams": {"good": {"max_bytes": 1500}}})
    line = Line(tmp_path, web)
    line.collect(("POST", "/com.snowplowanalytics.snowplow/tp2", [], body), settings=small)
    line.work()
    named = by_name(spans(web))
    (request,) = named["POST /{vendor}/{version}"]
    parts = named["part of a request"]
    assert parts
    assert {link for part in parts for link in part.links} == {(request.trace, request.id)}
    assert {span.parent for span in named["enrich"]} == {request.id, *(part.id for part in parts)}


def test_headers_for_the_receiver_are_sent_and_kept_secret(web, tmp_path):
    line = Line(tmp_path, web, "opentelemetry.headers=api-key=s3cret, x-team = web")
    line.collect(get(PIXEL))
    assert {(asked.headers["api-key"], asked.headers["x-team"]) for asked in web.asked} == {("s3cret", "web")}
    assert "s3cret" not in repr(line.settings)
    for wrong in ("s3cret", "a b=c", "x=1,y"):
        with pytest.raises(SettingsError, match=r"opentelemetry\.headers") as raised:
            Line(tmp_path, web, f"opentelemetry.headers={wrong}")
        assert "s3cret" not in str(raised.value)


def test_ids_come_from_the_record_alone():
    def record(*headers):
        return payload_record.encode(CollectorPayload(timestamp=1, headers=list(headers), body=f"traceparent: {TRACE}"))

    plain = trace_ids(record())
    assert plain == trace_ids(record())
    assert plain.client is None
    assert len({plain.trace, plain.request, plain.enriched}) == 3
    named = trace_ids(record("Host: x", f"TraceParent: 00-{TRACE}-{PARENT}-01")).client
    assert named is not None
    assert (f"{named.trace:032x}", f"{named.span:016x}", named.sampled) == (TRACE, PARENT, True)
    assert trace_ids(record(f"traceparent: 01-{TRACE}-{PARENT}-00-more")).client.sampled is False
    for broken in (f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01x", "", "00-1-2-3"):
        assert trace_ids(record(f"traceparent: {broken}")).client is None
    assert trace_ids(b"no record").client is None


def test_switched_off_it_is_not_even_imported(tmp_path):
    program = (
        "import sys\n"
        "from snowgauge.pipeline.roles import collector, console, engine, modeller, worker\n"
        "from snowgauge.pipeline.reporters import reporters\n"
        "from snowgauge.settings.load import load\n"
        "assert reporters(load().settings, 'collector') == []\n"
        "import snowgauge.collector.serve, snowgauge.delivery.worker\n"
        # FastAPI itself imports the interface, which does nothing by itself
        "assert not {'opentelemetry.sdk', 'opentelemetry.exporter'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_receiver_that_is_away_stops_nothing(web, tmp_path):
    web.answers["/v1/traces"] = (400, b"")
    line = Line(tmp_path, web)
    line.collect(get(PIXEL))
    line.work()
    assert len(line.store.events("good", _all())) == 1

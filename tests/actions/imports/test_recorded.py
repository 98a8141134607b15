"""Payloads, enriched archives and bad rows: what comes in, and that it comes in once."""

import base64
import json

import msgspec
import pytest

from snowgauge.actions.imports.bad_rows import NotBadRow, failed_event
from snowgauge.actions.imports.files import local_files
from snowgauge.actions.imports.into_log import IntoLog
from snowgauge.actions.imports.into_store import IntoStore
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.payloads import take_line
from snowgauge.actions.imports.recorded import new_lines
from snowgauge.actions.imports.totals import Totals
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import StoreUnavailable
from snowgauge.events import payload_record
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.outcome import Enriched, Failed
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu import build as iglu_build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Selection
from snowgauge.testing.events import web_page_view

EVERYTHING = Selection()


def run(place, kind, file, *, store=None, chunk=3):
    totals = Totals()
    with Ledger(place.folder / "imports", durable=False) as ledger:
        if kind == "payloads":
            sink = IntoLog(ledger, place.log, lambda: place.store, totals, loader=kind, chunk=chunk)
        else:
            sink = IntoStore(ledger, store or place.store, totals, kind, chunk=chunk)
        lines = new_lines(
            local_files(file), ledger, totals, kind=kind, told=place.told.append, flush=sink.flush,
            progress=lambda _: None, count_equal=kind == "payloads",
        )  # fmt: skip
        for key, line in lines:
            if kind == "payloads":
                take_line(sink, key, line)
            else:
                sink.add(key, line)
        if kind == "payloads":
            sink.close()
    return totals


PAYLOAD = CollectorPayload(path="/i", querystring="e=pv&p=web", timestamp=1714557600000, ip_address="203.0.113.9")


def test_payloads_go_into_the_log_as_they_were(place, tmp_path):
    bad_row = {
        "schema": "iglu:com.snowplowanalytics.snowplow.badrows/size_violation/jsonschema/1-0-0",
        "data": {"failure": {}},
    }
    lines = [
        msgspec.json.encode(PAYLOAD),
        base64.b64encode(payload_record.encode(PAYLOAD)),
        msgspec.json.encode(PAYLOAD),
        json.dumps({"badRow": bad_row}).encode(),
        b"{]",
    ]
    (tmp_path / "p.jsonl").write_bytes(b"\n".join(lines))
    totals = run(place, "payloads", tmp_path / "p.jsonl")
    assert (totals.lines, totals.events, totals.unreadable, totals.repeated) == (5, 3, 2, 0)
    entries = place.entries()
    assert [payload_record.decode(e.body) for e in entries if e.kind == "payload"] == [PAYLOAD] * 3
    rows = [json.loads(e.body) for e in entries if e.kind == "bad_row"]
    assert rows[0]["schema"] == bad_row["schema"]
    assert rows[1]["data"]["payload"] == "{]"
    assert rows[1]["data"]["failure"]["loader"] == "payloads"
    (tmp_path / "copy.jsonl").write_bytes(b"\n".join(lines))
    again = run(place, "payloads", tmp_path / "copy.jsonl")
    assert (again.lines, again.repeated) == (5, 5)


def test_an_enriched_archive_goes_into_the_store_unchanged(place, tmp_path):
    events = [web_page_view(n) for n in range(7)]
    (tmp_path / "a.tsv").write_text("".join(to_tsv(event) + "\n" for event in events))
    totals = run(place, "tsv", tmp_path / "a.tsv")
    assert (totals.lines, totals.events) == (7, 7)
    stored = place.store.events("good", EVERYTHING, newest_first=False)
    assert [row["event_id"] for row in stored] == [event.event_id for event in events]
    assert stored[0]["contexts"]["data"]
    (tmp_path / "b.tsv").write_text("".join(to_tsv(event) + "\n" for event in [*events, web_page_view(8)]))
    again = run(place, "tsv", tmp_path / "b.tsv")
    assert (again.events, again.repeated) == (1, 7)
    assert place.store.count("good", EVERYTHING) == 8


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        ("nonsense", {"type": "NotTSV"}),
        ("a\tb\tc", {"type": "FieldNumberMismatch", "fieldCount": 3}),
    ],
)
def test_a_line_that_is_no_enriched_event(place, tmp_path, line, failure):
    (tmp_path / "a.tsv").write_text(f"{line}\n")
    assert run(place, "tsv", tmp_path / "a.tsv").unreadable == 1
    [row] = place.store.events("failed", EVERYTHING)
    assert row["bad_row"]["schema"].endswith("loader_parsing_error/jsonschema/2-0-0")
    assert row["bad_row"]["data"]["failure"] == failure
    assert row["bad_row"]["data"]["payload"] == line


def test_a_column_that_does_not_hold_what_it_should(place, tmp_path):
    fields = to_tsv(web_page_view()).split("\t")
    fields[3] = "yesterday"
    (tmp_path / "a.tsv").write_text("\t".join(fields))
    run(place, "tsv", tmp_path / "a.tsv")
    [row] = place.store.events("failed", EVERYTHING)
    assert row["bad_row"]["data"]["failure"]["type"] == "RowDecodingError"
    assert "collector_tstamp" in row["message"]


class Counting:
    """A store that counts the events it takes. While ``dying`` it fails at each write, ``kept``: after taking it."""

    def __init__(self, store, kept):
        self._store, self._kept = store, kept
        self.dying, self.taken = True, 0

    def write(self, batch):
        if not self.dying or self._kept:
            result = self._store.write(batch)
            self.taken += 0 if result.repeated else result.events
        if self.dying:
            raise StoreUnavailable("gone")


@pytest.mark.parametrize("kept", [False, True])
def test_a_store_that_dies_is_given_the_same_batch_again(place, tmp_path, kept):
    (tmp_path / "a.tsv").write_text("".join(to_tsv(web_page_view(n)) + "\n" for n in range(5)))
    store = Counting(place.store, kept)
    with pytest.raises(StoreUnavailable):
        run(place, "tsv", tmp_path / "a.tsv", store=store)
    store.dying = False
    # another import comes first, and repeats what was left
    (tmp_path / "b.tsv").write_text(to_tsv(web_page_view(9)) + "\n")
    run(place, "tsv", tmp_path / "b.tsv", store=store)
    run(place, "tsv", tmp_path / "a.tsv", store=store)
    assert store.taken == 6
    stored = {row["event_id"] for row in place.store.events("good", EVERYTHING)}
    assert stored == {web_page_view(n).event_id for n in (0, 1, 2, 3, 4, 9)}


# ---- bad rows ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def enricher(tmp_path_factory):
    _, validator = iglu_build.build(IgluSettings(iglu_central=False), tmp_path_factory.mktemp("iglu"))
    return Enricher(validator, clock=lambda: 1714557600000)


TP2 = CollectorPayload(
    path="/com.snowplowanalytics.snowplow/tp2", timestamp=1714557600123, ip_address="203.0.113.9", collector="ssc-3",
    user_agent="Agent/1", headers=["Host: a"], network_user_id="8c0f7d3e-4b0f-4f0e-9d5e-2f5a8f1f7c11",
)  # fmt: skip


def broken(**changes):
    return msgspec.structs.replace(TP2, **changes)


@pytest.mark.parametrize(
    "payload",
    [
        broken(path="/nothing", querystring="e=pv"),
        broken(querystring="a=b%20c&d", body="{]", content_type="application/json"),
        broken(path="/com.mailgun/v1", body="", content_type="text/plain"),
        broken(querystring="e=ue&p=web&tv=x&aid=shop&ue_pr=nonsense%26more"),
        broken(path="/i", querystring="e=pv&p=web&tv=x&aid=shop&vid=abc"),
    ],
    ids=["format", "protocol", "adapter", "event", "old protocol"],
)
def test_a_bad_row_of_a_request_fails_the_same_way_when_it_is_replayed(enricher, payload):
    def fail(record):
        [outcome] = enricher.process(record, "seed")
        assert isinstance(outcome, Failed)
        return outcome.failure

    original = fail(payload_record.encode(payload))
    read = failed_event(original.bad_row_json(), "id", 0)
    assert read.data == json.loads(original.bad_row_json())["data"]
    for name in (
        "failure_type",
        "failed_at",
        "app_id",
        "platform",
        "event_id",
        "tracker",
        "collector_tstamp",
        "schema",
        "message",
    ):
        assert getattr(read, name) == getattr(original, name), name
    again = fail(read.record)
    assert again.failure_type == original.failure_type
    assert again.data["failure"] == original.data["failure"]


def test_what_failed_for_lack_of_a_schema_can_be_enriched_from_its_bad_row(enricher):
    event = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
             "data": {"schema": "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1",
                      "data": {"targetUrl": "http://a/"}}}  # fmt: skip
    raw = {
        "vendor": "com.snowplowanalytics.snowplow", "version": "tp2", "contentType": "application/json",
        "parameters": [{"name": "e", "value": "ue"}, {"name": "p", "value": "web"}, {"name": "tv", "value": "js"},
                       {"name": "eid", "value": "8c0f7d3e-4b0f-4f0e-9d5e-2f5a8f1f7c11"},
                       {"name": "ue_pr", "value": json.dumps(event)}],
        "loaderName": "ssc", "encoding": "UTF-8", "hostname": None, "timestamp": "2024-05-01T10:00:00.123Z",
        "ipAddress": "203.0.113.9", "useragent": "Agent/1", "refererUri": None, "headers": [], "userId": None,
    }  # fmt: skip
    row = {"schema": "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-0",
           "data": {"processor": {}, "failure": {"timestamp": "2024-05-01T10:00:01Z", "messages": []},
                    "payload": {"enriched": {}, "raw": raw}}}  # fmt: skip
    read = failed_event(json.dumps(row).encode(), "id", 0)
    [outcome] = enricher.process(read.record, "seed")
    assert isinstance(outcome, Enriched)
    assert outcome.event.event_id == "8c0f7d3e-4b0f-4f0e-9d5e-2f5a8f1f7c11"
    assert outcome.event.unstruct_event.data == {"targetUrl": "http://a/"}
    assert outcome.event.collector_tstamp == 1714557600123


@pytest.mark.parametrize(
    "data",
    [
        {"processor": {}, "failure": "ERROR: value too long", "payload": {"app_id": "shop"}},
        {"processor": {}, "failure": [{"schemaKey": "iglu:a/b/jsonschema/1-0-0", "error": {}}], "payload": {}},
        {"event": {}, "error": "x"},
        {},
        {"failure": {"messages": []}, "payload": {"raw": 5, "enriched": []}},
        {"failure": None, "payload": None},
    ],
)
@pytest.mark.parametrize("kind", ["loader_runtime_error", "schema_violations", "adapter_failures", "recovery_error"])
def test_odd_bad_rows_are_kept_as_they_are(kind, data):
    line = json.dumps({"schema": f"iglu:com.snowplowanalytics.snowplow.badrows/{kind}/jsonschema/1-0-0", "data": data})
    read = failed_event(line.encode(), "id", 17)
    assert (read.failure_type, read.data, read.record, read.failed_at) == (kind, data, None, 17)


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"\xff", b'{"schema": "iglu:a/b/jsonschema/1-0-0", "data": {}}', b"5"]
)
def test_lines_that_are_no_bad_rows(line):
    with pytest.raises(NotBadRow):
        failed_event(line, "id", 0)


def test_bad_rows_are_imported_once(place, tmp_path):
    failure = {"timestamp": "2024-05-01T10:00:00Z", "errors": ["x"]}
    schema = "iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0"
    row = json.dumps({"schema": schema, "data": {"processor": {}, "failure": failure, "payload": "p"}})
    (tmp_path / "a").write_text(f"{row}\nnonsense\n")
    (tmp_path / "b").write_text(f"{row}\n")
    first, second = run(place, "bad-rows", tmp_path / "a"), run(place, "bad-rows", tmp_path / "b")
    assert (first.events, first.unreadable, second.repeated) == (1, 1, 1)
    assert place.store.count("failed", EVERYTHING) == 2

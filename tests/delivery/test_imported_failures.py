"""Lines that an import could not read, on their way from the event log into the store."""

import msgspec

from snowgauge.delivery.enriching import collector_failure
from snowgauge.events.bad_row import format_violation
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import encode

ROW = {
    "schema": "iglu:com.snowplowanalytics.snowplow.badrows/collector_payload_format_violation/jsonschema/1-0-0",
    "data": {
        "processor": {"artifact": "snowgauge-import", "version": "1"},
        "failure": {
            "timestamp": "2024-05-01T10:00:00Z",
            "loader": "cloudfront",
            "message": {"payloadField": "verb", "value": "POST", "expectation": "operation must be GET"},
        },
        "payload": "a line",
    },
}


def entry(**more):
    return LogEntry(msgspec.json.encode({**ROW, **more}), 5, "bad_row")


def test_a_line_has_one_id_however_often_it_is_handed_over():
    named = "0b6d3a52-7f9f-8a51-9c3e-6c1a5f0d2b11"
    assert (
        collector_failure(entry(id=named), "batch-1/0").id
        == collector_failure(entry(id=named), "batch-2/7").id
        == named
    )
    assert collector_failure(entry(), "batch-1/0").id != collector_failure(entry(), "batch-2/7").id


def test_it_says_what_is_wrong_and_stays_a_bad_row():
    failure = collector_failure(entry(id="0b6d3a52-7f9f-8a51-9c3e-6c1a5f0d2b11"), "seed")
    assert failure.message == "verb: operation must be GET"
    assert failure.bad_row() == ROW


def test_a_request_whose_text_was_damaged_can_be_recovered() -> None:
    """The collector's bad row holds the record; one that holds no request has none."""
    record = encode(CollectorPayload(timestamp=1, path="/i", querystring="page=æ\x97"))
    message = {"payloadField": "querystring", "value": None, "expectation": "text"}
    row = format_violation(Processor("collector", "1"), 1, "", message, record)
    made = collector_failure(LogEntry(row.bad_row_json(), 1, "bad_row"), "seed")
    assert (made.failure_type, made.record, made.message) == (
        "collector_payload_format_violation", record, "querystring: text"
    )  # fmt: skip
    for none in (b"no payload", b""):
        row = format_violation(Processor("collector", "1"), 1, "", message, none)
        assert collector_failure(LogEntry(row.bad_row_json(), 1, "bad_row"), "seed").record is None

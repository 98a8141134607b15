"""Keys and their order in each type of bad row, as Snowplow's badrows library writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowgauge.events import bad_row
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.failed import FailedEvent, Processor
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.tracker import TrackerEvent

ME = Processor("snowgauge-enrich", "1.0.0")
AT = 1_700_000_000_000
PAYLOAD = CollectorPayload(timestamp=AT, headers=None, collector="c", ip_address="1.1.1.1", network_user_id="n")
SCHEMA = "iglu:com.acme/a/jsonschema/1-0-0"
VIOLATION = {"schemaKey": SCHEMA, "error": {"error": "ResolutionError", "lookupHistory": []}}


def format_violation() -> FailedEvent:
    return bad_row.format_violation(ME, AT, "id", {"error": "corrupt"}, b"\x00\xff")


def adapter(protocol: bool = False) -> FailedEvent:
    return bad_row.adapter_failure(
        ME, AT, "id", [{"field": "body", "value": None, "expectation": "empty\nbody"}], vendor="v", version="1",
        querystring=[("aid", "shop"), ("x", None), ("x", "2")], payload=PAYLOAD, record=b"r", protocol=protocol,
    )  # fmt: skip


def event(kind: str = "schema_violations", messages: Any = (VIOLATION,)) -> FailedEvent:
    tracker = TrackerEvent({"e": "pv", "x": None}, "v", "1", PAYLOAD)
    enriched = EnrichedEvent(app_id="shop", event_name="page_view")
    return bad_row.event_failure(
        ME, AT, "id", kind, messages, event=enriched, tracker=tracker, record=b"r", event_index=2
    )


@pytest.mark.parametrize(
    ("failed", "schema", "failure_keys"),
    [
        (format_violation(), "collector_payload_format_violation/jsonschema/1-0-0", ["timestamp", "loader", "message"]),
        (adapter(), "adapter_failures/jsonschema/1-0-0", ["timestamp", "vendor", "version", "messages"]),
        (adapter(True), "tracker_protocol_violations/jsonschema/1-0-1", ["timestamp", "vendor", "version", "messages"]),
        (event(), "schema_violations/jsonschema/2-0-1", ["timestamp", "messages"]),
        (event("enrichment_failures"), "enrichment_failures/jsonschema/2-0-1", ["timestamp", "messages"]),
        (bad_row.size_violation(ME, AT, "id", maximum=1, actual=2, expectation="e", payload="p"),
         "size_violation/jsonschema/1-0-0",
         ["timestamp", "maximumAllowedSizeBytes", "actualSizeBytes", "expectation"]),
        (bad_row.generic_error(ME, AT, "id", ["a\nb"], "p"), "generic_error/jsonschema/1-0-0", ["timestamp", "errors"]),
    ],
)  # fmt: skip
def test_frame(failed: FailedEvent, schema: str, failure_keys: list[str]) -> None:
    row = json.loads(failed.bad_row_json())
    assert list(row) == ["schema", "data"]
    assert row["schema"] == f"iglu:com.snowplowanalytics.snowplow.badrows/{schema}"
    assert list(row["data"]) == ["processor", "failure", "payload"]
    assert row["data"]["processor"] == {"artifact": "snowgauge-enrich", "version": "1.0.0"}
    assert list(row["data"]["failure"]) == failure_keys
    assert row["data"]["failure"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert "\n" not in failed.message


def test_the_record_goes_into_a_format_violation_whole() -> None:
    assert format_violation().data["payload"] == "AP8="


def test_collector_payload() -> None:
    payload = adapter().data["payload"]
    assert list(payload) == [
        "vendor", "version", "querystring", "contentType", "body", "collector", "encoding", "hostname", "timestamp",
        "ipAddress", "useragent", "refererUri", "headers", "networkUserId",
    ]  # fmt: skip
    assert payload["querystring"] == [
        {"name": "aid", "value": "shop"}, {"name": "x", "value": None}, {"name": "x", "value": "2"},
    ]  # fmt: skip
    assert (payload["timestamp"], payload["headers"], payload["body"]) == ("2023-11-14T22:13:20.000Z", [], None)
    assert (adapter().app_id, adapter().message, adapter().record) == ("shop", "body: empty body", b"r")


def test_enrichment_payload() -> None:
    payload = event().data["payload"]
    assert list(payload) == ["enriched", "raw"]
    assert list(payload["enriched"]) == [field.name for field in ATOMIC_FIELDS]
    assert list(payload["raw"]) == [
        "vendor", "version", "parameters", "contentType", "loaderName", "encoding", "hostname", "timestamp",
        "ipAddress", "useragent", "refererUri", "headers", "userId",
    ]  # fmt: skip
    assert payload["raw"]["parameters"] == [{"name": "e", "value": "pv"}, {"name": "x", "value": None}]


@pytest.mark.parametrize(
    ("message", "line", "schema"),
    [
        (VIOLATION, "Resolution error: schema iglu:com.acme/a/jsonschema/1-0-0 not found", SCHEMA),
        ({"schemaKey": "k", "error": {"error": "ValidationError", "schemaIssues": [{"path": "$", "message": "m"}]}},
         "Invalid schema: m", "k"),
        ({"schemaKey": "k", "error": {"error": "ValidationError", "dataReports": [{"message": "$: m", "path": "$"}]}},
         "$: m", "k"),
        ({"schemaKey": "k", "schemaCriterion": "c"}, "Unexpected schema: k does not match c", "k"),
        ({"field": "unstruct", "value": "{", "error": "invalid json: x"}, "unstruct: invalid json: x", None),
        ({"json": {}, "error": "INVALID_IGLUURI"}, "not self-describing: INVALID_IGLUURI", None),
        ({"enrichment": {"schemaKey": "k", "identifier": "i"}, "message": {"error": "e"}}, "e", "k"),
        ({"enrichment": None, "message": {"field": "f", "value": None, "expectation": "x"}}, "f: x", None),
        ({"actual": "a", "expectedMapping": {}, "expectation": "no schema"}, "no schema", None),
    ],
)  # fmt: skip
def test_side_columns(message: dict[str, Any], line: str, schema: str | None) -> None:
    failed = event(messages=[message])
    assert (failed.message, failed.schema) == (line, schema)


@pytest.mark.parametrize("timestamp", [-(2**63), 2**63 - 1, -1])
def test_any_collector_time_can_be_shown(timestamp: int) -> None:
    assert bad_row.collector_time(CollectorPayload(timestamp=timestamp)).endswith("Z")

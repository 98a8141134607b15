"""Payloads too large for the log: split, or told of in bad rows. The HTTP answer never changes."""

from __future__ import annotations

import json

import msgspec
import pytest

from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import encode

SCHEMA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
LIMITS = {"streams": {"good": {"max_bytes": 2000}}, "networking": {"max_payload_size": 5000}}


def posted(collect, body: str):
    answer = collect("POST", "/com.snowplowanalytics.snowplow/tp2", body=body.encode())
    assert (answer.status, answer.body) == (200, b"ok")


def envelope(*events, schema=SCHEMA, space=""):
    return f'{{"schema":{space}{json.dumps(schema)},{space}"data":[{f",{space}".join(events)}]}}'


def expectation(row):
    assert row["schema"] == "iglu:com.snowplowanalytics.snowplow.badrows/size_violation/jsonschema/1-0-0"
    assert list(row["data"]) == ["processor", "failure", "payload"]
    assert row["data"]["processor"]["artifact"] == "snowgauge-collector"
    assert list(row["data"]["failure"]) == [
        "timestamp", "maximumAllowedSizeBytes", "actualSizeBytes", "expectation",
    ]  # fmt: skip
    assert row["data"]["failure"]["timestamp"] == "2026-04-01T10:00:00Z"
    text = row["data"]["failure"]["expectation"]
    assert text.startswith("oversized collector payload: ")
    assert len(text) <= 256
    return text.removeprefix("oversized collector payload: ")


def test_the_limit_itself_is_too_much(collecting):
    base = len(encode(CollectorPayload(schema=None, encoding=None, body="x" * 1000)))
    assert base == 1019
    collect = collecting()
    posted(collect, "x")
    size = len(encode(collect.one))
    collect = collecting(**LIMITS)
    posted(collect, "x" * (1999 - size + 1))
    assert (len(collect.kept), collect.bad_rows) == (1, [])
    posted(collect, "x" * (2000 - size + 1))
    assert len(collect.kept) == 1
    (row,) = collect.bad_rows
    assert row["data"]["failure"]["actualSizeBytes"] == 2000
    assert row["data"]["failure"]["maximumAllowedSizeBytes"] == 2000


def test_far_too_large_is_not_split(collecting):
    collect = collecting(**LIMITS)
    posted(collect, envelope(*[json.dumps({"e": "pv", "page": "x" * 500})] * 10))
    (row,) = collect.bad_rows
    size = row["data"]["failure"]["actualSizeBytes"]
    assert expectation(row) == f"Payload exceeds max size of 5000. Actual length: {size}"
    assert row["data"]["failure"]["maximumAllowedSizeBytes"] == 5000
    text = row["data"]["payload"]
    assert len(text) == 500
    assert text.startswith(
        "CollectorPayload(schema:iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-0, "
        f"ipAddress:203.0.113.7, timestamp:{collect.now}, encoding:UTF-8, collector:test-collector, "
        'path:/com.snowplowanalytics.snowplow/tp2, querystring:, body:{"schema":'
    )


@pytest.mark.parametrize("space", ["", "\n  "])
def test_a_batch_is_split_and_nothing_of_it_lost(collecting, space):
    collect = collecting(**LIMITS)
    events = [f'{{"e":"pv",{space}"n":1.10,"i":{10**30},"page":"{i} \\u00e9 \\" , {"x" * 200}"}}' for i in range(15)]
    posted(collect, envelope(*events, space=space))
    assert collect.bad_rows == []
    assert len(collect.kept) > 1
    came = []
    for payload in collect.kept:
        assert len(encode(payload)) < 2000
        body = msgspec.json.decode(payload.body, type=dict[str, msgspec.Raw])
        assert msgspec.json.decode(body["schema"]) == SCHEMA
        came += [bytes(event).decode() for event in msgspec.json.decode(body["data"], type=list[msgspec.Raw])]
        assert (payload.timestamp, payload.network_user_id) == (collect.now, collect.fresh_id)
    assert came == [event.replace("\n  ", "") for event in events]


def test_events_that_are_too_large_alone_are_told_of_one_by_one(collecting):
    collect = collecting(**LIMITS)
    large = json.dumps({"page": "y" * 1900}, separators=(",", ":"))
    posted(collect, envelope('{"e":"1"}', large, '{"e":"2"}', large))
    assert [json.loads(p.body)["data"] for p in collect.kept] == [[{"e": "1"}, {"e": "2"}]]
    assert [expectation(row) for row in collect.bad_rows] == ["this POST request split is still too large"] * 2
    assert [row["data"]["failure"]["actualSizeBytes"] for row in collect.bad_rows] == [len(large)] * 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("x" * 2000, "cannot split POST requests which are not json "),
        ('{"a":1' + " " * 2000, "cannot split POST requests which are not json "),
        ("[" * 2500, "cannot split POST requests which are not json "),
        ("[" + " " * 2000 + "]", "cannot split POST requests which are not self-describing Invalid data payload"),
        (
            envelope('"%s"' % ("x" * 2000), schema="s"),
            "cannot split POST requests which are not self-describing Invalid Iglu URI: s, code: INVALID_IGLUURI",
        ),
        (
            envelope('"%s"' % ("x" * 2000), schema="iglu:a/b/c/0-0-0"),
            "cannot split POST requests which are not self-describing Invalid schema version: iglu:a/b/c/0-0-0, "
            "code: INVALID_SCHEMAVER",
        ),
        (
            json.dumps({"schema": SCHEMA, "data": {"a": "x" * 2000}}),
            "cannot split POST requests which do not contain a data array",
        ),
        (
            envelope("1 2", '"x"' + " " * 2000),
            "cannot split POST requests which are not json ",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_split_says_why(collecting, body, reason):
    collect = collecting(**LIMITS)
    posted(collect, body)
    (row,) = collect.bad_rows
    assert expectation(row).startswith(reason)
    assert row["data"]["failure"]["maximumAllowedSizeBytes"] == 2000
    assert len(row["data"]["payload"]) == 200
    assert collect.kept == []


def test_the_rest_of_the_request_may_be_too_large(collecting):
    collect = collecting(**LIMITS)
    collect("POST", "/a/b?" + "q" * 2000, body=envelope('{"e":"pv"}').encode())
    (row,) = collect.bad_rows
    assert expectation(row) == 'cannot split this POST request because event without "data" field is still too big'


def test_a_get_cannot_be_split(collecting):
    collect = collecting(**LIMITS)
    assert collect("GET", "/i?" + "q" * 2000)["content-type"] == "image/gif"
    (row,) = collect.bad_rows
    assert expectation(row) == "GET requests cannot be split"

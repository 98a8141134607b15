"""Anything may come in: never a 500, and what was acknowledged is in the log."""

from __future__ import annotations

import gzip

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.collector.app import create_app
from snowgauge.collector.bodies import BodyTooLarge, inflate
from snowgauge.collector.query_strings import first_value, with_parameter
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.events.payload_record import decode
from snowgauge.testing.asgi import Client

SETTINGS = CollectorSettings.model_validate(
    {
        "enable_default_redirect": True,
        "redirect_macro": {"enabled": True},
        "cookie": {"domains": ["a.example"], "client_cookie_name": "spc"},
        "do_not_track_cookie": {"enabled": True, "name": "dnt", "value": "(1|yes)+"},
        "streams": {"good": {"max_bytes": 1500}},
        "networking": {"max_payload_size": 3000, "drop_payload_size": 5000},
        "ssl": {"redirect": True},
        "hsts": {"enable": True},
        "p3p": {"enabled": True},
    }
)
BOUNCING = SETTINGS.model_copy(update={"cookie_bounce": SETTINGS.cookie_bounce.model_copy(update={"enabled": True})})

anything = st.binary(max_size=60)
paths = st.one_of(
    st.sampled_from([b"/i", b"/a/b", b"/r/tp2", b"/com.snowplowanalytics.snowplow/tp2", b"/tracker", b"/", b"*", b""]),
    anything.map(lambda raw: b"/" + raw),
    st.tuples(anything, anything).map(lambda two: b"/" + two[0] + b"/" + two[1]),
)
queries = st.one_of(
    st.just(b""), anything, anything.map(lambda raw: b"u=" + raw), anything.map(lambda raw: b"nuid=" + raw)
)
names = st.one_of(
    st.sampled_from(
        ["Origin", "Cookie", "Host", "Content-Type", "Content-Length", "X-Forwarded-For", "X-Forwarded-Proto",
         "SP-Anonymous", "Content-Encoding", "User-Agent", "Referer"]
    ),
    st.text("abcXYZ-09_", min_size=1, max_size=12),
)  # fmt: skip
values = st.one_of(
    anything,
    st.sampled_from(
        [b"http", b"gzip", b"https://x.a.example", b"sp=1; dnt=1", b"dnt=yesyes1", b"application/json; charset=utf-16",
         b"1.2.3.4, ::1", b"99999999999999999999", b"10"]
    ),
)  # fmt: skip
bodies = st.one_of(
    st.binary(max_size=6000),
    st.binary(max_size=200).map(gzip.compress),
    st.integers(0, 5000).map(lambda n: b"[" * n),
    st.lists(st.binary(max_size=400), max_size=12).map(
        lambda events: (
            b'{"schema":"iglu:a/b/jsonschema/1-0-0","data":[%s]}'
            % b",".join(b'{"e":"%s"}' % event.hex().encode() for event in events)
        )
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PUT", "XYZZY"]),
    path=paths,
    query=queries,
    headers=st.lists(st.tuples(names, values), max_size=8),
    body=bodies,
    bouncing=st.booleans(),
)
def test_any_request_is_answered_and_nothing_acknowledged_is_missing(method, path, query, headers, body, bouncing):
    log = MemoryLog()
    with Client(create_app(BOUNCING if bouncing else SETTINGS, log.writer())) as client:
        # a server cuts the target at its first question mark
        target = path.replace(b"?", b"") + b"?" + query
        answer = client.request(method, target, headers, body)
    assert answer.status in (200, 301, 302, 308, 400, 404, 413)
    for name, value in answer.headers:
        assert not set("\r\n\0") & set(name + value)
    entries = list(log.peek())
    opted_out = any(name.lower() == "cookie" and b"dnt=" in value for name, value in headers)
    tracked = answer["content-type"] in ("image/gif", "text/plain")
    if answer.status == 200 and tracked and not opted_out:
        assert entries
    for entry in entries:
        if entry.kind == "payload":
            assert len(entry.body) < 1500
            decode(entry.body)


@given(st.binary(max_size=3000), st.integers(1, 4000))
def test_inflating_never_exceeds_the_limit(body, limit):
    for data in (body, gzip.compress(body), gzip.compress(body)[:-3], gzip.compress(body) + b"x"):
        try:
            out = inflate(data, limit)
        except BodyTooLarge:
            assert len(body) >= limit
        else:
            assert out == data or (out == body and len(out) < limit)


@given(st.binary(max_size=80))
def test_bouncing_marks_any_query(query):
    marked = with_parameter(query, "n3pc", "true")
    assert marked.isascii()
    assert first_value("n3pc")(marked.encode()) == "true"

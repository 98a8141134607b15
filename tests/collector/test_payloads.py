"""What is kept of a request."""

from __future__ import annotations

import gzip
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.collector.content_types import parse_content_type
from snowgauge.collector.header_names import usual_spelling
from snowgauge.collector.payloads import Records, Sent, as_sent
from snowgauge.collector.request import Request
from snowgauge.events.payload_record import decode, encode

FRESH = "11111111-2222-4333-8444-555555555555"

LATIN1 = st.binary(max_size=20).filter(lambda value: b"\n" not in value and b"\r" not in value and b"\0" not in value)
NAMES = st.sampled_from(["User-Agent", "Referer", "Cookie", "Host", "X-Custom", "Content-Type", "SP-Anonymous", "DNT"])


@given(
    headers=st.lists(st.tuples(NAMES, LATIN1), max_size=8),
    query=st.binary(max_size=12).filter(lambda value: b"#" not in value),
    body=st.none() | st.binary(max_size=20),
    user_id=st.text(max_size=8),
)
def test_a_record_is_what_its_payload_is_written_as(headers, query, body, user_id):
    scope = {
        "method": "GET" if body is None else "POST", "raw_path": b"/a/b", "query_string": query,
        "headers": [(name.lower().encode(), value) for name, value in headers], "client": ("203.0.113.7", "1"),
    }  # fmt: skip
    records = Records("test-collector")
    for _ in range(2):  # the second time from what is remembered
        record = records.of(Request(scope, None), Sent("/a/b", body, user_id, 1)).record
        assert encode(decode(record)) == record


def test_a_post_as_it_is_kept(collecting):
    collect = collecting()
    collect(
        "POST",
        "/com.snowplowanalytics.snowplow/tp2?aid=x",
        ("Host", "c.example.com"),
        ("User-Agent", " Mozilla/5.0 "),
        ("User-Agent", "second"),
        ("Referer", "https://www.example.com/"),
        ("Content-Type", "application/json;charset=UTF-8"),
        body='{"snow":"☃"}'.encode(),
    )
    payload = collect.one
    assert payload.schema == "iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-0"
    assert payload.ip_address == "203.0.113.7"
    assert payload.timestamp == collect.now
    assert payload.encoding == "UTF-8"
    assert payload.collector == "test-collector"
    assert payload.user_agent == " Mozilla/5.0 "
    assert payload.referer_uri == "https://www.example.com/"
    assert payload.path == "/com.snowplowanalytics.snowplow/tp2"
    assert payload.querystring == "aid=x"
    assert payload.body == '{"snow":"☃"}'
    assert payload.content_type == "application/json; charset=utf-8"
    assert payload.hostname is None
    assert payload.network_user_id == FRESH
    assert payload.headers == [
        "Host: c.example.com",
        "User-Agent: Mozilla/5.0",
        "User-Agent: second",
        "Referer: https://www.example.com/",
        "Content-Type: application/json;charset=UTF-8",
        "application/json; charset=utf-8",
    ]


def test_a_get_has_no_body_and_no_content_type(collecting):
    collect = collecting()
    collect("GET", "/i", ("Content-Type", "application/json"), body=b"ignored")
    payload = collect.one
    assert (payload.body, payload.content_type, payload.user_agent, payload.referer_uri) == (None, None, None, None)
    assert payload.querystring == ""
    assert payload.headers == ["Content-Type: application/json"]


def test_an_empty_post_has_an_empty_body(collecting):
    collect = collecting()
    collect("POST", "/a/b")
    assert (collect.one.body, collect.one.content_type, collect.one.headers) == ("", None, [])


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (b"a=%zz&b=%E2%98%83+x", "a=%zz&b=%E2%98%83+x"),
        (b'a="<>\\^`{|}', 'a="<>\\^`{|}'),
        ("a=☃".encode(), "a=☃"),
        (b"a=\xe9", "a=é"),
        (b"?", "?"),
        (b"a?b=c", "a?b=c"),
    ],
)
def test_the_query_is_kept_as_it_came(collecting, query, kept):
    collect = collecting()
    assert collect("GET", b"/i?" + query).status == 200
    assert collect.one.querystring == kept


@pytest.mark.parametrize(
    ("value", "normalised", "codec"),
    [
        (b"application/json", "application/json", "utf-8"),
        (b"application/json;charset=UTF-8", "application/json; charset=utf-8", "utf-8"),
        (b"application/json; charset=utf8", "application/json; charset=utf-8", "utf-8"),
        (b'Application/JSON ; Charset="UTF-8"', "application/json; charset=utf-8", "utf-8"),
        (b"text/plain; charset=latin1", "text/plain; charset=iso-8859-1", "iso8859-1"),
        (b"text/plain; charset=ascii", "text/plain; charset=us-ascii", "ascii"),
        (b"text/plain; charset=cp1252", "text/plain; charset=windows-1252", "cp1252"),
        (b"text/plain; charset=Shift_JIS", "text/plain; charset=shift_jis", "shift_jis"),
        (b"text/plain; charset=klingon", "text/plain", "utf-8"),
        (b"text/plain; charset=base64", "text/plain", "utf-8"),
        (b"text/plain; charset=unicode_escape", "text/plain", "utf-8"),
        (b'text/plain; charset="a\\\x00b"', "text/plain", "utf-8"),
        (b"application/json; charset=utf-8; x=Y", 'application/json; x="y"; charset=utf-8', "utf-8"),
        (b'multipart/form-data; boundary="a\\"b"', 'multipart/form-data; boundary="a\\"b"', "utf-8"),
        (b"application/json;", "application/json", "utf-8"),
        (b"json", None, "utf-8"),
        (b"", None, "utf-8"),
        (b"application/json, text/plain", None, "utf-8"),
        (b"application/json; charset", None, "utf-8"),
        (None, None, "utf-8"),
    ],
)
def test_content_types(value, normalised, codec):
    assert parse_content_type(value) == (normalised, codec)


def test_a_body_is_read_with_its_charset(collecting):
    collect = collecting()
    collect("POST", "/a/b", ("Content-Type", "text/plain; charset=iso-8859-1"), body=b"caf\xe9")
    collect("POST", "/a/b", ("Content-Type", "text/plain"), body=b"caf\xe9")
    assert [p.body for p in collect.kept] == ["café", "café"]


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", '{"a":"日本"}'.encode(), '{"a":"日本"}'),
        ("application/x-www-form-urlencoded", "a=Jürgen".encode(), "a=Jürgen"),
        ("application/x-www-form-urlencoded", b"a=J\xfcrgen", "a=Jürgen"),
        ("application/x-www-form-urlencoded", b"a=\x93quoted\x94", "a=“quoted”"),
        ("application/json; charset=us-ascii", '{"a":"é"}'.encode(), '{"a":"é"}'),
        ("application/json; charset=shift_jis", '{"a":"日本"}'.encode("shift_jis"), '{"a":"日本"}'),
        ("application/json; charset=iso-8859-1", b'{"a":"\xc3\xa9"}', '{"a":"Ã©"}'),
    ],
)
def test_a_body_is_the_text_that_was_sent(collecting, content_type, body, text):
    collect = collecting()
    assert collect("POST", "/a/b", ("Content-Type", content_type), body=body).status == 200
    assert collect.one.body == text


@pytest.mark.parametrize("raw", ["日".encode()[:2], "é".encode() + b"\xfc", "日本".encode() + b"\xff", b"\x81\x8d"])
def test_what_is_no_text_is_a_failed_event_with_every_byte(collecting, raw):
    collect = collecting()
    json = ("Content-Type", "application/json; charset=utf-8")
    assert collect("POST", "/a/b", json, body=b'{"a":"' + raw + b'"}').status == 200
    assert collect("GET", b"/i?e=pv&page=" + raw).status == 200
    large = b'{"a":"' + raw + b"x" * 1_000_000 + b'"}'
    assert collect("POST", "/a/b", json, body=large).status == 200
    assert collect.kept == []
    assert "damaged text" in collect.bad_rows[2]["data"]["failure"]["expectation"]
    for row, field in zip(collect.bad_rows[:2], ("body", "querystring"), strict=True):
        assert row["schema"].split("/")[1] == "collector_payload_format_violation"
        assert row["data"]["failure"]["message"]["payloadField"] == field
        inside = decode(b64decode(row["data"]["payload"]))
        assert raw in getattr(inside, field).encode("latin-1")


@given(st.binary(max_size=40))
def test_a_text_that_is_read_is_what_was_sent(raw):
    text = as_sent(raw)
    if text is not None:
        assert raw in (text.encode("utf-8"), text.encode("cp1252", "replace"))
        assert "\ufffd" not in text or "\ufffd".encode() in raw


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For", "User-Agent", "SP-Anonymous", "DNT", "sec-ch-ua", "sec-ch-ua-mobile", "Sec-Fetch-Mode", "TE",
        "CF-Connecting-IP", "X-Real-IP", "True-Client-IP", "traceparent", "Sec-GPC", "X-Request-ID", "Accept-Language",
        "X-Custom-Thing", "Origin", "ETag",
    ],
)  # fmt: skip
def test_header_names_are_spelled_as_usual(name):
    assert usual_spelling(name.lower().encode()) == name


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("a=1; b=2", "Cookie: a=1;b=2"),
        ('{"k": "v"};n=1', "Cookie: n=1"),
        ("name = value", "Cookie: name=value"),
        ("a=1;b=caf\xe9;c=x,y;d=\\;e=1", "Cookie: a=1;e=1"),
        ("a=1\x7f;b=2", "Cookie: b=2"),
        (";;", None),
        ("", None),
    ],
)
def test_cookies_as_they_are_kept(collecting, line, kept):
    collect = collecting()
    collect("GET", "/i", ("Cookie", line), ("X-A", "b"))
    assert collect.one.headers == ([] if kept is None else [kept]) + ["X-A: b"]


@pytest.mark.parametrize(
    ("forwarded", "peer", "expected"),
    [
        ([], "203.0.113.7", "203.0.113.7"),
        ([], "2001:DB8:0:0::1", "[2001:db8::1]"),
        ([], None, "unknown"),
        ([], "", "unknown"),
        (["198.51.100.1"], "203.0.113.7", "198.51.100.1"),
        (["198.51.100.1, 10.0.0.1 ,\t10.0.0.2"], "203.0.113.7", "198.51.100.1"),
        (["2001:DB8::0:1"], "203.0.113.7", "[2001:db8::1]"),
        (["unknown, 198.51.100.1"], "203.0.113.7", "unknown"),
        (["198.51.100.1:443"], "203.0.113.7", "203.0.113.7"),
        (["[2001:db8::1]"], "203.0.113.7", "203.0.113.7"),
        (["198.51.100.1, host.example"], "203.0.113.7", "203.0.113.7"),
        (["198.51.100.1,"], "203.0.113.7", "203.0.113.7"),
        ([""], "203.0.113.7", "203.0.113.7"),
        (["198.51.100.256"], "203.0.113.7", "203.0.113.7"),
        (["1.2.3.4\x00"], "203.0.113.7", "203.0.113.7"),
        (["198.51.100.1", "198.51.100.2"], "203.0.113.7", "198.51.100.1"),
        (["bad", "198.51.100.2"], "203.0.113.7", "203.0.113.7"),
    ],
)
def test_client_address(collecting, forwarded, peer, expected):
    collect = collecting()
    headers = [("X-Forwarded-For", line) for line in forwarded]
    collect("GET", "/i", *headers, ("X-Real-IP", "9.9.9.9"), client=(peer, 1) if peer is not None else None)
    assert collect.one.ip_address == expected


def test_anonymous_requests_leave_no_address(collecting):
    collect = collecting()
    telling = (
        "X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP",
        "X-Client-IP", "X-Cluster-Client-IP", "X-Azure-ClientIP", "CloudFront-Viewer-Address",
        "X-Envoy-External-Address", "Client-IP",
    )  # fmt: skip
    collect(
        "POST",
        "/a/b",
        *[(name, "198.51.100.99") for name in telling],
        ("Cookie", "_sp_id=1"),
        ("User-Agent", "agent"),
        ("Referer", "https://a.example"),
        ("SP-Anonymous", "*"),
        body=b"body",
    )
    payload = collect.one
    assert payload.ip_address == "unknown"
    assert payload.headers == ["User-Agent: agent", "Referer: https://a.example", "SP-Anonymous: *"]
    assert (payload.user_agent, payload.referer_uri, payload.body) == ("agent", "https://a.example", "body")


class TestBodies:
    def test_gzip_is_undone(self, collecting):
        collect = collecting()
        body = gzip.compress(b'{"a":') + gzip.compress(b"1}")
        for encoding in ("gzip", "x-gzip", "GZIP"):
            assert collect("POST", "/a/b", ("Content-Encoding", encoding), body=body).status == 200
        assert [p.body for p in collect.kept] == ['{"a":1}'] * 3

    @pytest.mark.parametrize(
        "body",
        [
            b"plain",
            b"\x1f\x8b",
            gzip.compress(b"x" * 99, mtime=0)[:-4],
            gzip.compress(b"x", mtime=0) + b"trailing",
            gzip.compress(b"", mtime=0) * 80,
        ],
    )
    def test_what_is_not_gzip_is_kept_as_it_came(self, collecting, body):
        collect = collecting()
        assert collect("POST", "/a/b", ("Content-Encoding", "gzip"), body=body).status == 200
        kept = [p.body for p in collect.kept]
        kept += [decode(b64decode(row["data"]["payload"])).body for row in collect.bad_rows]
        assert kept == [as_sent(body) or body.decode("latin-1")]

    def test_a_body_may_come_in_pieces(self, collecting):
        collect = collecting()
        assert collect("POST", "/a/b", body=[b"a", b"", b"b", b"c"]).body == b"ok"
        assert collect.one.body == "abc"

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ([("Content-Length", "2000")], [b""]),
            ([], [b"x" * 2000]),
            ([], [b"x" * 1000, b"x" * 1000]),
            ([("Content-Encoding", "gzip")], [gzip.compress(b"x" * 2000)]),
            ([("Content-Encoding", "gzip")], [gzip.compress(b"x" * 50_000_000)[:1900]]),
            ([("Content-Encoding", "gzip")], [gzip.compress(b"x" * 1000) * 2]),
        ],
    )
    def test_a_body_that_reaches_the_limit_is_refused(self, collecting, headers, body):
        collect = collecting(networking={"drop_payload_size": 2000})
        answer = collect("POST", "/a/b", *headers, body=body)
        assert (answer.status, answer.body) == (413, b"")
        assert answer["set-cookie"] is None
        assert collect.kept == []
        assert collect("POST", "/a/b", body=b"x" * 1999).status == 200

    def test_a_client_that_leaves_is_not_half_kept(self, collecting):
        collect = collecting()
        assert collect("POST", "/a/b", body=[b"half", None]).status == 400
        assert collect.kept == []

    def test_a_body_that_does_not_come_in_time(self, collecting):
        collect = collecting(networking={"response_header_timeout": "50 ms"})
        answer = collect("POST", "/a/b", ("Content-Length", "10"), body=[b"a", ...])
        assert (answer.status, answer.body) == (408, b"Response timed out")
        assert collect.kept == []
        assert collect("POST", "/a/b", body=b"in time").status == 200

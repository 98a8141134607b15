"""Access log lines of every layout as payloads: the same request, however CloudFront wrote it down."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.actions.imports.access_log import (
    AccessLogReader,
    Hit,
    TrackingPaths,
    Unreadable,
    UnusableLog,
    restored,
)
from snowgauge.events.payload_record import decode
from snowgauge.testing.cloudfront import FIELDS, encoded, log_line

QUERY = (
    "e=pv&page=A%20B&p=web&tv=js-0.13.0&url=http%3A%2F%2Fshop.example%2Fa.html&eid=8c0f7d3e-4b0f-4f0e-9d5e-2f5a8f1f7c11"
)
AT = datetime(2014, 1, 28, 3, 41, 59, tzinfo=UTC)
AT_MS = 1390880519000


def reader(fields=None, **more):
    return AccessLogReader(TrackingPaths(**more), fields)


def payload(parsed):
    assert isinstance(parsed, Hit), parsed
    return decode(parsed.record)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("twice", [True, False])
@pytest.mark.parametrize("count", [12, 15, 18, 19, 23, 24, 26, 33])
def test_every_layout_gives_the_same_payload(count, twice, header):
    read = reader()
    if header:
        assert read.line("#Version: 1.0") is None
        assert read.line("#Fields: " + " ".join(FIELDS[:count])) is None
    line = log_line(
        QUERY,
        at=AT,
        ip="67.71.16.237",
        referer="http://shop.example/a%20b.html",
        agent="Mozilla/5.0 (Windows NT 6.1; rv:1.0)",
        twice=twice,
        count=count,
    )
    found = payload(read.line(line))
    assert found.querystring == QUERY
    assert found.timestamp == AT_MS
    assert found.ip_address == "67.71.16.237"
    assert found.user_agent == "Mozilla/5.0 (Windows NT 6.1; rv:1.0)"
    assert found.referer_uri == "http://shop.example/a%20b.html"
    assert found.path == "/i"
    assert found.collector == "cloudfront"
    assert found.encoding == "UTF-8"
    nothing = (found.hostname, found.body, found.content_type, found.headers, found.network_user_id)
    assert nothing == (None,) * 5


def test_a_line_of_the_first_days_separated_by_spaces():
    line = (
        "2014-01-28 03:41:59 IAD12 828 67.71.16.237 GET d10.cloudfront.net /i 200 http://shop.example/a.html "
        "Mozilla/5.0%2520(Windows%2520NT%25206.1) e=pv&page=A%2520B&p=web&url=http%253A%252F%252Fshop.example"
        "%252Fa.html - Hit GHc1"
    )
    found = payload(reader().line(line))
    assert found.querystring.startswith("e=pv&page=A%20B&p=web&url=http%3A%2F%2Fshop.example%2Fa.html&eid=")
    assert found.user_agent == "Mozilla/5.0 (Windows NT 6.1)"
    assert found.timestamp == AT_MS


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a=b", "a=b"),
        ("page=A%2520B", "page=A%20B"),
        ("page=70%25 Complete", "page=70%25 Complete"),
        ("page=%2588", "page=%88"),
        ("u=http%253A%252F%252Fa&page=A%2520B", "u=http%3A%2F%2Fa&page=A%20B"),
        ("u=http%3A%2F%2Fa&page=A%20B", "u=http%3A%2F%2Fa&page=A%20B"),
        # the viewer's own double encoding, in a log that does not encode again: it stays
        ("u=http%3A%2F%2Fa%3Fq%3Da%2520b", "u=http%3A%2F%2Fa%3Fq%3Da%2520b"),
        # and in one that does
        ("u=http%253A%252F%252Fa%253Fq%253Da%252520b", "u=http%3A%2F%2Fa%3Fq%3Da%2520b"),
        # an apostrophe is encoded by CloudFront itself; it says nothing about the rest
        ("page=it%27s%2520on", "page=it%27s%20on"),
    ],
)
def test_percent_signs(written, sent):
    assert restored(written) == sent


@given(st.text(max_size=60), st.booleans())
def test_what_trackers_send_survives_either_encoding(title, twice):
    from urllib.parse import quote

    query = "e=pv&url=" + quote("http://shop.example/?q=" + quote(title, safe=""), safe="")
    assert restored(encoded(query, twice=twice)) == query


@pytest.mark.parametrize(
    ("forwarded", "ip"),
    [
        ("-", "203.0.113.9"),
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7,%2010.0.0.1", "198.51.100.7"),
        ('"[2001:db8::7]"', "2001:db8::7"),
        ("2001:db8::7, 10.0.0.1", "2001:db8::7"),
        ("unknown", "203.0.113.9"),
        ("de", "203.0.113.9"),
        ("999.1.1.1", "203.0.113.9"),
    ],
)
def test_the_visitors_address(forwarded, ip):
    assert payload(reader().line(log_line(QUERY, forwarded=forwarded))).ip_address == ip


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/i", "/i"),
        ("/ice.png", "/ice.png"),
        ("/com.snowplowanalytics.snowplow/tp2", "/com.snowplowanalytics.snowplow/tp2"),
        ("/com.snowplowanalytics.iglu/v1", "/com.snowplowanalytics.iglu/v1"),
        ("/r/tp2", "/r/tp2"),
        ("/com.acme/track", "/com.snowplowanalytics.snowplow/tp2"),
        ("/quiet", "/i"),
    ],
)
def test_paths_that_are_tracking(path, kept):
    read = reader(
        paths={"/com.acme/track": "/com.snowplowanalytics.snowplow/tp2"}, pixel_paths=["/i", "/ice.png", "/quiet"]
    )
    assert payload(read.line(log_line(QUERY, path=path))).path == kept


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/static/sp.js", "/wp-login.php", "/index.html", "/a/b/c", "/js/app.min.js"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_are_not_ours(path, method):
    assert reader().line(log_line("a=b", path=path, method=method)) == "not ours"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_only_get_brings_an_event(method):
    found = reader().line(log_line(QUERY, method=method))
    assert isinstance(found, Unreadable)
    assert found.message == {"payloadField": "verb", "value": method, "expectation": "operation must be GET"}


@pytest.mark.parametrize("count", [1, 2, 11, 13, 14, 16, 17, 20, 21, 22])
def test_a_layout_nobody_ever_had(count):
    found = reader().line("\t".join(log_line(QUERY).split("\t")[:count]))
    assert found == Unreadable("", {"error": "does not match header or data row formats"})


def test_a_line_shorter_than_its_header():
    read = reader()
    read.line("#Fields: " + " ".join(FIELDS))
    assert isinstance(read.line(log_line(QUERY, count=19)), Unreadable)


@pytest.mark.parametrize(
    ("date", "time"), [("2014-13-01", "00:00:00"), ("yesterday", "00:00:00"), ("2014-01-28", "25:00:00")]
)
def test_a_time_that_is_none(date, time):
    fields = log_line(QUERY).split("\t")
    found = reader().line("\t".join([date, time, *fields[2:]]))
    assert isinstance(found, Unreadable)
    assert found.message["payloadField"] == "dateTime"
    assert found.message["value"] == f"{date} {time}"
    assert found.message["expectation"].startswith("could not convert timestamp: ")


def test_fractions_of_a_second():
    fields = log_line(QUERY, at=AT).split("\t")
    fields[1] = "03:41:59.25"
    assert payload(reader().line("\t".join(fields))).timestamp == AT_MS + 250


@pytest.mark.parametrize("line", ["", "   ", "#Version: 1.0", "#Fields: " + " ".join(FIELDS), "#Software: x"])
def test_lines_that_are_no_data(line):
    assert reader().line(line) is None


def test_columns_are_found_by_name_in_any_order():
    """Standard logging v2 has the columns that were chosen, in the order they were chosen."""
    read = reader()
    read.line("#Fields: cs-uri-query timestamp(ms) cs(User-Agent) cs-uri-stem c-country")
    found = payload(read.line("\t".join(["e=pv&eid=1", "1390880519123", "Agent/1%20(x)", "/i", "DE"])))
    assert (found.querystring, found.timestamp, found.user_agent, found.ip_address) == (
        "e=pv&eid=1",
        AT_MS + 123,
        "Agent/1 (x)",
        None,
    )


def test_json_lines_are_read_by_name():
    line = json.dumps({
        "date": "2014-01-28", "time": "03:41:59", "c-ip": "67.71.16.237", "cs-method": "GET", "cs-uri-stem": "/i",
        "cs(Referer)": "-", "cs(User-Agent)": "Agent/1%20(x)", "cs-uri-query": "e=pv&eid=1", "sc-status": 200,
        "x-edge-request-id": "abc", "x-forwarded-for": None,
    })  # fmt: skip
    found = payload(reader().line(line))
    assert (found.querystring, found.timestamp, found.ip_address) == ("e=pv&eid=1", AT_MS, "67.71.16.237")
    assert (found.referer_uri, found.user_agent) == (None, "Agent/1 (x)")


@pytest.mark.parametrize(
    "line",
    ["{", "{}", '{"cs-uri-stem": "/i"}', '{"date": {}, "time": [], "cs-uri-stem": "/i", "cs-uri-query": 1}', "{1: 2}"],
)
def test_json_that_is_no_log_line(line):
    assert isinstance(reader().line(line), Unreadable)


def test_real_time_logs_need_the_names_of_their_columns():
    names = [
        "timestamp",
        "c-ip",
        "sc-status",
        "cs-method",
        "cs-uri-stem",
        "cs-uri-query",
        "cs-user-agent",
        "cs-referer",
        "x-edge-request-id",
    ]
    line = "1390880519.203\t67.71.16.237\t200\tGET\t/i?e=pv&eid=1\te=pv&eid=1\tAgent/1%20(x)\t-\tid1"
    found = payload(reader(names).line(line))
    assert (found.timestamp, found.path, found.querystring) == (AT_MS + 203, "/i", "e=pv&eid=1")


@pytest.mark.parametrize("fields", ["date time cs-uri-stem", "cs-uri-stem cs-uri-query", "date time cs-uri-query"])
def test_a_log_without_a_column_that_events_need(fields):
    with pytest.raises(UnusableLog, match="which events are made of"):
        reader().line(f"#Fields: {fields}")


def test_a_hit_without_event_id_gets_one_of_its_request():
    first, again, other = (
        payload(reader().line(log_line("e=pv&p=web", request_id=request))).querystring for request in ("a1", "a1", "b2")
    )
    assert first == again != other
    assert first.startswith("e=pv&p=web&eid=")
    assert payload(reader().line(log_line("e=pv&eid=x", request_id="a1"))).querystring == "e=pv&eid=x"
    assert payload(reader().line(log_line("", request_id="a1"))).querystring is None


def test_a_webhooks_query_is_left_alone():
    assert payload(reader().line(log_line("a=b", path="/com.callrail/v1"))).querystring == "a=b"


def test_the_referer_loses_a_percent_sign_that_was_cut():
    assert (
        payload(reader().line(log_line(QUERY, count=12, referer="http://a/%", twice=False))).referer_uri == "http://a/"
    )


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=20), max_size=40), st.sampled_from("\t "))
def test_any_line_is_something(fields, separator):
    read = reader()
    line = separator.join(fields).replace("\n", "")
    try:
        found = read.line(line)
    except UnusableLog:
        return
    assert found is None or found == "not ours" or isinstance(found, Hit | Unreadable)

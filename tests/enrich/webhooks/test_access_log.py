import pytest

from snowgauge.enrich.webhooks.access_log import json_name, layout_of, read_line, undo_double_encoding
from snowgauge.errors import AdapterFailure

LINE = "2024-05-01\t10:00:00\tFRA2\t1\t203.0.113.9\tGET\td1.cloudfront.net\t/\t200\t{referer}\t{agent}\t{query}"


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("%2520", "%20"),
        ("%20", "%20"),
        ("70%25 Complete", "70%25 Complete"),
        ("%2588", "%88"),
        ("%252520", "%2520"),
        ("%", "%"),
    ],
)
def test_one_layer_of_two_is_taken_off(text, rewritten):
    assert undo_double_encoding(text) == rewritten


@pytest.mark.parametrize(
    ("agent", "in_data", "of_request"),
    [
        ("Mozilla/5.0%2520(X11)", "Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
        ("Mozilla/5.0%20(X11)", "Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
        ("bot/1.0;%20+http://x.io", "bot/1.0;  http://x.io", "bot/1.0; +http://x.io"),
        ("a%09b%0Ac%0Dd", "a    bcd", "a    bcd"),
        ("%C3%A9%FF", "é�", "é�"),
    ],
)
def test_user_agents_come_out_readable(agent, in_data, of_request):
    read = read_line(LINE.format(referer="-", agent=agent, query="-"))
    assert (read.data["csUserAgent"], read.user_agent) == (in_data, of_request)


def test_a_page_url_keeps_the_encoding_of_its_own():
    read = read_line(LINE.format(referer="http://x.io/?q=a%2520b", agent="-", query="q=a%2520b"))
    assert (read.referer, read.data["csReferer"]) == ("http://x.io/?q=a%20b", "http://x.io/?q=a b")
    assert read.data["csUriQuery"] == "q=a%20b"


@pytest.mark.parametrize("text", ["%", "a%2", "%zz", "%2525%"])
def test_an_escape_that_is_none_fails_the_line(text):
    with pytest.raises(AdapterFailure, match="URL-decoding"):
        read_line(LINE.format(referer=text, agent="-", query="-"))


def test_names_and_layouts():
    assert layout_of("#Fields: date\ttime  cs(Host)") == ("date", "time", "cs(Host)")
    assert [json_name(name) for name in ("cs(User-Agent)", "x-edge-location", "c-ip", "asn", "?")] == [
        "csUserAgent",
        "xEdgeLocation",
        "cIp",
        "asn",
        "?",
    ]

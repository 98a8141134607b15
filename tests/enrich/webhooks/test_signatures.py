import pytest

from snowgauge.enrich.webhooks.signatures import header, same
from snowgauge.events.payload import CollectorPayload


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        (None, None),
        ([], None),
        (["X-Sign: a"], "a"),
        (["x-sign:a"], "a"),
        (["X-SIGN :  a:b  ", "X-Sign: second"], "a:b"),
        (["application/json", "X-Signature: b", "X-Sign"], None),
        (["X-Sign:"], ""),
    ],
)
def test_headers_are_found_whatever_their_case(headers, value):
    assert header(CollectorPayload(headers=headers), "X-Sign") == value


@pytest.mark.parametrize(
    ("one", "other", "equal"), [("a", "a", True), ("a", "b", False), ("", "a", False), ("ü", "ü", True)]
)
def test_any_texts_can_be_compared(one, other, equal):
    assert same(one, other) is equal

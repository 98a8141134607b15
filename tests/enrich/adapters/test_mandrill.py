import base64
import hashlib
import hmac
from urllib.parse import quote_plus

import pytest

PATH = "com.mandrill/v1"
FORM = "application/x-www-form-urlencoded"
EVENTS = '[{"event":"open","_id":"m1","ts":1700000000}]'
BODY = f"mandrill_events={quote_plus(EVENTS)}"


def signature(url, key="key"):
    return base64.b64encode(hmac.new(key.encode(), f"{url}mandrill_events{EVENTS}".encode(), hashlib.sha1).digest())


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    found = types(receive(PATH, body="mandrill_events=[0]", content_type=FORM))
    assert found == {
        "hard_bounce": "com.mandrill/message_bounced/1-0-2",
        "click": "com.mandrill/message_clicked/1-0-2",
        "deferral": "com.mandrill/message_delayed/1-0-2",
        "delivered": "com.mandrill/message_delivered/1-0-0",
        "spam": "com.mandrill/message_marked_as_spam/1-0-2",
        "open": "com.mandrill/message_opened/1-0-3",
        "reject": "com.mandrill/message_rejected/1-0-1",
        "send": "com.mandrill/message_sent/1-0-1",
        "soft_bounce": "com.mandrill/message_soft_bounced/1-0-2",
        "unsub": "com.mandrill/recipient_unsubscribed/1-0-2",
    }


@pytest.mark.parametrize(
    ("signed_url", "query", "secrets", "good"),
    [
        ("https://c.example.com/com.mandrill/v1", "", {}, True),
        ("https://c.example.com/com.mandrill/v1?aid=x", "aid=x", {}, True),
        ("https://public.example/hook", "", {"url": "https://public.example/hook"}, True),
        ("https://public.example/hook?aid=x", "aid=x", {"url": "https://public.example/hook"}, True),
        ("https://public.example/hook?aid=x", "aid=x", {"url": "https://public.example/hook?aid=x"}, True),
        ("http://c.example.com/com.mandrill/v1", "", {}, False),
        ("https://c.example.com/com.mandrill/v1", "aid=x", {}, False),
    ],
)
def test_the_url_is_signed_too(receive, signed_url, query, secrets, good):
    headers = [f"x-mandrill-signature: {signature(signed_url).decode()}"]
    secrets = {"webhook_key": "key", **secrets}
    result = receive(PATH, query=query, body=BODY, content_type=FORM, headers=headers, secrets=secrets)
    assert (len(result.events), len(result.failures)) == ((1, 0) if good else (0, 1))
    if not good:
        assert "webhook_key or url" in result.failures[0][0]["expectation"]


def test_an_unsigned_request_makes_no_events(receive):
    result = receive(PATH, body=BODY, content_type=FORM, secrets={"webhook_key": "key"})
    assert result.failures[0][0]["field"] == "X-Mandrill-Signature"

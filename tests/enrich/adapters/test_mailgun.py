import hashlib
import hmac
import json

import pytest

PATH = "com.mailgun/v1"


def request(key="key", time="1700000000"):
    signature = hmac.new(key.encode(), f"{time}token".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": time, "token": "token", "signature": signature},
        "event-data": {"event": "opened", "timestamp": 1, "id": "i"},
    }


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    found = types(receive(PATH, body='{"event-data": {"event": "x"}}', content_type="application/json"))
    assert found == {
        **{
            name: f"com.mailgun/message_{name}/1-0-0"
            for name in ("bounced", "clicked", "complained", "delivered", "dropped", "opened")
        },
        "unsubscribed": "com.mailgun/recipient_unsubscribed/1-0-0",
    }


@pytest.mark.parametrize(("key", "good"), [("key", True), ("other", False)])
def test_the_signature_is_checked_when_there_is_a_key(receive, key, good):
    body = json.dumps(request(key))
    result = receive(PATH, body=body, content_type="application/json", secrets={"signing_key": "key"})
    assert bool(result.events) is good
    assert receive(PATH, body=body, content_type="application/json").events
    if not good:
        assert "signing_key" in result.failures[0][0]["expectation"]


def test_a_signature_that_is_not_text_does_no_harm(receive):
    body = json.dumps(request() | {"signature": {"timestamp": [1], "token": {}, "signature": None}})
    result = receive(PATH, body=body, content_type="application/json", secrets={"signing_key": "key"})
    assert result.failures[0][0]["field"] == "signature"

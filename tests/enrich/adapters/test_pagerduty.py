import hashlib
import hmac

import pytest

PATH = "com.pagerduty/v1"
BODY = '{"event":{"event_type":"incident.triggered","id":"1","note":"ü"}}'


def signature(secret, body=BODY):
    return "v1=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    found = types(receive(PATH, body='{"messages":[{"type":"x"}]}', content_type="application/json"))
    names = ("trigger", "acknowledge", "unacknowledge", "resolve", "assign", "escalate", "delegate")
    assert found == {f"incident.{name}": "com.pagerduty/incident/1-0-0" for name in names}


@pytest.mark.parametrize(
    ("header", "secret", "good"),
    [
        (signature("a"), "a", True),
        (f"{signature('old')},{signature('a')}", "a", True),
        (signature("old"), "old, new", True),
        (signature("b"), "a", False),
        (signature("a", BODY + " "), "a", False),
        ("", "a", False),
        (signature(""), " , ", False),
    ],
)
def test_the_signature_is_checked_when_there_is_a_secret(receive, header, secret, good):
    headers = [f"x-pagerduty-signature: {header}"]
    secrets = {"signing_secret": secret}
    result = receive(PATH, body=BODY, content_type="application/json", headers=headers, secrets=secrets)
    assert bool(result.events) is good
    assert bool(result.failures) is not good


def test_an_unsigned_request_makes_no_events(receive):
    result = receive(PATH, body=BODY, content_type="application/json", secrets={"signing_secret": "a"})
    assert "not signed" in result.failures[0][0]["expectation"]

import hashlib
import hmac

import pytest

PATH = "com.urbanairship.connect/v1"
BODY = '{"id":"i","occurred":"2024-05-01T10:00:00Z","processed":"2024-05-01T10:00:00Z","type":"SEND"}'


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    found = types(receive(PATH, body="{}"))
    names = (
        "CLOSE CUSTOM FIRST_OPEN IN_APP_MESSAGE_DISPLAY IN_APP_MESSAGE_EXPIRATION IN_APP_MESSAGE_RESOLUTION LOCATION"
        " OPEN PUSH_BODY REGION RICH_DELETE RICH_DELIVERY RICH_HEAD RICH_READ SEND TAG_CHANGE UNINSTALL"
    )
    assert found == {name: f"com.urbanairship.connect/{name}/1-0-0" for name in names.split()}


@pytest.mark.parametrize(("time", "good"), [("1700000000", True), ("1700000001", False)])
def test_the_signature_is_checked_when_there_is_a_secret(receive, time, good):
    signature = hmac.new(b"key", f"1700000000:{BODY}".encode(), hashlib.sha256).hexdigest()
    headers = [f"X-UA-TIMESTAMP: {time}", f"X-UA-SIGNATURE: {signature}"]
    result = receive(PATH, body=BODY, headers=headers, secrets={"signature_secret": "key"})
    assert bool(result.events) is good


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-05-01"])
def test_times_at_the_edge_are_times(receive, text):
    result = receive(PATH, body=BODY.replace("2024-05-01T10:00:00Z", text))
    assert result.events[0].parameters["ttm"] == str(result.events[0].payload.timestamp)

import base64
import hashlib
import hmac

import pytest

PATH = "com.hubspot/v1"
BODY = '[{"subscriptionType":"contact.creation","eventId":1}]'
URL = "https://c.example.com/com.hubspot/v1"
RECEIVED = 1714557600123


def version_1(secret="key"):
    return [f"X-HubSpot-Signature: {hashlib.sha256(f'{secret}{BODY}'.encode()).hexdigest()}"]


def version_2(url=URL):
    digest = hashlib.sha256(f"keyPOST{url}{BODY}".encode()).hexdigest()
    return [f"X-HubSpot-Signature: {digest}", "X-HubSpot-Signature-Version: v2"]


def version_3(url=URL, time=str(RECEIVED - 1000)):
    digest = hmac.new(b"key", f"POST{url}{BODY}{time}".encode(), hashlib.sha256).digest()
    return [
        f"x-hubspot-signature-v3: {base64.b64encode(digest).decode()}",
        f"x-hubspot-request-timestamp: {time}",
        *version_1("the newest signature counts"),
    ]


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    assert types(receive(PATH, body="[0]", content_type="application/json")) == {
        f"{subject}.{happening}": f"com.hubspot/{subject}_{schema}/1-0-0"
        for subject in ("contact", "company", "deal")
        for happening, schema in (("creation", "creation"), ("deletion", "deletion"), ("propertyChange", "change"))
    }


@pytest.mark.parametrize(
    ("headers", "query", "url"),
    [
        (version_1(), "", None),
        ([*version_1(), "X-HubSpot-Signature-Version: v1"], "aid=x", None),
        (version_2(), "", None),
        (version_2("https://public.example/h?aid=x"), "aid=x", "https://public.example/h"),
        (version_3(), "", None),
        (version_3(f"{URL}?u=https://x.io/@a!"), "u=https%3A%2F%2Fx.io%2f%40a%21", None),
    ],
)
def test_signatures_of_all_versions(receive, headers, query, url):
    secrets = {"client_secret": "key"} | ({"url": url} if url else {})
    result = receive(PATH, query=query, body=BODY, content_type="application/json", headers=headers, secrets=secrets)
    assert result.failures == []


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ([], "X-HubSpot-Signature"),
        (version_1("other"), "X-HubSpot-Signature"),
        (version_2("https://c.example.com/"), "X-HubSpot-Signature"),
        (version_2()[:1], "X-HubSpot-Signature"),
        (version_3("https://c.example.com/"), "X-HubSpot-Signature-v3"),
        (version_3()[:1], "X-HubSpot-Request-Timestamp"),
        (version_3(time=str(RECEIVED - 300_001)), "X-HubSpot-Request-Timestamp"),
        (version_3(time="now"), "X-HubSpot-Request-Timestamp"),
    ],
)
def test_a_request_that_is_not_hubspots_makes_no_events(receive, headers, field):
    result = receive(
        PATH, body=BODY, content_type="application/json", headers=headers, secrets={"client_secret": "key"}
    )
    ((message,),) = result.failures
    assert message["field"] == field

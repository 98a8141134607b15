import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PATH = "com.sendgrid/v3"
BODY = '[{"event":"open","note":"ünïcode","sg_event_id":"a"}]\r\n'
SENDER = ec.generate_private_key(ec.SECP256R1())
PUBLIC = SENDER.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KEY = base64.b64encode(PUBLIC).decode()
PEM = SENDER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(text, time="1700000000", by=SENDER):
    signature = base64.b64encode(by.sign(f"{time}{text}".encode(), ec.ECDSA(SHA256()))).decode()
    return [
        f"x-twilio-email-event-webhook-signature: {signature}",
        f"X-Twilio-Email-Event-Webhook-Timestamp: {time}",
    ]


def test_cases(case, check):
    check(case)


def test_every_type_has_its_schema(receive, types):
    found = types(receive(PATH, body='[{"event": "x"}]', content_type="application/json"))
    names = "processed dropped delivered deferred bounce open click spamreport unsubscribe group_unsubscribe"
    assert found == {name: f"com.sendgrid/{name}/3-0-0" for name in [*names.split(), "group_resubscribe"]}


@pytest.mark.parametrize("key", [KEY, PEM, f"  {KEY}\n"])
def test_a_signed_request_is_accepted(receive, key):
    secrets = {"public_key": key}
    result = receive(PATH, body=BODY, content_type="application/json", headers=signed(BODY), secrets=secrets)
    assert [event.identity for event in result.events] == ["sendgrid:a"]


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        (signed(BODY + " "), "X-Twilio-Email-Event-Webhook-Signature"),
        (signed(BODY, by=ec.generate_private_key(ec.SECP256R1())), "X-Twilio-Email-Event-Webhook-Signature"),
        ([signed(BODY)[0], "X-Twilio-Email-Event-Webhook-Timestamp: 1700000001"], "X-Twilio-Email-Event-Webhook-Sig"),
        (["X-Twilio-Email-Event-Webhook-Signature: ?", signed(BODY)[1]], "X-Twilio-Email-Event-Webhook-Signature"),
        (["X-Twilio-Email-Event-Webhook-Signature: AAAA", signed(BODY)[1]], "X-Twilio-Email-Event-Webhook-Signature"),
        (signed(BODY)[:1], "X-Twilio-Email-Event-Webhook-Timestamp"),
        (signed(BODY)[1:], "X-Twilio-Email-Event-Webhook-Signature"),
    ],
)
def test_a_request_that_is_not_sendgrids_makes_no_events(receive, headers, field):
    secrets = {"public_key": KEY}
    result = receive(PATH, body=BODY, content_type="application/json", headers=headers, secrets=secrets)
    ((message,),) = result.failures
    assert message["field"].startswith(field)
    assert "sign" in message["expectation"]


@pytest.mark.parametrize("key", ["", "nonsense", base64.b64encode(b"key").decode()])
def test_a_setting_that_is_no_key_is_named(receive, key):
    secrets = {"public_key": key}
    result = receive(PATH, body=BODY, content_type="application/json", headers=signed(BODY), secrets=secrets)
    ((message,),) = result.failures
    assert message["field"] == "public_key"


def test_a_redelivery_has_the_same_identities(receive):
    items = [{"event": "open", "sg_event_id": str(number)} for number in range(20)]
    once = receive(PATH, body=json.dumps(items), content_type="application/json")
    again = receive(PATH, body=json.dumps(items[::-1]), content_type="application/json")
    assert {event.identity for event in once.events} == {event.identity for event in again.events}
    assert len({event.identity for event in once.events}) == 20

"""Mailgun, ``/com.mailgun/v1``: JSON of a signature and one event (adapter facts 6.3).

The seven types with a schema of Snowplow's become that. Mailgun's later types (``accepted``, ``failed``, ``rejected``,
``stored``), which enrich 6.10 refuses, become ``com.snowgauge/mailgun_event``, which keeps the type in ``event``.

Secrets: ``signing_key``, Mailgun's HTTP webhook signing key; ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.camel_case import camel_case_keys
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input, input_data
from snowgauge.enrich.webhooks.requests import JSON, NO_EVENTS, body_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender, identity_of
from snowgauge.enrich.webhooks.signatures import admit, hmac_hex, mismatch, same
from snowgauge.enrich.webhooks.timestamps_in_json import clean
from snowgauge.errors import AdapterFailure
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("mailgun", "com.mailgun-v1")
TYPES = EventTypes(
    "com.mailgun",
    {
        **{name: f"message_{name}" for name in ("bounced", "clicked", "complained", "delivered", "dropped", "opened")},
        "unsubscribed": "recipient_unsubscribed",
    },
)
LATER_TYPES = ("accepted", "failed", "rejected", "stored")
LATER_SCHEMA = "iglu:com.snowgauge/mailgun_event/jsonschema/1-0-0"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_INTEGER = re.compile("[+-]?[0-9]{1,10}")


class MailgunAdapter(Adapter):
    """One event per request."""

    paths = (("com.mailgun", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source, "signing_key")
        body = body_of(source, NO_EVENTS, refuse_empty=True)
        require_content_type(source, JSON)
        try:
            json = source.parse_json(body)
        except ValueError as error:
            why = _CONTROLS.sub("", f"could not parse body: {error}")
            raise AdapterFailure([input_data("body", body, why)]) from None
        event = json.get("event-data") if isinstance(json, dict) else None
        if not isinstance(event, dict) or "event" not in event:
            raise bad_input("body", body, "no `event` parameter provided: cannot determine event type")
        found = event["event"]
        later = isinstance(found, str) and found in LATER_TYPES
        schema = LATER_SCHEMA if later else TYPES.schema(found)
        signature = json.get("signature")
        if not isinstance(signature, dict):
            signature = {}
        for name in ("timestamp", "token", "signature"):
            if name not in signature:
                raise bad_input(name, None, f"missing '{name}'")
        if "timestamp" not in event:
            raise bad_input("event-data", None, "missing 'event-data'")
        _verify(source, signature)
        merged = _merge(signature, event) | {"timestamp": signature["timestamp"]}
        data = _reshape(camel_case_keys(merged))
        data = clean(data, ("timestamp",)) if later else clean(data, ("timestamp",), "event", found)
        return [SENDER.event(source, schema, data, identity=identity_of(event.get("id")))]


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both objects as one, deeply; what is in both is the latter's. As deep as JSON may be, which is limited."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _reshape(data: dict[str, Any]) -> dict[str, Any]:
    """Without the message's text, and with the number of attachments as a number or not at all."""
    data = {key: value for key, value in data.items() if key != "bodyPlain"}
    count = data.get("attachmentCount")
    if isinstance(count, str) and _INTEGER.fullmatch(count):
        data["attachmentCount"] = int(count)
    elif "attachmentCount" in data and (isinstance(count, bool) or not isinstance(count, int)):
        del data["attachmentCount"]
    return data


def _verify(source: AdapterInput, signature: dict[str, Any]) -> None:
    key = source.secrets.get("signing_key")
    if key is None:
        return
    found = str(signature["signature"])
    if not same(found, hmac_hex(key, f"{signature['timestamp']}{signature['token']}")):
        raise mismatch("signature", found, "signing_key")

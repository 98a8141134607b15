"""SendGrid's Event Webhook, ``/com.sendgrid/v3``: a JSON array of events (adapter facts 4).

Within one request a repeated ``sg_event_id`` counts once, the last occurrence winning. Unlike in enrich 6.10, items
without that id are all kept, and the id makes the event's id.

Secrets: ``public_key``, the verification key of SendGrid's Signed Event Webhook (Base64, as SendGrid shows it);
``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.items import each_alone
from snowgauge.enrich.webhooks.requests import JSON, body_of, json_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender, identity_of
from snowgauge.enrich.webhooks.signatures import admit, ecdsa_matches, mismatch, required_header
from snowgauge.enrich.webhooks.timestamps_in_json import clean
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("sendgrid", "com.sendgrid-v3")
TYPES = EventTypes(
    "com.sendgrid",
    {
        name: name
        for name in (
            "processed",
            "dropped",
            "delivered",
            "deferred",
            "bounce",
            "open",
            "click",
            "spamreport",
            "unsubscribe",
            "group_unsubscribe",
            "group_resubscribe",
        )
    },
    version="3-0-0",
)
_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


class SendGridAdapter(Adapter):
    """One event per item."""

    paths = (("com.sendgrid", "v3"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source, "public_key")
        body = body_of(source)
        require_content_type(source, JSON)
        _verify(source, body)
        items = json_of(source, body)
        if not isinstance(items, list):
            raise bad_input("body", body, "body is not a json array")

        def event_of(place: tuple[int, Any]) -> TrackerEvent:
            index, item = place
            found = item.get("event") if isinstance(item, dict) else None
            schema = TYPES.schema(found, index)
            data = clean(item, ("timestamp",), "event", found)
            return SENDER.event(source, schema, data, identity=identity_of(_event_id(item)))

        return each_alone(_last_of_each(items), event_of)


def _event_id(item: Any) -> str | None:
    found = item.get("sg_event_id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None


def _last_of_each(items: list[Any]) -> list[tuple[int, Any]]:
    """Items with their places in the array, without those that a later item of the same id replaces."""
    kept: dict[object, tuple[int, Any]] = {}
    for index, item in enumerate(items):
        event_id = _event_id(item)
        kept[index if event_id is None else event_id] = (index, item)
    return list(kept.values())


def _verify(source: AdapterInput, body: str) -> None:
    key = source.secrets.get("public_key")
    if key is None:
        return
    signature = required_header(source.payload, _SIGNATURE)
    if not ecdsa_matches(key, signature, required_header(source.payload, _TIMESTAMP) + body):
        raise mismatch(_SIGNATURE, signature, "public_key")

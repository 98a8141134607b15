"""Mandrill (Mailchimp Transactional), ``/com.mandrill/v1``: a form whose one field is a JSON array (adapter facts 6.2).

Mandrill's ``_id`` is the message's, so an event's identity is made of it, the type, the time, the link and the address.

Secrets: ``webhook_key``, the key Mandrill shows for the webhook, and ``url``, the webhook's URL exactly as entered in
Mandrill, which is signed too (without it: https, the request's host and path); ``url_secret`` (see
``webhooks.signatures``).
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.form_bodies import read_form
from snowgauge.enrich.webhooks.items import each_alone
from snowgauge.enrich.webhooks.requests import FORM, body_of, json_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender, identity_of
from snowgauge.enrich.webhooks.signatures import (
    admit,
    hmac_base64,
    mismatch,
    public_url,
    required_header,
    same,
)
from snowgauge.enrich.webhooks.timestamps_in_json import clean
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("mandrill", "com.mandrill-v1")
TYPES = EventTypes(
    "com.mandrill",
    {
        "hard_bounce": "message_bounced/1-0-2",
        "click": "message_clicked/1-0-2",
        "deferral": "message_delayed/1-0-2",
        "delivered": "message_delivered/1-0-0",
        "spam": "message_marked_as_spam/1-0-2",
        "open": "message_opened/1-0-3",
        "reject": "message_rejected/1-0-1",
        "send": "message_sent/1-0-1",
        "soft_bounce": "message_soft_bounced/1-0-2",
        "unsub": "recipient_unsubscribed/1-0-2",
    },
)
_FIELD = "mandrill_events"
_SIGNATURE = "X-Mandrill-Signature"


class MandrillAdapter(Adapter):
    """One event per item."""

    paths = (("com.mandrill", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source, "webhook_key", "url")
        body = body_of(source)
        require_content_type(source, FORM)
        form = read_form(body)
        _verify(source, form)
        filled = {name: value for name, value in form.items() if value is not None}
        if len(filled) != 1:
            raise bad_input("body", body, f"body should have size 1: actual size {len(filled)}")
        text = filled.get(_FIELD)
        if text is None:
            raise bad_input("body", body, f"no `{_FIELD}` parameter provided")
        if not text:
            raise bad_input("body", body, f"`{_FIELD}` field is empty")
        items = json_of(source, text, _FIELD)
        if not isinstance(items, list):
            raise bad_input(_FIELD, text, "not a json array")

        def event_of(place: tuple[int, Any]) -> TrackerEvent:
            index, item = place
            fields = item if isinstance(item, dict) else {}
            found = fields.get("event")
            schema = TYPES.schema(found, index)
            identity = identity_of(fields.get("_id"), found, *(fields.get(name) for name in ("ts", "url", "ip")))
            return SENDER.event(source, schema, clean(item, ("ts",), "event", found), identity=identity)

        return each_alone(enumerate(items), event_of)


def _verify(source: AdapterInput, form: dict[str, str | None]) -> None:
    key = source.secrets.get("webhook_key")
    if key is None:
        return
    signature = required_header(source.payload, _SIGNATURE)
    signed = public_url(source) + "".join(f"{name}{form[name] or ''}" for name in sorted(form))
    if not same(signature, hmac_base64(key, signed, "sha1")):
        raise mismatch(_SIGNATURE, signature, "webhook_key or url")

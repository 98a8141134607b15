"""Olark, ``/com.olark/v1``: a form whose field ``data`` is JSON (adapter facts 7.3).

Olark's ``id`` is the conversation's; with a digest of the content it is the event's identity. Olark signs nothing.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.camel_case import camel_case_keys
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.form_bodies import read_form
from snowgauge.enrich.webhooks.requests import FORM, NO_EVENTS, body_of, json_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender, digest, identity_of
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.enrich.webhooks.timestamps_in_json import iso_of_milliseconds
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("olark", "com.olark-v1")
TRANSCRIPT = "iglu:com.olark/transcript/jsonschema/1-0-0"
OFFLINE_MESSAGE = "iglu:com.olark/offline_message/jsonschema/1-0-0"
_DIGITS = re.compile("[0-9]{1,19}")


class OlarkAdapter(Adapter):
    """One event per request."""

    paths = (("com.olark", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source, NO_EVENTS, refuse_empty=True)
        require_content_type(source, FORM, show=False)  # as enrich 6.10 words it
        text = read_form(body, complaint="could not parse body: ").get("data")
        if not text:
            raise bad_input("data", None, "missing 'data' field")
        json = json_of(source, text, "data")
        schema = OFFLINE_MESSAGE
        identity = None
        if isinstance(json, dict):
            schema = TRANSCRIPT if "operators" in json else OFFLINE_MESSAGE
            identity = identity_of(json.get("id"), digest(json))
            if isinstance(json.get("items"), list):
                json = json | {"items": [_with_iso_time(item) for item in json["items"]]}
        return [SENDER.event(source, schema, camel_case_keys(json), identity=identity)]


def _with_iso_time(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("timestamp"), str):
        return item
    return item | {"timestamp": _iso_of_seconds(item["timestamp"])}


def _iso_of_seconds(text: str) -> str:
    """``1700000000.5`` in ISO form; a fraction is cut or filled up to three digits."""
    seconds, dot, fraction = text.partition(".")
    if "." in fraction:
        raise bad_input("timestamp", text, "unexpected timestamp format")
    digits = seconds + fraction[:3].ljust(3, "0")
    if not _DIGITS.fullmatch(digits) or not seconds or (dot and not fraction):
        raise bad_input("timestamp", digits, "cannot be converted to Double")
    return iso_of_milliseconds(int(digits)) or text

"""Urban Airship Connect, ``/com.urbanairship.connect/v1``: one event as JSON, sent without a content type (7.7).

The event's own id, time and time of processing become ``eid``, ``ttm`` and the collector's time. Unlike in enrich
6.10, ``RICH_READ`` events have their schema, and times that cannot be read fail the event.

Secrets: ``signature_secret``, the key of Airship's signature hash; ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import Message, bad_input, input_data
from snowgauge.enrich.webhooks.requests import body_of, json_of
from snowgauge.enrich.webhooks.sender import Sender
from snowgauge.enrich.webhooks.signatures import admit, hmac_hex, mismatch, required_header, same
from snowgauge.enrich.webhooks.timestamps_in_json import EPOCH
from snowgauge.errors import AdapterFailure
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("urbanairship", "com.urbanairship.connect-v1")
TYPES = EventTypes(
    "com.urbanairship.connect",
    {
        name: name
        for name in (
            "CLOSE",
            "CUSTOM",
            "FIRST_OPEN",
            "IN_APP_MESSAGE_DISPLAY",
            "IN_APP_MESSAGE_EXPIRATION",
            "IN_APP_MESSAGE_RESOLUTION",
            "LOCATION",
            "OPEN",
            "PUSH_BODY",
            "REGION",
            "RICH_DELETE",
            "RICH_DELIVERY",
            "RICH_HEAD",
            "RICH_READ",
            "SEND",
            "TAG_CHANGE",
            "UNINSTALL",
        )
    },
)
_SIGNATURE = "X-UA-SIGNATURE"


class UrbanAirshipAdapter(Adapter):
    """One event per request."""

    paths = (("com.urbanairship.connect", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source, "signature_secret")
        body = body_of(source)
        if source.payload.content_type is not None:
            raise bad_input("contentType", source.payload.content_type, "expected no content type")
        _verify(source, body)
        json = json_of(source, body)
        fields = json if isinstance(json, dict) else {}
        wrong: list[Message] = []
        occurred = _milliseconds(fields, "occurred", wrong)
        event_id = _text(fields, "id", wrong)
        processed = _milliseconds(fields, "processed", wrong)
        schema = ""
        try:
            schema = TYPES.schema(fields.get("type"))
        except AdapterFailure as failure:
            wrong.extend(dict(message) for message in failure.messages)
        if wrong or occurred is None or processed is None:
            raise AdapterFailure(wrong)
        return [
            SENDER.event(
                source,
                schema,
                json,
                parameters={**source.parameters, "ttm": str(occurred), "eid": event_id},
                payload=msgspec.structs.replace(source.payload, timestamp=processed),
            )
        ]


def _text(fields: dict[str, Any], name: str, wrong: list[Message]) -> str | None:
    value = fields.get(name)
    if isinstance(value, str):
        return value
    why = "not a string" if name in fields else "Missing required field"
    wrong.append(input_data(name, None, f"could not extract '{name}': DecodingFailure at .{name}: {why}"))
    return None


def _milliseconds(fields: dict[str, Any], name: str, wrong: list[Message]) -> int | None:
    """A time in ISO form, of UTC where no zone is given, since the epoch."""
    text = _text(fields, name, wrong)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        wrong.append(input_data(name, text, f"could not extract '{name}': not a time in ISO 8601 form"))
        return None
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // timedelta(milliseconds=1)


def _verify(source: AdapterInput, body: str) -> None:
    key = source.secrets.get("signature_secret")
    if key is None:
        return
    found = required_header(source.payload, _SIGNATURE)
    if not same(found.lower(), hmac_hex(key, f"{required_header(source.payload, 'X-UA-TIMESTAMP')}:{body}")):
        raise mismatch(_SIGNATURE, found, "signature_secret")

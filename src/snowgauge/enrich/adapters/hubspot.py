"""HubSpot, ``/com.hubspot/v1``: a JSON array of notifications (adapter facts 7.9).

Snowplow's schemas are closed: creations and deletions know ``changeFlag``, changes a property, none of them ids from
2^31 on, which HubSpot's have outgrown. A notification of a known type that cannot fit becomes
``com.snowgauge/hubspot_event``, with its type in ``subscriptionType``, instead of a failed event.

HubSpot does not promise that ``eventId`` is unique, so the identity has the ids around it too, but not the number of
the delivery attempt.

Secrets: ``client_secret``, the app's, for signatures of versions 1 to 3, and ``url``, the webhook's URL as entered in
HubSpot, which versions 2 and 3 sign too (without it: https, the request's host and path); ``url_secret`` (see
``webhooks.signatures``). A version 3 signature must not be older than five minutes when the request came in.
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.items import each_alone
from snowgauge.enrich.webhooks.requests import JSON, body_of, json_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender, identity_of
from snowgauge.enrich.webhooks.signatures import (
    admit,
    header,
    hmac_base64,
    mismatch,
    public_url,
    required_header,
    same,
    sha256_hex,
)
from snowgauge.enrich.webhooks.timestamps_in_json import iso_of_epoch
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("hubspot", "com.hubspot-v1")
TYPES = EventTypes(
    "com.hubspot",
    {
        f"{subject}.{happening}": f"{subject}_{schema}"
        for subject in ("contact", "company", "deal")
        for happening, schema in (("creation", "creation"), ("deletion", "deletion"), ("propertyChange", "change"))
    },
)
LATER_SCHEMA = "iglu:com.snowgauge/hubspot_event/jsonschema/1-0-0"
_IDS = frozenset(("objectId", "eventId", "subscriptionId", "portalId", "appId", "attemptNumber"))
_MOST = 2**31 - 1
_CHANGE = {"changeSource": 128, "propertyName": 255, "propertyValue": 255}
_LIFE = {"changeSource": 128, "changeFlag": 128}
"""The texts, with their most characters, of a property's change, and of a creation or deletion."""
_FIVE_MINUTES = 300_000
_IDENTIFYING = ("eventId", "subscriptionType", "portalId", "subscriptionId", "objectId", "occurredAt", "propertyName")
_SIGNATURE = "X-HubSpot-Signature"
_SIGNATURE_3 = "X-HubSpot-Signature-v3"
_TIMESTAMP_3 = "X-HubSpot-Request-Timestamp"
# the characters that version 3 signs unescaped wherever the URL has them escaped
_UNESCAPED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


class HubSpotAdapter(Adapter):
    """One event per notification."""

    paths = (("com.hubspot", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source_url = public_url(source)
        source = admit(source, "client_secret", "url")
        body = body_of(source, "empty body: not events to process")
        require_content_type(source, JSON)
        _verify(source, body, source_url)
        items = json_of(source, body)
        if not isinstance(items, list):
            raise bad_input("body", body, "not a json array")

        def event_of(place: tuple[int, Any]) -> TrackerEvent:
            index, item = place
            fields = item if isinstance(item, dict) else {}
            schema = TYPES.schema(fields.get("subscriptionType"), index)
            data = {key: value for key, value in fields.items() if key != "subscriptionType"}
            if not _fits(data, _CHANGE if schema.partition("/jsonschema/")[0].endswith("_change") else _LIFE):
                schema = LATER_SCHEMA
                data = dict(fields)
            if "occurredAt" in data:
                data["occurredAt"] = iso_of_epoch(data["occurredAt"], 1)
            identity = identity_of(*(fields.get(name) for name in _IDENTIFYING))
            return SENDER.event(source, schema, data, identity=identity)

        return each_alone(enumerate(items), event_of)


def _fits(data: dict[str, Any], texts: dict[str, int]) -> bool:
    """Whether Snowplow's closed schema has room for these keys, ids and texts. What is of a wrong type is none of its
    later payloads: the schema refuses it."""
    return all(
        value is not None
        and (
            (key in texts and not (isinstance(value, str) and len(value) > texts[key]))
            or (key in _IDS and not (isinstance(value, int) and value > _MOST))
            or key == "occurredAt"
        )
        for key, value in data.items()
    )


def _verify(source: AdapterInput, body: str, url: str) -> None:
    secret = source.secrets.get("client_secret")
    if secret is None:
        return
    payload = source.payload
    newest = header(payload, _SIGNATURE_3)
    if newest is not None:
        time = required_header(payload, _TIMESTAMP_3)
        unescaped = _UNESCAPED.sub(lambda found: chr(int(found[1], 16)), url)
        if not same(newest, hmac_base64(secret, f"POST{unescaped}{body}{time}")):
            raise mismatch(_SIGNATURE_3, newest, "client_secret or url")
        if not re.fullmatch("[0-9]{1,16}", time) or payload.timestamp - int(time) > _FIVE_MINUTES:
            raise bad_input(_TIMESTAMP_3, time, "the signature was older than five minutes when the request came in")
        return
    found = required_header(payload, _SIGNATURE)
    of_version_2 = (header(payload, f"{_SIGNATURE}-Version") or "v1").lower() == "v2"
    signed = f"{secret}POST{url}{body}" if of_version_2 else f"{secret}{body}"
    if not same(found.lower(), sha256_hex(signed)):
        raise mismatch(_SIGNATURE, found, "client_secret or url" if of_version_2 else "client_secret")

"""PagerDuty, ``/com.pagerduty/v1``: JSON of incident messages (adapter facts 7.5).

Webhooks of the first generation (an array ``messages``) become ``com.pagerduty/incident``. Those of the third (one
object ``event``), the only ones PagerDuty still offers, are refused by enrich 6.10; here they become
``com.snowgauge/pagerduty_event`` as they are.

Secrets: ``signing_secret``, the secret of a third-generation webhook subscription (several may be given, separated by
commas, while one replaces another); ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.items import each_alone
from snowgauge.enrich.webhooks.requests import JSON, body_of, json_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender, identity_of
from snowgauge.enrich.webhooks.signatures import admit, hmac_hex, mismatch, required_header, same
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("pagerduty", "com.pagerduty-v1")
TYPES = EventTypes(
    "com.pagerduty",
    {
        f"incident.{name}": "incident"
        for name in ("trigger", "acknowledge", "unacknowledge", "resolve", "assign", "escalate", "delegate")
    },
)
THIRD_GENERATION = "iglu:com.snowgauge/pagerduty_event/jsonschema/1-0-0"
_SIGNATURE = "X-PagerDuty-Signature"


class PagerDutyAdapter(Adapter):
    """One event per message."""

    paths = (("com.pagerduty", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source, "signing_secret")
        body = body_of(source)
        require_content_type(source, JSON)
        _verify(source, body)
        json = json_of(source, body)
        fields = json if isinstance(json, dict) else {}
        event = fields.get("event")
        if isinstance(event, dict) and isinstance(event.get("event_type"), str):
            return [SENDER.event(source, THIRD_GENERATION, event, identity=identity_of(event.get("id")))]
        messages = fields.get("messages")
        if not isinstance(messages, list):
            raise bad_input("messages", body, "field `messages` is not an array")

        def event_of(place: tuple[int, Any]) -> TrackerEvent:
            index, message = place
            known = message if isinstance(message, dict) else {}
            schema = TYPES.schema(known.get("type"), index)
            return SENDER.event(source, schema, _reshape(message), identity=identity_of(known.get("id")))

        return each_alone(enumerate(messages), event_of)


def _reshape(json: Any) -> Any:
    """Nulls, types and times put right, in objects at any depth but not inside arrays."""
    if not isinstance(json, dict):
        return json
    return {key: _mended(key, value) if isinstance(value, str) else _reshape(value) for key, value in json.items()}


def _mended(key: str, value: str) -> str | None:
    if value == "null":
        return None
    if key == "type":
        return value.removeprefix("incident.")
    if key in ("created_on", "last_status_change_on") and value.endswith(" 00:00"):
        return value.removesuffix(" 00:00") + "+00:00"
    return value


def _verify(source: AdapterInput, body: str) -> None:
    secrets = source.secrets.get("signing_secret")
    if secrets is None:
        return
    found = required_header(source.payload, _SIGNATURE)
    signatures = [part.strip().removeprefix("v1=") for part in found.split(",")]
    wanted = [hmac_hex(secret.strip(), body) for secret in secrets.split(",") if secret.strip()]
    if not any(same(signature, each) for signature in signatures for each in wanted):
        raise mismatch(_SIGNATURE, found, "signing_secret")

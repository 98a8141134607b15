"""Vero, ``/com.getvero/v1``: a JSON object (adapter facts 6.4). Vero signs nothing and gives no event id.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.requests import body_of, json_of
from snowgauge.enrich.webhooks.sender import Sender
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.enrich.webhooks.timestamps_in_json import clean
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("vero", "com.getvero-v1")
TYPES = EventTypes(
    "com.getvero",
    {
        **{name: name for name in ("bounced", "clicked", "delivered", "opened", "sent", "unsubscribed")},
        "user_created": "created",
        "user_updated": "updated",
    },
)


class VeroAdapter(Adapter):
    """One event per request."""

    paths = (("com.getvero", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        json = json_of(source, body_of(source))
        if not isinstance(json, dict) or "type" not in json:
            why = "could not extract 'type': DecodingFailure at .type: Missing required field"
            raise bad_input("type", None, why)
        found = json["type"]
        if not isinstance(found, str):
            raise bad_input("type", None, "could not extract 'type': DecodingFailure at .type: not a string")
        data = clean(json, (f"{found}_at", "triggered_at"), "type", found)
        return [SENDER.event(source, TYPES.schema(found), _rename_tags(data))]


def _rename_tags(json: Any) -> Any:
    """``_tags`` as ``tags``, in objects at any depth but neither inside arrays nor below ``_tags``."""
    if not isinstance(json, dict):
        return json
    return {
        "tags" if key == "_tags" else key: value if key == "_tags" else _rename_tags(value)
        for key, value in json.items()
    }

"""Marketo, ``/com.marketo/v1``: a JSON object of the operator's own making (adapter facts 7.8).

Marketo signs nothing and gives no event id.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.requests import body_of, json_of
from snowgauge.enrich.webhooks.sender import Sender
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.enrich.webhooks.timestamps_in_json import iso_of_date_text
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("marketo", "com.marketo-v1")
SCHEMA = "iglu:com.marketo/event/jsonschema/2-0-0"
_TIMES = frozenset(
    (
        "acquisition_date",
        "created_at",
        "email_suspended_at",
        "last_referred_enrollment",
        "last_referred_visit",
        "updated_at",
        "datetime",
        "last_interesting_moment_date",
    )
)


class MarketoAdapter(Adapter):
    """One event per request."""

    paths = (("com.marketo", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source)
        json = json_of(source, body)
        if not isinstance(json, dict):
            raise bad_input("body", body, "not a json object")
        return [SENDER.event(source, SCHEMA, _with_iso_times(json))]


def _with_iso_times(json: Any) -> Any:
    """Marketo's times in ISO form, in objects at any depth but not inside arrays."""
    if not isinstance(json, dict):
        return json
    return {
        key: iso_of_date_text(value) if key in _TIMES and isinstance(value, str) else _with_iso_times(value)
        for key, value in json.items()
    }

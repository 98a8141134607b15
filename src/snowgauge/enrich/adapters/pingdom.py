"""Pingdom, ``/com.pingdom/v1``: JSON in the query parameter ``message`` (adapter facts 7.6).

Pingdom's ``incidentid`` is the incident's; with a digest of the content it is the event's identity. It signs nothing.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

import re

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input, input_data
from snowgauge.enrich.webhooks.requests import json_of
from snowgauge.enrich.webhooks.sender import Sender, digest, identity_of
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.errors import AdapterFailure
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("pingdom", "com.pingdom-v1")
TYPES = EventTypes(
    "com.pingdom",
    {
        "assign": "incident_assign",
        "notify_user": "incident_notify_user",
        "notify_of_close": "incident_notify_of_close",
    },
)
# Pingdom has sent the printed form of a Python tuple in place of its content
_PRINTED_TUPLE = re.compile(r"\(u'([^']+)',\)")


class PingdomAdapter(Adapter):
    """One event per request."""

    paths = (("com.pingdom", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        if not source.querystring:
            raise bad_input("querystring", None, "empty querystring: no events to process")
        leaks = [
            input_data(name, found[1], f"should not pass regex {_PRINTED_TUPLE.pattern}")
            for name, value in source.parameters.items()
            if value is not None and (found := _PRINTED_TUPLE.fullmatch(value))
        ]
        if leaks:
            raise AdapterFailure(leaks)
        text = source.parameters.get("message")
        if text is None:
            pairs = "&".join(f"{name}={'null' if value is None else value}" for name, value in source.querystring)
            raise bad_input("querystring", pairs, "no `message` parameter provided")
        json = json_of(source, text, "message")
        message = json if isinstance(json, dict) else {}
        schema = TYPES.schema(message.get("action"))
        data = {key: value for key, value in message.items() if key != "action"}
        return [SENDER.event(source, schema, data, identity=identity_of(message.get("incidentid"), digest(message)))]

"""CallRail, ``/com.callrail/v1``: everything is in the query string (adapter facts 7.1).

CallRail's ``id`` is the call's; with a digest of the content it is the event's identity.

Secrets: ``url_secret`` (see ``webhooks.signatures``); CallRail's own signature covers a body, which is not read here.
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.sender import NOT_DATA, Sender, digest, identity_of
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.enrich.webhooks.timestamps_in_json import iso_of_date_text
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("callrail", "com.callrail-v1")
SCHEMA = "iglu:com.callrail/call_complete/jsonschema/1-0-2"
_INTEGER = re.compile("([+-]?)0*([0-9]+)")


class CallRailAdapter(Adapter):
    """One event per request."""

    paths = (("com.callrail", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        if not source.querystring:
            raise bad_input("querystring", None, "empty querystring")
        data: dict[str, Any] = {
            name: _typed(source, name, value) for name, value in source.parameters.items() if name not in NOT_DATA
        }
        return [SENDER.event(source, SCHEMA, data, identity=identity_of(data.get("id"), digest(data)))]


def _typed(source: AdapterInput, name: str, value: str | None) -> Any:
    """A parameter's value in its type; text that is not of the type stays text, for the schema to refuse."""
    if not value:
        return None
    if name in ("first_call", "answered"):
        return {"true": True, "false": False}.get(value, value)
    if name == "datetime":
        return iso_of_date_text(value)
    if name == "duration":
        found = _INTEGER.fullmatch(value)
        # read as JSON, which keeps integers of any size
        return source.parse_json(found[1].replace("+", "") + found[2]) if found else value
    return value

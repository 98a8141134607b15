"""Mailchimp, ``/com.mailchimp/v1``: a form with nested names (adapter facts 6.1).

Mailchimp signs nothing and gives no event id: the identity is made of type, time and the ids of list and subject.

Secrets: ``url_secret`` (see ``webhooks.signatures``), which Mailchimp itself recommends to put into the URL.
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.event_types import EventTypes
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.form_bodies import read_form
from snowgauge.enrich.webhooks.requests import FORM, body_of, require_content_type
from snowgauge.enrich.webhooks.sender import NOT_DATA, Sender, digest
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.enrich.webhooks.timestamps_in_json import iso_of_date_text
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("mailchimp", "com.mailchimp-v1")
TYPES = EventTypes(
    "com.mailchimp",
    {
        "subscribe": "subscribe",
        "unsubscribe": "unsubscribe",
        "campaign": "campaign_sending_status",
        "cleaned": "cleaned_email",
        "upemail": "email_address_change",
        "profile": "profile_update",
    },
)
MOST_LEVELS = 50
_BRACKETS = re.compile(r"\]\[|\[|\]")


class MailchimpAdapter(Adapter):
    """One event per request."""

    paths = (("com.mailchimp", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source)
        require_content_type(source, FORM)
        form = read_form(body)
        found = form.get("type")
        if found is None:
            raise bad_input("body", body, "no `type` parameter provided: cannot determine event type")
        schema = TYPES.schema(found)
        fired_at = form.get("fired_at")
        if fired_at is not None:
            form["fired_at"] = iso_of_date_text(fired_at)
        parameters = {**source.parameters, **form}
        data = _nested({name: value for name, value in parameters.items() if name not in NOT_DATA})
        # the time is Mailchimp's, so the same content at the same time is a redelivery
        identity = None if fired_at is None else f"{found}:{fired_at}:{digest(data)}"
        return [SENDER.event(source, schema, data, identity=identity, parameters=parameters)]


def _nested(parameters: dict[str, str | None]) -> dict[str, Any]:
    """``data[merges][FNAME]=Jo`` as ``{"data": {"merges": {"FNAME": "Jo"}}}``; parameters without a value left out."""
    root: dict[str, Any] = {}
    for name, value in parameters.items():
        if value is None:
            continue
        path = _BRACKETS.split(name)
        while len(path) > 1 and not path[-1]:
            path.pop()
        if len(path) > MOST_LEVELS:
            raise bad_input("body", f"{name[:100]}...", f"a name has more than {MOST_LEVELS} levels of brackets")
        place = root
        for part in path[:-1]:
            below = place.get(part)
            if not isinstance(below, dict):
                below = place[part] = {}
            place = below
        place[path[-1]] = value
    return root

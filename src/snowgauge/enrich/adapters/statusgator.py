"""StatusGator, ``/com.statusgator/v1``: a form (adapter facts 7.4). It signs nothing and gives no event id.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.camel_case import camel_case_keys
from snowgauge.enrich.webhooks.form_bodies import read_form
from snowgauge.enrich.webhooks.requests import FORM, NO_EVENTS, body_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("statusgator", "com.statusgator-v1")
SCHEMA = "iglu:com.statusgator/status_change/jsonschema/1-0-0"


class StatusGatorAdapter(Adapter):
    """One event per request."""

    paths = (("com.statusgator", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source, NO_EVENTS, refuse_empty=True)
        require_content_type(source, FORM)
        form = read_form(body, complaint="could not parse body: ")
        return [SENDER.event(source, SCHEMA, camel_case_keys(form))]

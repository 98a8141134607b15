"""Unbounce, ``/com.unbounce/v1``: a form with a JSON field (adapter facts 7.2).

Unbounce signs nothing and gives no id of a submission.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.camel_case import camel_case_keys
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.form_bodies import read_form
from snowgauge.enrich.webhooks.requests import FORM, NO_EVENTS, body_of, json_of, require_content_type
from snowgauge.enrich.webhooks.sender import Sender
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("unbounce", "com.unbounce-v1")
SCHEMA = "iglu:com.unbounce/form_post/jsonschema/1-0-0"
_REQUIRED = ("page_id", "page_name", "variant", "page_url", "data.json")


class UnbounceAdapter(Adapter):
    """One event per request."""

    paths = (("com.unbounce", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source, NO_EVENTS, refuse_empty=True)
        require_content_type(source, FORM)
        form = read_form(body, complaint="could not parse body: ")
        for name in _REQUIRED:
            if form.get(name) is None:
                raise bad_input(name, None, f"missing '{name}' field in body")
        text = form["data.json"]
        if not text:
            raise bad_input("data.json", None, "empty 'data.json' field in body")
        data: dict[str, Any] = {name: value for name, value in form.items() if value is not None and name != "data.xml"}
        data["data.json"] = json_of(source, text, "data.json")
        return [SENDER.event(source, SCHEMA, camel_case_keys(data))]

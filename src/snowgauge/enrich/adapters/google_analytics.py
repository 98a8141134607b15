"""Google Analytics' measurement protocol, version 1: every line of the body is a hit (adapter facts 9).

A hit becomes an event of its type with entities for everything else it says; the tables are in
``webhooks.measurement_protocol``. The query string is not read: ``aid`` means something else to Google.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.enrich import querystrings
from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.failure_messages import Message, bad_input, input_data, schema_mapping
from snowgauge.enrich.webhooks.items import each_alone
from snowgauge.enrich.webhooks.measurement_protocol import (
    FLAT_CONTEXTS,
    HITS,
    PAGE_VIEW_CONTEXT,
    composites,
    read_typed,
    tracker_parameters,
)
from snowgauge.enrich.webhooks.requests import body_of
from snowgauge.enrich.webhooks.sender import Sender, contexts
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.errors import AdapterFailure
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("google_analytics", "com.google.analytics.measurement-protocol-v1")
_LINE_END = re.compile("\r\n|\r|\n")


class GoogleAnalyticsAdapter(Adapter):
    """One event per line."""

    paths = (("com.google.analytics", "v1"), ("com.google.analytics.measurement-protocol", "v1"))

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source, "empty body", refuse_empty=True)
        lines = _LINE_END.split(body)
        if len(lines) > 1 and not lines[-1]:
            lines.pop()
        return each_alone(lines, lambda line: _event(source, line))


def _event(source: AdapterInput, line: str) -> TrackerEvent:
    try:
        form = dict(querystrings.parse(line))
    except querystrings.BadQuery as error:
        raise bad_input("body", line, str(error)) from None
    hit = {name: value for name, value in form.items() if value is not None}
    if "t" not in hit:
        raise bad_input("body", line, "no t parameter provided: cannot determine hit type")
    fields = HITS.get(hit["t"])
    wrong: list[Message] = []
    if fields is None:
        wrong += _no_such_type(hit["t"])
    entities: list[tuple[str, Any]] = []
    for context in FLAT_CONTEXTS if fields is PAGE_VIEW_CONTEXT else (PAGE_VIEW_CONTEXT, *FLAT_CONTEXTS):
        data, messages = read_typed(context, hit)
        wrong += messages
        if data:
            entities.append((context.schema, data))
    try:
        entities += composites(hit)
    except AdapterFailure as failure:
        wrong += [dict(message) for message in failure.messages]
    if wrong or fields is None:
        raise AdapterFailure(wrong)
    data, messages = read_typed(fields, hit)
    if messages:
        raise AdapterFailure(messages[:1])
    event = SENDER.event(source, fields.schema, data, parameters={})
    if entities:
        event.parameters["co"] = contexts(entities)
    event.parameters.update(tracker_parameters(form))
    return event


def _no_such_type(found: str) -> list[Message]:
    schemas = {name: fields.schema for name, fields in HITS.items()}
    if found:
        expectation = "no schema associated with the provided type parameter"
    else:
        expectation = "cannot determine event type: type parameter empty"
    return [input_data("t", found, "no matching hit type"), schema_mapping(found, schemas, expectation)]

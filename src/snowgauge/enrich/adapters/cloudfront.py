"""CloudFront access logs, ``/com.amazon.aws.cloudfront/wd_access_log``: the body is lines of a log (adapter facts 5.2).

Unlike in enrich 6.10 there may be many lines, ``#Fields:`` lines say what follows, today's 33 fields work, and ``-`` is
no value. What Snowplow's schema does not know becomes an entity, ``com.snowgauge/cloudfront_access_log``. The page URL
and the user agent come out decoded. A line's request id, where the layout has one, makes the event's id. The query
string is not read, and the time, address and user agent are the log's, not those of who delivered it.

Secrets: ``url_secret`` (see ``webhooks.signatures``).
"""

from __future__ import annotations

import re

import msgspec

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.webhooks.access_log import layout_of, read_line
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.enrich.webhooks.items import each_alone
from snowgauge.enrich.webhooks.requests import body_of
from snowgauge.enrich.webhooks.sender import Sender, contexts, identity_of
from snowgauge.enrich.webhooks.signatures import admit
from snowgauge.events.tracker import TrackerEvent

SENDER = Sender("cloudfront", "com.amazon.aws.cloudfront/wd_access_log")
REST = "iglu:com.snowgauge/cloudfront_access_log/jsonschema/1-0-0"
_LINE_END = re.compile("\r?\n")


class CloudFrontAdapter(Adapter):
    """One event per line that is not a header."""

    paths = (("com.amazon.aws.cloudfront", "wd_access_log"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        source = admit(source)
        body = body_of(source, "empty body")
        return each_alone(_data_lines(body), lambda place: _event(source, *place))


def _data_lines(body: str) -> list[tuple[str, tuple[str, ...] | None]]:
    """The lines that are requests, each with the layout that the header before it gives."""
    lines = [line for line in _LINE_END.split(body) if line] or [""]
    found: list[tuple[str, tuple[str, ...] | None]] = []
    layout: tuple[str, ...] | None = None
    for line in lines:
        if line.startswith("#Fields:"):
            layout = layout_of(line)
        elif not line.startswith("#Version:"):
            found.append((line, layout))
    if not found:
        raise bad_input("body", body, "access log contained only header lines")
    return found


def _event(source: AdapterInput, line: str, layout: tuple[str, ...] | None) -> TrackerEvent:
    read = read_line(line, layout)
    payload = msgspec.structs.replace(
        source.payload,
        timestamp=read.timestamp,
        ip_address=read.ip,
        user_agent=read.user_agent,
        referer_uri=None,
        headers=[],
        network_user_id=None,
    )
    parameters: dict[str, str | None] = {} if read.referer is None else {"url": read.referer}
    identity = identity_of(read.request_id)
    event = SENDER.event(source, read.schema, read.data, identity=identity, parameters=parameters, payload=payload)
    if read.rest:
        event.parameters["co"] = contexts([(REST, read.rest)])
    return event

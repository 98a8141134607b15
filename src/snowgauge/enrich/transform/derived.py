"""Columns the core derives from other columns: the event's best time, and which event it is (enrich 6.10)."""

from __future__ import annotations

from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent

_SNOWPLOW = "com.snowplowanalytics.snowplow"
_KNOWN = {
    "page_view": (_SNOWPLOW, "page_view"),
    "page_ping": (_SNOWPLOW, "page_ping"),
    "transaction": (_SNOWPLOW, "transaction"),
    "transaction_item": (_SNOWPLOW, "transaction_item"),
    "struct": ("com.google.analytics", "event"),
}


def derived_tstamp(event: EnrichedEvent) -> int | None:
    """The time set by the user; else the collector's minus the time the event waited on the device; else that."""
    if event.true_tstamp is not None:
        return event.true_tstamp
    created, sent, collected = event.dvce_created_tstamp, event.dvce_sent_tstamp, event.collector_tstamp
    if created is not None and sent is not None and collected is not None and created < sent:
        return collected - (sent - created)
    return collected


def name_event(event: EnrichedEvent) -> None:
    """Set event_vendor, event_name, event_format and event_version. Raises ``EnrichmentFailure`` for other types."""
    known = _KNOWN.get(event.event or "")
    if known is not None:
        event.event_vendor, event.event_name = known
        event.event_format, event.event_version = "jsonschema", "1-0-0"
    elif event.event == "unstruct":
        if event.unstruct_event is not None:
            key = event.unstruct_event.schema
            event.event_vendor, event.event_name = key.vendor, key.name
            event.event_format, event.event_version = key.format, key.version
    else:
        types = ", ".join(["page_view", "page_ping", "struct", "unstruct", "transaction", "transaction_item"])
        raise EnrichmentFailure(
            "trying to extract the schema of the enriched event but event type "
            f"[{event.event or 'null'}] doesn't match any of {types}",
            field="event",
            value=event.event,
        )

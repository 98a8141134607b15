"""What all webhook adapters share: the tracker parameters of the event they make (enrich 6.10)."""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import AdapterInput
from snowgauge.events.json_text import compact
from snowgauge.events.tracker import TrackerEvent

_UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
_LIFTED = ("nuid", "aid", "cv", "eid", "ttm", "url")


def unstruct_text(schema: str, data: Any) -> str:
    """The value of ``ue_pr`` for a self-describing event."""
    return compact({"schema": _UNSTRUCT, "data": {"schema": schema, "data": data}})


def webhook_event(
    source: AdapterInput, schema: str, data: Any, *, tracker: str, platform: str, identity: str | None = None
) -> TrackerEvent:
    """The event of one webhook message. ``p``, ``nuid``, ``aid``, ``cv``, ``eid``, ``ttm`` and ``url`` of the
    querystring are taken over; ``platform`` is the default of ``p``. ``data`` may hold number literals."""
    given = source.parameters
    parameters: dict[str, str | None] = {
        "tv": tracker,
        "e": "ue",
        "p": given.get("p", platform),
        "ue_pr": unstruct_text(schema, data),
    }
    for name in _LIFTED:
        if name in given:
            parameters[name] = given[name]
    return TrackerEvent(parameters, source.vendor, source.version, source.payload, identity)

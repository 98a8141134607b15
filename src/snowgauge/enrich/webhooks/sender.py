"""Tracker events out of a sender's data (adapter facts 1.4)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from snowgauge.enrich.adapters.base import AdapterInput
from snowgauge.enrich.adapters.webhook import webhook_event
from snowgauge.events import json_text
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.tracker import TrackerEvent

_CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
NOT_DATA = frozenset(("nuid", "aid", "cv", "p"))
"""What adapters that make data of parameters leave out of it; ``eid``, ``ttm`` and ``url`` are lifted AND stay."""


class Sender(msgspec.Struct, frozen=True):
    """One sender of webhooks: ``name`` starts its events' identities, ``tv`` is their tracker version."""

    name: str
    tv: str

    def event(
        self,
        source: AdapterInput,
        schema: str,
        data: Any,
        *,
        identity: str | None = None,
        parameters: dict[str, str | None] | None = None,
        payload: CollectorPayload | None = None,
    ) -> TrackerEvent:
        """A self-describing event of ``data``.

        ``parameters`` stand in for the query string, ``payload`` for the received one. ``identity`` is the sender's
        id of the event, ``None`` when it gave none; an ``eid`` in the URL is someone's explicit wish and beats it.
        """
        if parameters is not None:
            source = msgspec.structs.replace(source, parameters=parameters)
        if payload is not None:
            source = msgspec.structs.replace(source, payload=payload)
        known = None if identity is None or "eid" in source.parameters else f"{self.name}:{identity}"
        return webhook_event(source, schema, data, tracker=self.tv, platform="srv", identity=known)


def contexts(entities: list[tuple[str, Any]]) -> str:
    """The value of ``co`` for entities given as schema and data."""
    return json_text.compact(
        {"schema": _CONTEXTS, "data": [{"schema": schema, "data": data} for schema, data in entities]}
    )


def identity_of(*parts: object) -> str | None:
    """The sender's id of an event, joined of parts; ``None`` when the first part, the id proper, is missing."""
    first = parts[0]
    if isinstance(first, bool) or not isinstance(first, str | int) or first == "":
        return None
    return ":".join("" if part is None else str(part) for part in parts)


def digest(data: Any) -> str:
    """A short digest of an event's data.

    Part of the identity where a sender's id names the subject (a call, an incident) and not the event: only a
    redelivery of the same content is then the same event.
    """
    return hashlib.sha256(json_text.compact(data).encode()).hexdigest()[:16]

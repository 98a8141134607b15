"""A tracker event: one event's parameters, taken out of a payload by an adapter, before anything is checked."""

from __future__ import annotations

import msgspec

from snowgauge.events.payload import CollectorPayload


class TrackerEvent(msgspec.Struct):
    """What one event brought, as tracker-protocol parameters (``e``, ``p``, ``tv``, ...).

    ``None`` is a parameter without a value (``?a``), which differs from an empty one (``?a=``). Several events of one
    payload share it. ``vendor`` and ``version`` are the request path's, e.g. ``com.snowplowanalytics.snowplow/tp2``.
    ``identity`` is something the sender says identifies the event (a webhook's message id); the event's id is
    then made of it, so that a redelivery is the same event.
    """

    parameters: dict[str, str | None]
    vendor: str
    version: str
    payload: CollectorPayload
    identity: str | None = None

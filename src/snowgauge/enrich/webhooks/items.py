"""Payloads of several items, each of which becomes an event or fails on its own.

enrich 6.10 fails the whole payload for one bad item. Here the good ones become events and each bad one a failed event;
when all are bad, one failed event carries all messages, as in enrich.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from snowgauge.enrich.adapters.base import Partial
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.errors import AdapterFailure
from snowgauge.events.tracker import TrackerEvent

Item = TypeVar("Item")


def each_alone(items: Iterable[Item], event_of: Callable[[Item], TrackerEvent]) -> list[TrackerEvent]:
    """The events of all items; raises ``Partial`` when some are bad and ``AdapterFailure`` when all are."""
    events: list[TrackerEvent] = []
    failures: list[list[dict[str, Any]]] = []
    places: list[int] = []
    failed_places: list[int] = []
    for place, item in enumerate(items):
        try:
            events.append(event_of(item))
            places.append(place)
        except AdapterFailure as failure:
            failures.append([dict(message) for message in failure.messages])
            failed_places.append(place)
    if not failures and not events:
        raise bad_input("", None, "empty list of events")
    if failures and not events:
        raise AdapterFailure([message for messages in failures for message in messages])
    if failures:
        raise Partial(events, failures, places, failed_places)
    return events

"""The contract of an adapter.

An adapter turns one payload into tracker events, or raises ``AdapterFailure`` with the messages of the bad row. It
keeps no state between payloads, does no input or output, and never raises anything else, whatever the sender sent.

A new adapter is one module in this folder (or a module given by the user) with a class derived from :class:`Adapter`;
the registry finds it. Adapters read what they need from :class:`AdapterInput`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec

from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tracker import TrackerEvent


class AdapterInput(msgspec.Struct):
    """A payload with what every adapter needs already read.

    ``querystring`` keeps order and duplicates; ``parameters`` is the same as a map, the last of a name winning.
    ``validate`` checks self-describing data against Iglu; it returns the bad-row message of a failure, or ``None``.
    ``parse_json`` reads JSON text with the depth limit and raises ``ValueError`` with the message of a bad row.
    ``max_json_depth`` is that limit, for JSON that is read in another way.
    ``secrets`` are the webhook secrets configured for this adapter (see ``AdapterSettings``).
    """

    payload: CollectorPayload
    vendor: str
    version: str
    querystring: Sequence[tuple[str, str | None]]
    parameters: dict[str, str | None]
    validate: Callable[[SelfDescribing], dict[str, Any] | None]
    parse_json: Callable[[str], Any]
    secrets: dict[str, str] = {}
    max_json_depth: int = 50


class Partial(Exception):
    """Some items of a payload became events and others did not: both are kept.

    ``failures`` are bad-row messages for the items that failed; each list becomes one failed event of the payload.
    ``places`` and ``failed_places`` say which items of the payload they are, counted from 0. Ids are made of places:
    with them an item has the same id when the others are replayed. Without, events come first.
    """

    def __init__(
        self,
        events: list[TrackerEvent],
        failures: list[list[dict[str, Any]]],
        places: Sequence[int] | None = None,
        failed_places: Sequence[int] | None = None,
    ) -> None:
        super().__init__(f"{len(failures)} of {len(events) + len(failures)} items of the payload are bad")
        self.events = events
        self.failures = failures
        total = len(events) + len(failures)
        self.places = range(len(events)) if places is None else places
        self.failed_places = range(len(events), total) if failed_places is None else failed_places


class Adapter:
    """Base of all adapters. ``paths`` are the (vendor, version) pairs it answers for."""

    paths: ClassVar[tuple[tuple[str, str], ...]]
    protocol: ClassVar[bool] = False
    """True for tp2 and redirects, whose failures are tracker_protocol_violations instead of adapter_failures."""

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        """At least one event. Raises ``AdapterFailure``, or :class:`Partial` when only some items are bad."""
        raise NotImplementedError

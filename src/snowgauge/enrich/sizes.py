"""How large an outcome may be (enrich 6.10): what is larger becomes a ``size_violation``.

Measuring means printing the event once more, so it is done only where the event could be that large: the text columns
of an event are bounded by the length policy and its request, and JSON by what is counted here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from snowgauge.enrich.payload_events import Batch
from snowgauge.events import bad_row
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.failed import FailedEvent, Processor
from snowgauge.events.outcome import Enriched, Failed, Outcome
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tracker import TrackerEvent

_ENVELOPE = 200  # of an entity: its schema's URI and brackets
_COPIES = 64
"""How often the bytes of a request may come back in its event or bad row, escaping included."""


class SizeLimit:
    """Replaces outcomes that are too large. ``actualSizeBytes`` counts UTF-16 units, as enrich does."""

    def __init__(self, maximum: int, processor: Processor) -> None:
        self._maximum = maximum
        self._processor = processor

    def applied(self, outcome: Outcome, batch: Batch, index: int, tracker: TrackerEvent | None = None) -> Outcome:
        """The outcome itself where it fits."""
        match outcome:
            case Enriched():
                if self._certainly_small(outcome.event, batch):
                    return outcome
                text = to_tsv(outcome.event)
                if _size(text) <= self._maximum:
                    return outcome
                expectation = f"Enriched event exceeds the maximum allowed size of {self._maximum} bytes"
                event: EnrichedEvent | None = outcome.event
            case Failed():
                if len(batch.whole_record()) * _COPIES <= self._maximum and (
                    outcome.incomplete is None or self._certainly_small(outcome.incomplete, batch)
                ):
                    return outcome
                incomplete = outcome.incomplete
                if incomplete is not None and _size(to_tsv(incomplete)) > self._maximum:
                    outcome = Failed(outcome.failure, None, outcome.parameters)
                row = outcome.failure.bad_row_json()
                if len(row) <= self._maximum:
                    return outcome
                text = row.decode("utf-8", "replace")
                expectation = (
                    "Event failed enrichment and resulting bad row exceeds the maximum allowed size of "
                    f"{self._maximum} bytes"
                )
                event = incomplete
            case _:
                return outcome
        return Failed(self._violation(text, expectation, batch, index, event, tracker), None, outcome.parameters)

    def _violation(
        self,
        text: str,
        expectation: str,
        batch: Batch,
        index: int,
        event: EnrichedEvent | None,
        tracker: TrackerEvent | None,
    ) -> FailedEvent:
        violation = bad_row.size_violation(
            self._processor,
            batch.at,
            batch.id("size", "payload" if tracker is None else "event", index),
            maximum=self._maximum,
            actual=len(text.encode("utf-16-le", "surrogatepass")) // 2,
            expectation=expectation,
            payload=text[: self._maximum // 10],
        )
        violation.record, violation.seed = batch.whole_record(), batch.seed
        violation.event_index = index if tracker is not None else None
        if event is not None:
            violation.app_id, violation.platform, violation.tracker = event.app_id, event.platform, event.v_tracker
            violation.event_id, violation.event_name = event.event_id, event.event_name
            violation.collector_tstamp = event.collector_tstamp
        return violation

    def _certainly_small(self, event: EnrichedEvent, batch: Batch) -> bool:
        bound = len(batch.whole_record()) * _COPIES
        for item in event.derived_contexts:
            bound += _ENVELOPE + _bound(item)
        return bound <= self._maximum


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _bound(item: SelfDescribing) -> int:
    if item.literal is not None:
        return len(item.literal) * 4
    try:
        return 6 * len(msgspec.json.encode(item.data))
    except (UnicodeEncodeError, OverflowError, TypeError):
        return _json_bound(item.data)


def _json_bound(value: Any) -> int:
    """At least the bytes of the value as JSON; every character counts as the longest escape."""
    if isinstance(value, str):
        return 6 * len(value) + 2
    if isinstance(value, dict):
        return 2 + sum([_json_bound(key) + _json_bound(inner) + 2 for key, inner in value.items()])
    if isinstance(value, list):
        return 2 + sum([_json_bound(inner) + 1 for inner in value])
    return 32 if not isinstance(value, int) or -(2**63) < value < 2**64 else value.bit_length()

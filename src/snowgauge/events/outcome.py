"""What became of one event: enriched, failed or dropped on purpose; and the sums that prove nothing was lost."""

from __future__ import annotations

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent


class Enriched(msgspec.Struct, tag="enriched"):
    event: EnrichedEvent
    parameters: dict[str, str | None] = msgspec.field(default_factory=dict)


class Failed(msgspec.Struct, tag="failed"):
    """``incomplete`` is the event as far as it got (enrich 6's failed event), where there was one."""

    failure: FailedEvent
    incomplete: EnrichedEvent | None = None
    parameters: dict[str, str | None] = msgspec.field(default_factory=dict)


class Dropped(msgspec.Struct, tag="dropped"):
    """An event that an enrichment was told to drop; ``reason`` names the enrichment."""

    reason: str
    parameters: dict[str, str | None] = msgspec.field(default_factory=dict)


Outcome = Enriched | Failed | Dropped


class Tally(msgspec.Struct):
    """Counts of outcomes. ``events`` came out of ``records``; every one is in exactly one of the other three."""

    records: int = 0
    enriched: int = 0
    failed: int = 0
    dropped: int = 0

    @property
    def events(self) -> int:
        return self.enriched + self.failed + self.dropped

    def add(self, other: Tally) -> None:
        self.records += other.records
        self.enriched += other.enriched
        self.failed += other.failed
        self.dropped += other.dropped

    def count(self, outcomes: list[Outcome]) -> None:
        self.records += 1
        for outcome in outcomes:
            match outcome:
                case Enriched():
                    self.enriched += 1
                case Failed():
                    self.failed += 1
                case Dropped():
                    self.dropped += 1

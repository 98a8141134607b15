"""What a tracing server may know of one payload in a worker: sizes, sums, and names of ours."""

from __future__ import annotations

import time

from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Failed, Outcome, Tally
from snowgauge.events.trace_ids import trace_ids
from snowgauge.telemetry.reporting.base import Followed, Told


def followed(entry: LogEntry, started: int = 0, outcomes: list[Outcome] | None = None) -> Followed:
    """A payload, with what became of it where that is known by now. ``started`` is in ns since the epoch."""
    ids = trace_ids(entry.body, is_payload=entry.kind == "payload")
    about: dict[str, Told | list[str]] = {"payload.bytes": len(entry.body)}
    if not outcomes:
        return Followed(ids, about=about)
    tally = Tally()
    tally.count(outcomes)
    about |= {"events.enriched": tally.enriched, "events.failed": tally.failed, "events.dropped": tally.dropped}
    types = sorted({outcome.failure.failure_type for outcome in outcomes if isinstance(outcome, Failed)})
    if types:
        about["failure.types"] = types
    return Followed(ids, started, time.time_ns(), about)

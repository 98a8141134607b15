"""Is the system alive, and can it keep and store events?"""

from __future__ import annotations

import msgspec

from snowgauge.actions.deployment import Deployment
from snowgauge.errors import SnowgaugeError
from snowgauge.eventlog.base import LogStats
from snowgauge.telemetry.metrics import gauge


class PartHealth(msgspec.Struct, frozen=True):
    """``note`` says what is wrong, or the figure that matters."""

    name: str
    ok: bool
    note: str = ""


class Health(msgspec.Struct, frozen=True):
    """``ready`` is the sum of the parts."""

    ready: bool
    parts: list[PartHealth]


def check(deployment: Deployment) -> Health:
    """Ask each part. Never raises: a part that cannot be asked is not healthy."""
    parts = [_store(deployment), _eventlog(deployment)]
    return Health(all(part.ok for part in parts), parts)


def _store(deployment: Deployment) -> PartHealth:
    try:
        if not deployment.store.ready():
            return PartHealth("store", False, "does not answer")
        missing = [step.name for step in deployment.store.migrations() if step.applied_at is None]
    except SnowgaugeError as error:
        return PartHealth("store", False, str(error))
    if missing:
        return PartHealth("store", False, f"layout not complete: {', '.join(missing)}; run `snowgauge db init`")
    return PartHealth("store", True)


def _eventlog(deployment: Deployment) -> PartHealth:
    try:
        stats = deployment.eventlog.stats()
    except SnowgaugeError as error:
        return PartHealth("eventlog", False, str(error))
    note = f"{stats.entries} waiting, oldest {stats.oldest_seconds:.0f} s"
    full = stats.capacity_bytes is not None and stats.bytes >= stats.capacity_bytes
    return PartHealth("eventlog", not full, f"full: {note}" if full else note)


def measure_backlog(deployment: Deployment) -> LogStats:
    """What waits in the event log; also sets its gauges."""
    stats = deployment.eventlog.stats()
    gauge("eventlog_entries", stats.entries)
    gauge("eventlog_bytes", stats.bytes)
    gauge("eventlog_oldest_seconds", stats.oldest_seconds)
    return stats

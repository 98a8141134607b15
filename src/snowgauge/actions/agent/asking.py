"""The figures of a deployment, asked of its parts."""

from __future__ import annotations

import platform
import shutil
import time
from typing import Literal, cast

from snowgauge.actions import health, overview
from snowgauge.actions.agent.figures import (
    PERIODS,
    Component,
    Counted,
    EventType,
    Health,
    LimitHit,
    MinuteCount,
    Period,
    PeriodCounts,
    Status,
    Throughput,
    Versions,
)
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.processes import Processes, processes
from snowgauge.delivery.contract import LogStats
from snowgauge.errors import SnowgaugeError
from snowgauge.store.base import Bucket, EventKind, Filter, Selection
from snowgauge.telemetry import metrics

_DAY = 86_400_000
_MOST = 200
_LIMITS = ("collector_refused", "enrich_accepted_invalid", "store_refused", "pipeline_poison")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def status(deployment: Deployment) -> Status:
    """Never raises: a store that does not answer is not ready."""
    ready = health.check(deployment).ready
    try:
        events = deployment.store.count("good", Selection()) if ready else 0
    except SnowgaugeError:
        events = 0
    return Status(True, ready, events > 0, events, deployment.version)


def component_health(deployment: Deployment) -> Health:
    """Every part as far as it can be asked from here. Never raises."""
    parts = {part.name: part.ok for part in health.check(deployment).parts}
    counted = _metric_values()
    last_stored = counted.get(("pipeline_last_stored_timestamp", ""))
    last = int(last_stored * 1000) if last_stored else None
    waiting: int | None = None
    oldest: float | None = None
    stats: LogStats | None = deployment.looks.ask({"log": deployment.eventlog.stats})["log"].value
    if stats is not None:
        waiting, oldest = stats.entries, round(stats.oldest_seconds, 1)
    free = shutil.disk_usage(deployment.data_dir).free if deployment.data_dir.exists() else None
    log_up = parts.get("eventlog", False)
    there = processes(deployment.data_dir / "run")
    outages = counted.get(("iglu_lookups", "outage"), 0)
    found = counted.get(("iglu_lookups", "found"), 0)
    components = [
        Component("collector", log_up and _running(there, "collector")),
        Component("eventlog", log_up, lag_events=waiting, lag_seconds=oldest, free_bytes=free),
        Component(
            "enrich",
            oldest is not None and oldest < _STUCK_SECONDS and _running(there, "pipeline"),
            last,
            waiting,
            oldest,
        ),
        Component("store", parts.get("store", False), last),
        Component("registry", not outages or found > 0),
    ]
    return Health(all(component.up for component in components), components)


def _running(there: Processes, role: str) -> bool:
    """At least one process of this role, or none of it is known of here (it runs elsewhere)."""
    return not there.gone_of(role) or any(one.name.rpartition("-")[0] == role for one in there.running)


_STUCK_SECONDS = 300
"""Work that has waited for longer means that nobody does it."""


def counts(deployment: Deployment, now: int) -> list[PeriodCounts]:
    """Good and bad events of every period."""
    found = []
    for period in PERIODS:
        selection = _selection(period, now)
        types = deployment.store.count_by("failed", "failure_type", selection, limit=_MOST)
        by_type = {str(bucket.key): bucket.count for bucket in types if bucket.key is not None}
        good = deployment.store.count("good", selection)
        found.append(PeriodCounts(period, good, sum(by_type.values()), by_type))
    return found


def minutes(deployment: Deployment, now: int, number: int) -> list[MinuteCount]:
    """The last ``number`` minutes, oldest first, the running one last; minutes without events included."""
    end = (now // 60_000 + 1) * 60_000
    selection = Selection(end - number * 60_000, end)
    good, bad = (
        {bucket.key: bucket.count for bucket in deployment.store.timeline(kind, selection, seconds=60)}
        for kind in cast(tuple[EventKind, ...], ("good", "failed"))
    )
    starts = range(end - number * 60_000, end, 60_000)
    return [MinuteCount(start, good.get(start, 0), bad.get(start, 0)) for start in starts]


def event_types(deployment: Deployment, period: Period, now: int) -> list[EventType]:
    """Kinds of good events, the most frequent first."""
    found: list[EventType] = []

    def groups(column: str, **chosen: str | None) -> list[Bucket]:
        filters = [
            Filter(name, "none") if value is None else Filter(name, "in", [value]) for name, value in chosen.items()
        ]
        return deployment.store.count_by("good", column, _selection(period, now, filters), limit=_MOST)

    for vendor in groups("event_vendor"):
        versions = groups("event_version", event_vendor=vendor.key)
        for name in groups("event_name", event_vendor=vendor.key):
            # nearly always one version per vendor: then nothing more has to be asked
            own = (
                [name] if len(versions) == 1 else groups("event_version", event_vendor=vendor.key, event_name=name.key)
            )
            for one in own:
                version = versions[0].key if len(versions) == 1 else one.key
                found.append(EventType(vendor.key, name.key, version, one.count, one.first, one.last))
    return sorted(found, key=lambda kind: -kind.count)[:_MOST]


def schemas(deployment: Deployment, period: Period, now: int) -> list[Counted]:
    """Schemas of the entities that good events carry."""
    return _counted(deployment.store.entity_counts("good", _selection(period, now), limit=_MOST))


ChosenColumn = Literal["v_tracker", "name_tracker", "app_id"]
"""Columns that hold what the sender of an event likes."""


def platforms(deployment: Deployment, period: Period, now: int) -> list[Counted]:
    """Good events by platform, of which there are nine."""
    return _counted(deployment.store.count_by("good", "platform", _selection(period, now), limit=_MOST))


def by_chosen_column(
    deployment: Deployment, column: ChosenColumn, period: Period, now: int, *, smallest: int
) -> list[Counted]:
    """Good events by tracker version, tracker namespace or application. Keys of fewer than ``smallest`` events are
    summed."""
    found = _counted(deployment.store.count_by("good", column, _selection(period, now), limit=_MOST))
    named = [one for one in found if one.key is None or one.count >= smallest]
    rare = [one for one in found if one.key is not None and one.count < smallest]
    if not rare:
        return named
    first = min((one.first_seen for one in rare if one.first_seen is not None), default=None)
    last = max((one.last_seen for one in rare if one.last_seen is not None), default=None)
    return [*named, Counted(None, sum(one.count for one in rare), first, last, others=True)]


def versions(deployment: Deployment) -> Versions:
    return Versions(deployment.version, platform.python_version(), len(deployment.resolver.keys()))


def throughput(deployment: Deployment) -> Throughput:
    """How much comes in, and how much could. Raises ``StoreError``."""
    capacity = overview.capacity(deployment)
    return Throughput(capacity.now, capacity.busiest, capacity.able, capacity.disk_free, capacity.days_left)


def limits(deployment: Deployment) -> list[LimitHit]:  # noqa: ARG001 - every action is asked the same way
    """Which limits were met, and how often; empty when none was."""
    return [
        LimitHit(name, label, int(value))
        for (name, label), value in sorted(_metric_values().items())
        if name in _LIMITS and value
    ]


def _selection(period: Period, now: int, filters: list[Filter] | None = None) -> Selection:
    since = {
        "today": now // _DAY * _DAY,
        "24h": now - _DAY,
        "7d": now - 7 * _DAY,
        "30d": now - 30 * _DAY,
        "all": None,
    }[period]
    return Selection(since=since, filters=filters or ())


def _counted(buckets: list[Bucket]) -> list[Counted]:
    return [
        Counted(None if bucket.key is None else str(bucket.key), bucket.count, bucket.first, bucket.last)
        for bucket in buckets
    ]


def _metric_values() -> dict[tuple[str, str], float]:
    """Figures of all processes by name and (only) label."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            name = sample.name.removeprefix("snowgauge_").removesuffix("_total")
            if sample.name.startswith("snowgauge_") and len(sample.labels) <= 1:
                found[name, next(iter(sample.labels.values()), "")] = sample.value
    return found

"""How the parts of a deployment are, in figures: lag, throughput, last success, disk, memory, and honest capacity."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

from snowgauge.actions import health
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.events import now_ms
from snowgauge.errors import SnowgaugeError
from snowgauge.store.base import Selection
from snowgauge.telemetry import metrics

_DAY = 86_400_000
_MOST_FILES = 50_000


@dataclass(frozen=True)
class Fact:
    """``kind`` says how to show the value: number, seconds, bytes, time (ms), rate (per second)."""

    label: str
    value: float
    kind: str


@dataclass(frozen=True)
class PartState:
    """``note`` says what is wrong."""

    name: str
    ok: bool
    note: str
    facts: list[Fact]


@dataclass(frozen=True)
class Capacity:
    """``busiest`` is the most events per second that any minute of the last day brought; ``able`` what the workers
    would do if they never waited, from the time they spent on what they have processed since they started.
    ``days_left`` until the disk is full at the last day's rate; ``None`` where nothing came."""

    now: float
    busiest: float
    able: float | None
    disk_free: int
    disk_total: int
    used: int
    bytes_per_event: float | None
    days_left: float | None


@dataclass(frozen=True)
class Process:
    name: str
    pid: int
    memory: int


@dataclass(frozen=True)
class Overview:
    ready: bool
    version: str
    parts: list[PartState]
    capacity: Capacity | None
    processes: list[Process]


def overview(deployment: Deployment) -> Overview:
    """Never raises for a part that is away: that is what it shows."""
    found = health.check(deployment)
    state = {part.name: part for part in found.parts}
    totals = _totals()
    try:
        recent = deployment.store.count("good", Selection(now_ms() - 300_000)) / 300
        capacity: Capacity | None = _capacity(deployment, totals, recent)
    except SnowgaugeError:
        capacity, recent = None, 0.0
    requests = totals.get("snowgauge_collector_requests_total", 0.0)
    parts = [
        PartState(
            "collector", *_collector(deployment.data_dir / "run"),
            [Fact("requests since start", requests, "number"),
             Fact("not kept", totals.get("snowgauge_collector_refused_total", 0.0), "number")],
        ),
        _part(state, "eventlog", _log_facts(deployment)),
        PartState("pipeline", *_pipeline(deployment, totals), _pipeline_facts(totals)),
        _part(state, "store", [Fact("good events, last 5 minutes", recent, "rate"),
                               Fact("refused rows", totals.get("snowgauge_store_refused_total", 0.0), "number")]),
    ]  # fmt: skip
    return Overview(
        found.ready and all(part.ok for part in parts), deployment.version, parts, capacity,
        _processes(deployment.data_dir / "run"),
    )  # fmt: skip


def _collector(run: Path) -> tuple[bool, str]:
    """Its processes on this machine, where it has any here."""
    marks = list(run.glob("collector-*.pid")) if run.is_dir() else []
    alive = [one for one in _processes(run) if one.name.startswith("collector-")]
    if len(alive) < len(marks):
        return False, f"{len(marks) - len(alive)} of {len(marks)} processes do not run: the log says why"
    return True, ""


def _part(state: dict[str, health.PartHealth], name: str, facts: list[Fact]) -> PartState:
    part = state[name]
    return PartState(name, part.ok, "" if part.ok else part.note, facts)


def _log_facts(deployment: Deployment) -> list[Fact]:
    try:
        stats = deployment.eventlog.stats()
    except SnowgaugeError:
        return []
    facts = [Fact("waiting", stats.entries, "number"), Fact("oldest", stats.oldest_seconds, "seconds"),
             Fact("size", stats.bytes, "bytes")]  # fmt: skip
    if stats.capacity_bytes is not None:
        facts.append(Fact("room for", stats.capacity_bytes, "bytes"))
    return facts


def _pipeline(deployment: Deployment, totals: dict[str, float]) -> tuple[bool, str]:
    """It is behind when entries wait and nothing was stored for a minute."""
    try:
        oldest = deployment.eventlog.stats().oldest_seconds
    except SnowgaugeError:
        return True, ""
    last = totals.get("snowgauge_pipeline_last_stored_timestamp", 0.0)
    if oldest > 60 and now_ms() / 1000 - last > 60:
        return False, f"events have waited for {oldest:.0f} s and nothing was stored meanwhile: see the log"
    return True, ""


def _pipeline_facts(totals: dict[str, float]) -> list[Fact]:
    facts = [Fact("requests processed since start", totals.get("snowgauge_pipeline_records_total", 0.0), "number"),
             Fact("tries repeated", totals.get("snowgauge_pipeline_retries_total", 0.0), "number")]  # fmt: skip
    last = totals.get("snowgauge_pipeline_last_stored_timestamp")
    if last:
        facts.append(Fact("last stored", last * 1000, "time"))
    return facts


def _totals() -> dict[str, float]:
    """Every metric of all processes, summed over its labels."""
    from prometheus_client.parser import text_string_to_metric_families

    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def _capacity(deployment: Deployment, totals: dict[str, float], recent: float) -> Capacity:
    now = now_ms()
    day = Selection(now - _DAY)
    minutes = deployment.store.timeline("good", day, seconds=60)
    busiest = max((bucket.count for bucket in minutes), default=0) / 60
    today = sum(bucket.count for bucket in minutes)
    spent = totals.get("snowgauge_pipeline_batch_seconds_sum", 0.0)
    processed = totals.get("snowgauge_pipeline_outcomes_total", 0.0)
    disk = shutil.disk_usage(deployment.data_dir)
    used = _size(deployment.data_dir)
    every = deployment.store.count("good", Selection(now - 30 * _DAY))
    # the files hold everything that is older too: an upper bound, which errs to the safe side
    per_event = used / every if every >= 1000 else None
    days = disk.free / (today * per_event) if per_event and today else None
    return Capacity(
        recent, busiest, processed / spent if spent > 1 and processed > 100 else None, disk.free, disk.total, used,
        per_event, days,
    )  # fmt: skip


def _size(folder: Path) -> int:
    """Bytes on the disk below a folder; stops counting at very many files."""
    total = seen = 0
    for place, _, names in os.walk(folder):
        for name in names:
            seen += 1
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except OSError:
                continue  # merged or rotated away meanwhile
        if seen > _MOST_FILES:
            break
    return total


def _processes(run: Path) -> list[Process]:
    found = []
    for file in sorted(run.glob("*.pid")) if run.is_dir() else ():
        try:
            pid = int(file.read_text())
            found.append(Process(file.stem, pid, psutil.Process(pid).memory_info().rss))
        except (OSError, ValueError, psutil.Error):
            continue
    return found

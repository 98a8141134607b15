"""How the parts of a deployment are, in figures: lag, rates, failures, last success, disk, memory, honest capacity.

The console's Health page, `GET /api/v1/health` and `snowgauge status` show this.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from snowgauge.actions import health
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.events import now_ms
from snowgauge.actions.processes import Process, Processes, processes
from snowgauge.delivery.contract import LogStats
from snowgauge.store.base import EventKind, Selection
from snowgauge.telemetry import metrics

_DAY = 86_400_000
_MOST_FILES = 50_000
_REGISTRY = "registry "
_BOTH: tuple[EventKind, ...] = ("good", "failed")


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
class FailureCount:
    """Failed events of one type within the last day."""

    type: str
    count: int


@dataclass(frozen=True)
class Overview:
    """``ready``: everything works. ``running``: a process of this deployment runs on this machine at all."""

    ready: bool
    running: bool
    version: str
    data_dir: str
    parts: list[PartState]
    failures: list[FailureCount]
    capacity: Capacity | None
    processes: list[Process]


def overview(deployment: Deployment) -> Overview:
    """Never raises for a part that is unreachable, and waits for none: that is what it shows."""
    samples = _samples()
    questions = _registry_questions(deployment, _registries_up(samples))
    totals = _totals(samples)
    running = processes(deployment.data_dir / "run")
    looks = deployment.looks
    answers = looks.ask(
        {
            **health.questions(deployment),
            "log": deployment.eventlog.stats,
            "figures": lambda: _figures(deployment, totals),
            **{_REGISTRY + name: question for name, question in questions.items()},
        }
    )
    samples = _samples()  # what the registries were just found to be is in them
    found = health.judged(answers, looks.patience)
    state = {part.name: part for part in found.parts}
    figures: _Figures = answers["figures"].value or _Figures([], [], None)
    waiting: LogStats | None = answers["log"].value
    requests = totals.get("snowgauge_collector_requests_total", 0.0)
    parts = [
        PartState(
            "collector", *_all_run(running, "collector"),
            [Fact("requests since start", requests, "number"),
             Fact("not kept", totals.get("snowgauge_collector_refused_total", 0.0), "number")],
        ),
        _part(state, "eventlog", _log_facts(waiting)),
        PartState("pipeline", *_pipeline(waiting, totals, running), _pipeline_facts(totals)),
        _part(state, "store",
              [*figures.facts, Fact("refused rows", totals.get("snowgauge_store_refused_total", 0.0), "number")]),
        *_registries(_registries_up(samples), [name for name in questions if answers[_REGISTRY + name].late]),
        *_sinks(deployment),
        *_proxy(samples, running),
    ]  # fmt: skip
    return Overview(
        found.ready and all(part.ok for part in parts), bool(running.running), deployment.version,
        str(deployment.data_dir), parts, figures.failures, figures.capacity, running.running,
    )  # fmt: skip


def _sinks(deployment: Deployment) -> list[PartState]:
    states = deployment.sinks.states() if deployment.sinks else []
    return [
        PartState(
            f"sink {one.name}", one.ok, one.note,
            [Fact("batches waiting", one.waiting, "number"), Fact("bytes waiting", one.waiting_bytes, "bytes"),
             Fact("oldest", one.waits_seconds, "seconds"), Fact("dead letters", one.dead_letters, "number"),
             Fact("batches passed by", one.passed_by, "number")],
        )
        for one in states
    ]  # fmt: skip


class _Figures(NamedTuple):
    """What the store is asked for; empty where it does not answer, as its part says then."""

    facts: list[Fact]
    failures: list[FailureCount]
    capacity: Capacity | None


def _figures(deployment: Deployment, totals: dict[str, float]) -> _Figures:
    recent, broken = (deployment.store.count(kind, Selection(now_ms() - 300_000)) / 300 for kind in _BOTH)
    failures = _failures(deployment)
    facts = [Fact("good events, last 5 minutes", recent, "rate"),
             Fact("failed events, last 5 minutes", broken, "rate"),
             Fact("failed events, last 24 hours", sum(one.count for one in failures), "number")]  # fmt: skip
    return _Figures(facts, failures, _capacity(deployment, totals, recent))


def _all_run(running: Processes, role: str) -> tuple[bool, str]:
    """Its processes on this machine, where it has any here."""
    gone = running.gone_of(role)
    if gone:
        there = sum(one.name.startswith(f"{role}-") for one in running.running)
        return False, f"{len(gone)} of {len(gone) + there} processes do not run: the log says why"
    return True, ""


def _failures(deployment: Deployment) -> list[FailureCount]:
    day = Selection(now_ms() - _DAY)
    types = deployment.store.count_by("failed", "failure_type", day, limit=10)
    return [FailureCount(str(bucket.key), bucket.count) for bucket in types]


def _part(state: dict[str, health.PartHealth], name: str, facts: list[Fact]) -> PartState:
    part = state[name]
    return PartState(name, part.ok, "" if part.ok else part.note, facts)


def _log_facts(stats: LogStats | None) -> list[Fact]:
    if stats is None:
        return []
    facts = [Fact("waiting", stats.entries, "number"), Fact("oldest", stats.oldest_seconds, "seconds"),
             Fact("size", stats.bytes, "bytes")]  # fmt: skip
    if stats.capacity_bytes is not None:
        facts.append(Fact("room for", stats.capacity_bytes, "bytes"))
    if stats.unreadable:
        facts.append(Fact("lost to damaged files", stats.unreadable, "number"))
    return facts


def _pipeline(stats: LogStats | None, totals: dict[str, float], running: Processes) -> tuple[bool, str]:
    """It is behind when entries wait and nothing was stored for a minute."""
    all_run = _all_run(running, "pipeline")
    if not all_run[0] or stats is None:
        return all_run
    last = totals.get("snowgauge_pipeline_last_stored_timestamp", 0.0)
    if stats.oldest_seconds > 60 and now_ms() / 1000 - last > 60:
        return (
            False,
            f"events have waited for {stats.oldest_seconds:.0f} s and nothing was stored meanwhile: see the log",
        )
    return True, ""


def _pipeline_facts(totals: dict[str, float]) -> list[Fact]:
    facts = [Fact("requests processed since start", totals.get("snowgauge_pipeline_records_total", 0.0), "number"),
             Fact("tries repeated", totals.get("snowgauge_pipeline_retries_total", 0.0), "number")]  # fmt: skip
    last = totals.get("snowgauge_pipeline_last_stored_timestamp")
    if last:
        facts.append(Fact("last stored", last * 1000, "time"))
    return facts


def _registries_up(samples: list[_Sample]) -> dict[str, bool]:
    """The schema registries elsewhere that any process has asked, and whether they answered last."""
    return {one.labels["registry"]: bool(one.value) for one in samples if one.name == "snowgauge_iglu_registry_up"}


def _registry_questions(deployment: Deployment, asked: Mapping[str, bool]) -> dict[str, Callable[[], bool]]:
    """The workers ask only for schemas that are new to them: one that hangs meanwhile is found by asking from here.
    Iglu Central, which may be out of reach and never needed, is left alone until someone has asked it."""
    return {
        one.name: one.answers
        for one in deployment.resolver.registries
        if not one.local and (one.name in asked or not one.iglu_central)
    }


def _registries(up: Mapping[str, bool], late: Collection[str]) -> list[PartState]:
    """``late``: those that have not answered just now."""
    names = {*up, *late}
    if not names:
        return []
    silent = ", ".join(sorted(name for name in names if name in late or not up[name]))
    note = f"no answer: {silent}; events of schemas that only it has fail, and are recovered later"
    facts = [Fact("registries asked", len(names), "number")]
    return [PartState("registries", not silent, note if silent else "", facts)]


def _proxy(samples: list[_Sample], running: Processes) -> list[PartState]:
    """The proxy that serves HTTPS, where this deployment runs one."""
    ends = [one.value for one in samples if one.name == "snowgauge_tls_certificate_expires_timestamp"]
    if not ends and not any(one.name.startswith("proxy-") for one in running.running) and not running.gone_of("proxy"):
        return []
    ok, note = _all_run(running, "proxy")
    if ok and ends and min(ends) * 1000 < now_ms() + 2 * _DAY:
        ok, note = False, "a certificate ends soon or has ended: run `snowgauge proxy certificates`"
    return [PartState("proxy", ok, note, [Fact("first certificate ends", min(ends) * 1000, "time")] if ends else [])]


class _Sample(NamedTuple):
    name: str
    value: float
    labels: dict[str, str]


def _samples() -> list[_Sample]:
    """Every metric of all processes, a value for each of its labels."""
    from prometheus_client.parser import text_string_to_metric_families

    return [
        _Sample(sample.name, sample.value, sample.labels)
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    ]


def _totals(samples: list[_Sample]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in samples:
        sums[one.name] = sums.get(one.name, 0.0) + one.value
    return sums


def capacity(deployment: Deployment) -> Capacity:
    """What this machine does and could do. Raises ``StoreError``."""
    recent = deployment.store.count("good", Selection(now_ms() - 300_000)) / 300
    return _capacity(deployment, _totals(_samples()), recent)


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

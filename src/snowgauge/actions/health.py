"""Is the system alive, and can it keep and store events?"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.looks import Answer, Looks
from snowgauge.actions.processes import processes
from snowgauge.delivery.contract import LogStats
from snowgauge.errors import SnowgaugeError, StoreUnavailable
from snowgauge.store.base import StoreBatch
from snowgauge.telemetry.metrics import gauge

_A_REQUEST = 65_536
"""Room that a tracker's request may need."""


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
    """Ask each part, all at once. Never raises: one that cannot be asked, or is late to answer, is not healthy."""
    return judged(deployment.looks.ask(questions(deployment)), deployment.looks.patience)


def questions(deployment: Deployment) -> dict[str, Callable[[], PartHealth]]:
    """What each part is asked, for ``Looks.ask``."""
    return {name: partial(_PARTS[name][0], deployment) for name in _names(deployment)}


_RECENT = 1.0
"""Seconds for which an answer of the store means that it answers."""


def require_store(deployment: Deployment) -> None:
    """Raise ``StoreUnavailable`` where the store did not answer lately: a question to it would wait for very long."""
    if deployment.looks.recent("store", partial(_store, deployment), within=_RECENT).late:
        raise _silent(deployment)


def refuse_if_silent(deployment: Deployment) -> None:
    """As ``require_store``, from what is known already: it waits for nothing."""
    if deployment.looks.overdue("store", partial(_store, deployment), within=_RECENT):
        raise _silent(deployment)


def _silent(deployment: Deployment) -> StoreUnavailable:
    return StoreUnavailable(f"the store does not answer (no answer within {deployment.looks.patience:g} s)")


def judged(answers: Mapping[str, Answer], patience: float) -> Health:
    """The answers to ``questions``, of however many that were asked."""
    parts = []
    for name in _PARTS:
        answer = answers.get(name)
        if answer is None:  # this deployment has no such part
            continue
        if answer.late:
            parts.append(PartHealth(name, False, f"no answer within {patience:g} s"))
        elif answer.error is not None:
            parts.append(PartHealth(name, False, str(answer.error)))
        else:
            parts.append(answer.value)
    return Health(all(part.ok for part in parts), parts)


class Readiness:
    """``check``, and the proof: a part is ready only once something was really written to it.

    The proof is given once, and again after each outage of the part. It is no event: the store is given a batch
    without any, of which only the ledger keeps a line, and the event log a file that its reader takes away.

    A part that has not answered after ``patience`` seconds is not ready. Safe for threads.
    """

    def __init__(self, deployment: Deployment, *, patience: float = 5.0) -> None:
        self._deployment = deployment
        self._looks = Looks(patience)
        self._proven: set[str] = set()

    def check(self) -> Health:
        """Never raises."""
        answers = self._looks.ask({name: partial(self._judged, name) for name in _names(self._deployment)})
        return judged(answers, self._looks.patience)

    def _judged(self, name: str) -> PartHealth:
        ask, prove = _PARTS[name]
        part = ask(self._deployment)
        if not part.ok:
            self._proven.discard(name)
        elif name not in self._proven:
            refused = prove(self._deployment)
            if refused:
                return PartHealth(name, False, refused)
            self._proven.add(name)
        return part


def _store_proof(deployment: Deployment) -> str:
    """What the store says against a write; empty: it took one."""
    try:
        deployment.store.write(StoreBatch(f"ready-{uuid.uuid4().hex}"))
    except SnowgaugeError as error:
        return f"cannot be written to: {error}"
    return ""


def _eventlog_proof(deployment: Deployment) -> str:
    try:
        writer = deployment.eventlog.writer()
    except SnowgaugeError as error:
        return str(error)
    try:
        return "" if writer.healthy() else "cannot be written to: look at the disk of the data folder"
    finally:
        writer.close()


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
    if stats.unreadable:
        note += f"; {stats.unreadable} were lost to damaged files"
    full = stats.room_bytes is not None and stats.room_bytes < _A_REQUEST
    return PartHealth("eventlog", not full, f"full, or its disk is: {note}" if full else note)


def _state(deployment: Deployment) -> PartHealth:
    assert deployment.shared_state is not None
    try:
        erasures = len(deployment.shared_state.names("tombstones"))
    except SnowgaugeError as error:
        return PartHealth("state", False, f"{error}; nothing is stored without it")
    return PartHealth("state", True, f"in the store, with {erasures} erasures")


def _names(deployment: Deployment) -> list[str]:
    """The parts that this deployment has."""
    return [name for name in _PARTS if name != "state" or deployment.shared_state is not None]


_PARTS: dict[str, tuple[Callable[[Deployment], PartHealth], Callable[[Deployment], str]]] = {
    "store": (_store, _store_proof),
    "eventlog": (_eventlog, _eventlog_proof),
    "state": (_state, lambda _: ""),
}
"""How each part is asked, and how it proves that it can be written to."""


def measure(deployment: Deployment, health: Health) -> None:
    """Set the gauges that nobody sets while working: health, what waits, room on the disk, processes."""
    for part in health.parts:
        gauge("part_ready", part.ok, part=part.name)
    found = processes(deployment.data_dir / "run")
    for name in found.gone:
        gauge("process_up", 0, process=name)
        gauge("process_memory_bytes", 0, process=name)
    for process in found.running:
        gauge("process_up", 1, process=process.name)
        gauge("process_memory_bytes", process.memory, process=process.name)
        gauge("process_restarts", process.restarts, process=process.name)
    if deployment.data_dir.exists():
        disk = shutil.disk_usage(deployment.data_dir)
        gauge("disk_free_bytes", disk.free)
        gauge("disk_total_bytes", disk.total)
    measure_backlog(deployment)


def measure_backlog(deployment: Deployment) -> LogStats:
    """What waits in the event log; also sets its gauges."""
    stats = deployment.eventlog.stats()
    gauge("eventlog_entries", stats.entries)
    gauge("eventlog_bytes", stats.bytes)
    for part in stats.partitions:
        gauge("eventlog_partition_entries", part.entries, partition=part.name)
        gauge("eventlog_partition_oldest_seconds", part.oldest_seconds, partition=part.name)
    gauge("eventlog_oldest_seconds", stats.oldest_seconds)
    if stats.room_bytes is not None:
        gauge("eventlog_room_bytes", stats.room_bytes)
    return stats

"""Recovery runs that go on while nobody looks: a thread, and the run's file with its progress.

A dry run counts what would succeed; the newest one is kept, so that a page that comes back finds it. A run whose
process ended is interrupted, and is gone on with by its name.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from typing import Literal

import msgspec

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.recover import Report, Totals, new_run, recover
from snowgauge.actions.failed.repair.headline import headline
from snowgauge.actions.failed.repair.samples import faults_left
from snowgauge.actions.failed.repair.undo import undo
from snowgauge.actions.failed.replay import Replayer
from snowgauge.actions.failed.runs import Plan, Runs, Undone
from snowgauge.actions.failed.where import Choice
from snowgauge.errors import ActionRefused, SnowgaugeError
from snowgauge.telemetry.logs import logger

JobState = Literal["running", "done", "stopped", "interrupted", "undoing", "undone"]
_MOST_REASONS = 8
_log = logger("recovery")


class Stopped(Exception):
    """A person stopped the run; what was done until then stays done."""


def start(deployment: Deployment, choice: Choice, edits: EditOptions, *, by: str, at: int, dry_run: bool) -> Plan:
    """Begin a run in the background. Raises ``ActionRefused`` while another one is under way, and for edits or a
    choice that cannot be read."""
    edits.edits()
    choice.conditions()
    runs = Runs(deployment.kept)
    run = new_run(datetime.fromtimestamp(at / 1000, UTC))
    expected = deployment.store.count("failed", choice.selection())
    plan = Plan(run, at, choice, edits, by=by, dry_run=dry_run, expected=expected)
    return _begun(deployment, runs, plan)


def resume(deployment: Deployment, run: str) -> Plan:
    """Go on with a run whose process ended, or that was stopped."""
    runs = Runs(deployment.kept)
    plan = runs.load(run)
    if plan.totals is not None or state(deployment, plan) in ("running", "undoing"):
        raise ActionRefused(f"run {run} has ended or is under way: there is nothing to go on with", status=409)
    return _begun(deployment, runs, msgspec.structs.replace(plan, trouble=""))


def _begun(deployment: Deployment, runs: Runs, plan: Plan) -> Plan:
    if deployment.recovery is None:
        raise ActionRefused("this process cannot recover: use `snowgauge failed recover`", status=503)
    gate = deployment.recovery.gate
    with ExitStack() as held:
        if not plan.dry_run:
            gate = held.enter_context(runs.alone(plan.run)).storing(gate)
        _drop_counts(deployment, runs, plan)
        runs.save(plan)
        lock = held.pop_all()
    deployment.running.begin(plan.run, lambda stop: _carry_out(deployment, runs, plan, (lock, gate), stop))
    return plan


def _drop_counts(deployment: Deployment, runs: Runs, plan: Plan) -> None:
    """Earlier counts are of no use any more."""
    for earlier in runs.all():
        if earlier.dry_run and earlier.run != plan.run:
            deployment.running.stop(earlier.run)
            runs.remove(earlier.run)


def _carry_out(
    deployment: Deployment,
    runs: Runs,
    plan: Plan,
    alone: tuple[AbstractContextManager[object], Callable[[], AbstractContextManager[None]]],
    stop: threading.Event,
) -> None:
    """``alone``: what is let go of at the end, and what is held while events are stored."""
    lock, gate = alone
    notes = _Notes(deployment, runs, plan, stop)
    means = deployment.recovery
    assert means is not None
    with lock:
        try:
            with means.enricher() as enricher:
                replayer = Replayer(enricher, plan.edits.edits(), conditions=plan.choice.conditions())
                totals = recover(
                    deployment.store, replayer, plan.choice.selection(), run=plan.run, at=plan.at,
                    dry_run=plan.dry_run, tell=notes, gate=gate, erasures=means.erasures(deployment.store),
                )  # fmt: skip
            notes.end(totals)
        except Stopped:
            notes.end(None, "stopped")
        except SnowgaugeError as error:
            notes.end(None, str(error))
        except Exception as error:
            _log.exception("recovery_broken", run=plan.run)
            notes.end(None, f"{type(error).__name__}: {error}")


class _Notes:
    """Writes progress into the run's file while rows go by."""

    def __init__(self, deployment: Deployment, runs: Runs, plan: Plan, stop: threading.Event) -> None:
        self._deployment = deployment
        self._runs = runs
        self._plan = plan
        self._stop = stop
        self._progress = Totals()
        self._reasons: Counter[str] = Counter()
        self._saved = time.monotonic()

    def __call__(self, report: Report) -> None:
        self._progress.rows += 1
        self._progress.count(report.verdict)
        if report.verdict not in ("recovered", "left"):
            self._reasons[self._reason(report)] += 1
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() - self._saved >= self._runs.save_every:
            self._save(msgspec.structs.replace(self._plan, progress=self._progress, reasons=self._common()))
            self._saved = time.monotonic()

    def _reason(self, report: Report) -> str:
        if report.verdict == "failed" and report.replayed is not None:
            faults = faults_left(report.replayed, self._deployment.resolver, self._deployment.validator)
            if faults:
                return headline(faults[0])
        return report.reason or report.verdict

    def _common(self) -> dict[str, int]:
        return dict(self._reasons.most_common(_MOST_REASONS))

    def end(self, totals: Totals | None, trouble: str = "") -> None:
        self._save(
            msgspec.structs.replace(
                self._plan, totals=totals, progress=self._progress, reasons=self._common(), trouble=trouble
            )
        )

    def _save(self, plan: Plan) -> None:
        if not (plan.dry_run and self._stop.is_set()):  # its file was removed for a newer count
            self._runs.save(plan)


def undo_run(deployment: Deployment, run: str, *, by: str, at: int) -> Plan:
    """Begin to take back what a run stored, as far as that goes. Raises ``ActionRefused``."""
    runs = Runs(deployment.kept)
    plan = runs.load(run)
    if plan.dry_run:
        raise ActionRefused(f"run {run} stored nothing: there is nothing to undo", status=409)
    if plan.undone is not None and plan.undone.done:
        raise ActionRefused(f"run {run} is undone already", status=409)
    if state(deployment, plan) == "running":
        raise ActionRefused(f"run {run} is under way: stop it first", status=409)
    with ExitStack() as held:
        held.enter_context(runs.alone(run))
        begun = msgspec.structs.replace(plan, undone=Undone(at, by), trouble="")
        runs.save(begun)
        lock = held.pop_all()

    def carry_out(_: threading.Event) -> None:
        with lock:
            try:
                done = undo(deployment.store, run, Undone(at, by, new_failures=_new_failures(plan)))
                runs.save(msgspec.structs.replace(begun, undone=done))
            except SnowgaugeError as error:
                runs.save(msgspec.structs.replace(begun, trouble=str(error)))

    deployment.running.begin(run, carry_out)
    return begun


def _new_failures(plan: Plan) -> int:
    return plan.totals.new_failures if plan.totals is not None else 0


def state(deployment: Deployment, plan: Plan) -> JobState:
    """How a run stands, as its document, this process and other machines know."""
    if deployment.running.runs(plan.run):
        here = True
    else:
        ended = plan.undone.done if plan.undone is not None else plan.totals is not None or bool(plan.trouble)
        here = not ended and Runs(deployment.kept).under_way(plan.run)
    if plan.undone is not None:
        return "undone" if plan.undone.done else "undoing" if here else "interrupted"
    if plan.totals is not None:
        return "done"
    if plan.trouble:
        return "stopped"
    return "running" if here else "interrupted"


def stop(deployment: Deployment, run: str) -> None:
    """Have a run of this process end behind the row it is at. Raises ``ActionRefused`` where it does not run here."""
    Runs(deployment.kept).load(run)
    if not deployment.running.stop(run):
        raise ActionRefused(f"run {run} is not under way in this process", status=409)

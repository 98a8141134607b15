"""Repairs as API and command line ask for them: runs with their state, rules, and what is said about causes."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.recover import Totals
from snowgauge.actions.failed.repair import jobs
from snowgauge.actions.failed.repair.causes import CauseState, CauseWord, CauseWords
from snowgauge.actions.failed.repair.headline import headline
from snowgauge.actions.failed.repair.rules import RepairRule, Rules
from snowgauge.actions.failed.repair.samples import diagnosed, newest, of_cause
from snowgauge.actions.failed.repair.undo import undo
from snowgauge.actions.failed.runs import Plan, Runs, Undone
from snowgauge.actions.failed.where import Choice
from snowgauge.errors import ActionRefused

_MOST_RUNS = 50


@dataclass(frozen=True)
class RunState:
    """``done`` of ``expected`` rows were replayed; ``reasons`` are why some did not become good, with how many.
    ``undone`` is what was taken back. Times in ms."""

    run: str
    state: jobs.JobState
    at: int
    by: str
    dry_run: bool
    causes: list[str]
    ids: list[str]
    edits: EditOptions
    expected: int
    totals: Totals
    reasons: dict[str, int] = field(default_factory=dict)
    trouble: str = ""
    undone: Undone | None = None


def begin(
    deployment: Deployment, *, cause: str | None, ids: list[str], edits: EditOptions, by: str, at: int, dry_run: bool
) -> RunState:
    """Begin a run over open failures of a cause, of ids, or of both. Raises ``ActionRefused``."""
    if not cause and not ids:
        raise ActionRefused("specify a cause or at least one id", status=422)
    if edits.python is not None:
        raise ActionRefused("a Python function is for the command line only: use the other edits", status=422)
    choice = Choice(group=[cause] if cause else [], id=ids)
    return shown(deployment, jobs.start(deployment, choice, edits, by=by, at=at, dry_run=dry_run))


def run_state(deployment: Deployment, run: str) -> RunState:
    """Raises ``ActionRefused`` for a run that is none."""
    try:
        return shown(deployment, Runs(deployment.kept).load(run))
    except ActionRefused as refused:
        raise ActionRefused(str(refused), status=404) from None


def run_states(deployment: Deployment, cause: str | None = None) -> list[RunState]:
    """The newest first, counts included."""
    plans = Runs(deployment.kept).all()
    wanted = [plan for plan in plans if cause is None or cause in plan.choice.group]
    return [shown(deployment, plan) for plan in wanted[:_MOST_RUNS]]


def shown(deployment: Deployment, plan: Plan) -> RunState:
    return RunState(
        plan.run, jobs.state(deployment, plan), plan.at, plan.by, plan.dry_run, plan.choice.group, plan.choice.id,
        plan.edits, plan.expected, plan.totals or plan.progress or Totals(), plan.reasons, plan.trouble, plan.undone,
    )  # fmt: skip


def say(
    deployment: Deployment,
    cause: str,
    *,
    state: CauseState,
    note: str | None,
    until: int | None,
    by: str,
    at: int,
) -> CauseWord:
    """Mute, resolve or activate a cause; ``note`` of ``None`` leaves the note as it is. Raises ``ActionRefused``."""
    words = CauseWords(deployment.kept)
    known = words.of(cause)
    if not deployment.store.count("failed", of_cause(cause, status=None)):
        raise ActionRefused(f"there is no cause {cause[:40]!r}; `snowgauge failed groups` lists them", status=404)
    if until is not None and until <= at:
        raise ActionRefused("until: this time is past; give one to come, or none", status=422)
    text = known.note if note is None else note.strip()
    return words.put(CauseWord(cause, state, text, by, at, until if state == "muted" else None))


def keep_rule(deployment: Deployment, cause: str, edits: EditOptions, *, by: str, at: int) -> RepairRule:
    """Make the edits to this cause's failures automatically from now on. Raises ``ActionRefused``."""
    rows = newest(deployment.store, of_cause(cause, status=None), 1)
    if not rows:
        raise ActionRefused(f"there is no cause {cause[:40]!r}; `snowgauge failed groups` lists them", status=404)
    (sample,) = diagnosed(rows, deployment.resolver, deployment.validator)
    return Rules(deployment.kept).keep(cause, headline(sample.faults[0]), edits, by=by, at=at)


def switch_rule(deployment: Deployment, rule_id: str, *, enabled: bool) -> RepairRule:
    """Raises ``ActionRefused`` for a rule that is none."""

    def switch(rule: RepairRule) -> None:
        rule.enabled, rule.trouble = enabled, ""

    return Rules(deployment.kept).change(rule_id, switch)


def undo_rule(deployment: Deployment, rule_id: str, *, by: str, at: int) -> Undone:
    """Switch a rule off, and take back what it has stored. Raises ``ActionRefused``."""
    switch_rule(deployment, rule_id, enabled=False)
    with Runs(deployment.kept).alone(rule_id):
        done = undo(deployment.store, rule_id, Undone(at, by))

    def forget(rule: RepairRule) -> None:
        rule.recovered = max(0, rule.recovered - done.reopened)

    Rules(deployment.kept).change(rule_id, forget)
    return done


def edits_of(given: dict[str, list[str]]) -> EditOptions:
    """From the lists of an API's body. Raises ``ActionRefused`` for edits that cannot be read."""
    made = msgspec.convert(given, EditOptions)
    made.edits()
    return made

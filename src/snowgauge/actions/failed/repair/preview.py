"""What edits make of the newest failures of a cause: before, after, and what is wrong still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.recover import Report, recover
from snowgauge.actions.failed.repair.headline import headline
from snowgauge.actions.failed.repair.samples import faults_left, newest, of_cause
from snowgauge.actions.failed.replay import Replayer
from snowgauge.errors import ActionRefused
from snowgauge.store.base import Filter, Selection

_MISSING = object()
_MOST_CHANGES = 200


@dataclass(frozen=True)
class Alteration:
    """One value that the edits changed."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


@dataclass(frozen=True)
class Previewed:
    """``verdict``: recovered, failed, dropped, waiting or lost. ``left`` says what is wrong still, for people."""

    id: str
    at: str
    verdict: str
    reason: str
    before: Any
    after: Any
    changes: list[Alteration]
    left: list[str]


def preview(deployment: Deployment, cause: str, edits: EditOptions, *, at: int, limit: int = 5) -> list[Previewed]:
    """The newest failures of a cause, edited and replayed; nothing is stored. Raises ``ActionRefused``."""
    if deployment.lend_enricher is None:
        raise ActionRefused("no enricher is available here: use `snowgauge failed recover --dry-run`", status=503)
    made = edits.edits()
    ids = [row.id for row in newest(deployment.store, of_cause(cause), limit)]
    reports: list[Report] = []
    with deployment.lend_enricher() as enricher:
        chosen = Selection(filters=[Filter("id", "in", ids)])
        recover(deployment.store, Replayer(enricher, made), chosen, run="preview", at=at, dry_run=True,
                tell=reports.append)  # fmt: skip
    return [_previewed(deployment, report) for report in sorted(reports, key=lambda one: ids.index(one.row.id))]


def _previewed(deployment: Deployment, report: Report) -> Previewed:
    row, replayed = report.row, report.replayed
    when = row.collector_tstamp or row.failed_at
    if replayed is None:
        return Previewed(row.id, when, report.verdict, report.reason, None, None, [], [])
    left: list[str] = []
    if report.verdict == "failed":
        faults = faults_left(replayed, deployment.resolver, deployment.validator)
        left = list(dict.fromkeys(headline(fault) for fault in faults))
    changes = list(_changes(replayed.before, replayed.after))[:_MOST_CHANGES]
    return Previewed(row.id, when, report.verdict, report.reason, replayed.before, replayed.after, changes, left)


def _changes(before: Any, after: Any, path: str = "") -> Iterator[Alteration]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            at = f"{path}.{name}" if path else str(name)
            yield from _changes(before.get(name, _MISSING), after.get(name, _MISSING), at)
    elif _list(before) and _list(after) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, f"{path}[{index}]")
    elif before is _MISSING:
        yield Alteration(path, "added", None, after)
    elif after is _MISSING:
        yield Alteration(path, "removed", before, None)
    elif type(before) is not type(after) or before != after:
        yield Alteration(path, "changed", before, after)


def _list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)

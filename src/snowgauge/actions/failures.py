"""Failed events for people: what causes there are, how each develops, and what exactly is wrong with an example.

A cause is the store's ``cause`` column: type, schema, message without what varies, application and tracker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from snowgauge.actions import asked
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.events import now_ms
from snowgauge.actions.failed import groups
from snowgauge.actions.failed.recover import Totals, recover
from snowgauge.actions.failed.replay import Replayer
from snowgauge.errors import ActionRefused
from snowgauge.events.failed import bad_row_schema
from snowgauge.events.failed_cause import normal_message
from snowgauge.store.base import Bucket, Filter, Selection

_BUCKETS = 24
_GROUP_COLUMNS = ("failure_type", "schema", "message", "app_id", "tracker")


@dataclass(frozen=True)
class Cause:
    """One group. ``first`` and ``last`` are ms; ``trend`` are counts over the asked range in 24 intervals."""

    id: str
    count: int
    first: int | None
    last: int | None
    failure_type: str
    schema: str | None
    message: str
    app_id: str | None
    tracker: str | None
    example_id: str
    trend: list[int]


@dataclass(frozen=True)
class Causes:
    """``total`` counts every failed event of the selection, by type too."""

    causes: list[Cause]
    total: int
    by_type: dict[str, int]


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place: ``path`` in the data, ``place`` in the whole event, the ``value`` that is there, and
    the ``rule`` of the schema that forbids it."""

    kind: str
    message: str
    schema: str | None
    keyword: str | None
    path: str | None
    place: str | None
    value: Any
    absent: bool
    rule: Any


@dataclass(frozen=True)
class Cure:
    text: str
    commands: list[str]


@dataclass(frozen=True)
class Example:
    """One failed event, explained. ``document`` is what the tracker sent, decoded."""

    id: str
    at: str
    event_id: str | None
    status: str
    message: str
    faults: list[Fault]
    cures: list[Cure]
    columns: dict[str, Any]
    document: dict[str, Any] | None
    bad_row: dict[str, Any]
    not_replayable: str


@dataclass(frozen=True)
class Recovery:
    """What a replay did, or (dry run) would do."""

    dry_run: bool
    rows: int
    recovered: int
    failed: int
    dropped: int
    waiting: int
    lost: int
    events: int
    already: int
    new_failures: int


def causes(
    deployment: Deployment, *, range_text: str | None, filters: list[str], status: str = "open", limit: int = 25
) -> Causes:
    """The most frequent causes with an example each."""
    now = now_ms()
    chosen = _selection(range_text, filters, status, now)
    store = deployment.store
    total = store.count("failed", chosen)
    by_type = {str(one.key): one.count for one in store.count_by("failed", "failure_type", chosen)}
    found = store.count_by("failed", "cause", chosen, limit=limit) if total else []
    return Causes([made for one in found if (made := _cause(deployment, one, chosen, now))], total, by_type)


def _selection(range_text: str | None, filters: list[str], status: str, now: int) -> Selection:
    chosen = asked.selection("failed", range_text, filters, now)
    if chosen is None:
        return Selection(filters=[Filter("id", "in", ())])
    if status != "all":
        if status not in ("open", "recovered", "dropped"):
            raise ActionRefused(f"status {status[:40]!r}: use open, recovered, dropped or all", status=422)
        chosen = Selection(chosen.since, chosen.until, [*chosen.filters, Filter("status", "in", [status])])
    return chosen


def _cause(deployment: Deployment, bucket: Bucket, chosen: Selection, now: int) -> Cause | None:
    own = Selection(chosen.since, chosen.until, [*chosen.filters, Filter("cause", "in", [str(bucket.key)])])
    newest = Selection(bucket.last, chosen.until, own.filters)
    example = next(iter(deployment.store.events("failed", newest, limit=1, columns=_GROUP_COLUMNS)), None)
    if example is None:
        return None
    until = chosen.until or now
    since = chosen.since or min(bucket.first or until, until - 3_600_000)
    seconds = max(60, -(-(until - since) // 1000 // _BUCKETS))
    trend = [0] * _BUCKETS
    for point in deployment.store.timeline("failed", Selection(since, until, own.filters), seconds=seconds):
        trend[min(_BUCKETS - 1, max(0, (int(point.key) - since) // (seconds * 1000)))] += point.count
    return Cause(
        str(bucket.key), bucket.count, bucket.first, bucket.last, example["failure_type"], example.get("schema"),
        normal_message(example.get("message") or ""), example.get("app_id"), example.get("tracker"), example["id"],
        trend,
    )  # fmt: skip


def examples(
    deployment: Deployment, cause: str, *, range_text: str | None = None, status: str = "all", limit: int = 10
) -> list[Example]:
    """The newest failures of one cause, each explained."""
    chosen = _selection(range_text, [], status, now_ms())
    own = Selection(chosen.since, chosen.until, [*chosen.filters, Filter("cause", "in", [cause])])
    rows = deployment.store.events("failed", own, limit=limit, columns=())
    return [explain(deployment, row["id"]) for row in rows]


def explain(deployment: Deployment, failed_id: str) -> Example:
    """One failure explained. Raises ``ActionRefused`` when there is none of this id."""
    shown = groups.show(deployment.store, deployment.resolver, failed_id)
    row = shown.row
    columns = {
        name: value
        for name in row.__struct_fields__
        if name not in ("data", "record") and (value := getattr(row, name)) not in (None, "")
    }
    return Example(
        row.id,
        row.collector_tstamp or row.failed_at,
        row.event_id,
        row.status,
        row.message or "",
        [Fault(**msgspec.to_builtins(fault)) for fault in shown.faults],
        [Cure(cure.text, list(cure.commands)) for cure in shown.cures],
        columns,
        None if shown.document is None else dict(shown.document),
        {"schema": bad_row_schema(row.failure_type), "data": row.data},
        shown.not_replayable,
    )


def replay(deployment: Deployment, *, cause: str | None, ids: list[str], dry_run: bool) -> Recovery:
    """Send open failures through the pipeline again, as it is configured now. What becomes good is stored once."""
    if deployment.lend_enricher is None:
        raise ActionRefused("no enricher is at hand here: use `snowgauge failed recover`", status=503)
    if not cause and not ids:
        raise ActionRefused("specify a cause or at least one id", status=422)
    filters = [Filter("status", "in", ["open"])]
    if cause:
        filters.append(Filter("cause", "in", [cause]))
    if ids:
        filters.append(Filter("id", "in", ids))
    at = now_ms()
    run = f"console-{datetime.fromtimestamp(at / 1000, UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"
    with deployment.lend_enricher() as enricher:
        done: Totals = recover(
            deployment.store, Replayer(enricher), Selection(None, None, filters), run=run, at=at, dry_run=dry_run
        )
    return Recovery(
        dry_run, done.rows, done.recovered, done.failed, done.dropped, done.waiting, done.lost, done.events,
        done.already, done.new_failures,
    )  # fmt: skip

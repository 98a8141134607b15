"""Failed events for people: what causes there are, how each develops, and what exactly is wrong with an example.

A cause is the store's ``cause`` column: type, schema, message without what varies, and application.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from snowgauge.actions import asked
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.events import now_ms
from snowgauge.actions.failed import diagnosis, groups
from snowgauge.actions.failed.repair.causes import CauseState, CauseWord, CauseWords
from snowgauge.actions.failed.repair.headline import headline
from snowgauge.actions.failed.repair.problems import infer_refused
from snowgauge.actions.failed.repair.samples import diagnosed
from snowgauge.actions.failed.row import FailedRow
from snowgauge.errors import ActionRefused
from snowgauge.events.failed import bad_row_schema
from snowgauge.events.failed_cause import normal_message
from snowgauge.store.base import Bucket, Filter, Selection

_BUCKETS = 24
_MOST_TRACKERS = 5


@dataclass(frozen=True)
class Cause:
    """One group. ``headline`` says for people what is wrong, ``message`` in the validator's words. ``first`` and
    ``last`` are ms; ``trend`` are counts over the asked range in 24 intervals. ``returned``: it was resolved, and has
    recurred. ``muted_until`` is ms, or ``None`` for a mute without an end."""

    id: str
    count: int
    headline: str
    first: int | None
    last: int | None
    failure_type: str
    schema: str | None
    message: str
    app_id: str | None
    trackers: list[str]
    example_id: str
    trend: list[int]
    can_infer: bool
    state: CauseState
    returned: bool
    note: str
    said_by: str
    said_at: int
    muted_until: int | None


@dataclass(frozen=True)
class Causes:
    """``total`` counts every failed event of the selection, by type too. ``muted`` and ``resolved`` are how many causes
    of the deployment have that state and are left out of the active ones."""

    causes: list[Cause]
    total: int
    by_type: dict[str, int]
    muted: int
    resolved: int


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place: ``path`` in the data, ``place`` in the whole event, the ``value`` that is there, and
    the ``rule`` of the schema that forbids it."""

    kind: str
    headline: str
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


Shown = Literal["active", "muted", "resolved", "all"]


def causes(
    deployment: Deployment,
    *,
    range_text: str | None,
    filters: list[str],
    status: str = "open",
    limit: int = 25,
    shown: Shown = "active",
) -> Causes:
    """The most frequent causes with an example each, of those in the state ``shown``."""
    now = now_ms()
    chosen = _selection(range_text, filters, status, now)
    store = deployment.store
    total = store.count("failed", chosen)
    by_type = {str(one.key): one.count for one in store.count_by("failed", "failure_type", chosen)}
    words = CauseWords(deployment.kept).all()
    found = store.count_by("failed", "cause", chosen, limit=limit + len(words)) if total else []
    states = {str(one.key): _word(words, str(one.key)).now(one.last, now) for one in found}
    wanted = [one for one in found if shown in ("all", states[str(one.key)])][:limit]
    examples = _examples(deployment, chosen, wanted)
    trackers = {str(one.key): _trackers(deployment, chosen, str(one.key)) for one in wanted}
    made = [
        _cause(deployment, one, (chosen, now), examples[str(one.key)], trackers[str(one.key)],
               _word(words, str(one.key)))
        for one in wanted if str(one.key) in examples
    ]  # fmt: skip
    counted = list(states.values())
    return Causes(made, total, by_type, counted.count("muted"), counted.count("resolved"))


def _word(words: dict[str, CauseWord], cause: str) -> CauseWord:
    return words.get(cause) or CauseWord(cause)


def _own(chosen: Selection, cause: str) -> Selection:
    return Selection(chosen.since, chosen.until, [*chosen.filters, Filter("cause", "in", [cause])])


def _examples(deployment: Deployment, chosen: Selection, buckets: list[Bucket]) -> dict[str, FailedRow]:
    """The newest failure of each cause, whole."""
    ids = {}
    for bucket in buckets:
        newest = Selection(bucket.last, chosen.until, _own(chosen, str(bucket.key)).filters)
        for row in deployment.store.events("failed", newest, limit=1, columns=()):
            ids[str(row["id"])] = str(bucket.key)
    rows = deployment.store.failed_events(Selection(filters=[Filter("id", "in", list(ids))])) if ids else ()
    return {ids[str(row["id"])]: FailedRow.of(row) for row in rows}


def _trackers(deployment: Deployment, chosen: Selection, cause: str) -> list[str]:
    buckets = deployment.store.count_by("failed", "tracker", _own(chosen, cause), limit=_MOST_TRACKERS)
    return [str(bucket.key) for bucket in buckets if bucket.key]


def _selection(range_text: str | None, filters: list[str], status: str, now: int) -> Selection:
    chosen = asked.selection("failed", range_text, filters, now)
    if chosen is None:
        return Selection(filters=[Filter("id", "in", ())])
    if status != "all":
        if status not in ("open", "recovered", "dropped"):
            raise ActionRefused(f"status {status[:40]!r}: use open, recovered, dropped or all", status=422)
        chosen = Selection(chosen.since, chosen.until, [*chosen.filters, Filter("status", "in", [status])])
    return chosen


def _cause(
    deployment: Deployment,
    bucket: Bucket,
    asked_for: tuple[Selection, int],
    example: FailedRow,
    trackers: list[str],
    word: CauseWord,
) -> Cause:
    chosen, now = asked_for
    own = _own(chosen, str(bucket.key))
    until = chosen.until or now
    since = chosen.since or min(bucket.first or until, until - 3_600_000)
    seconds = max(60, -(-(until - since) // 1000 // _BUCKETS))
    trend = [0] * _BUCKETS
    for point in deployment.store.timeline("failed", Selection(since, until, own.filters), seconds=seconds):
        trend[min(_BUCKETS - 1, max(0, (int(point.key) - since) // (seconds * 1000)))] += point.count
    (sample,) = diagnosed([example], deployment.resolver, deployment.validator)
    return Cause(
        str(bucket.key), bucket.count, headline(sample.faults[0]), bucket.first, bucket.last, example.failure_type,
        example.schema, normal_message(example.message or ""), example.app_id, trackers, example.id, trend,
        not infer_refused(example.schema), word.now(bucket.last, now), word.returned(bucket.last, now), word.note,
        word.by, word.at, word.until,
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
        [_fault(fault) for fault in shown.faults],
        [Cure(cure.text, list(cure.commands)) for cure in shown.cures],
        columns,
        None if shown.document is None else dict(shown.document),
        {"schema": bad_row_schema(row.failure_type), "data": row.data},
        shown.not_replayable,
    )


def _fault(fault: diagnosis.Fault) -> Fault:
    known = msgspec.to_builtins(fault)
    del known["beside"]
    return Fault(headline=headline(fault), **known)

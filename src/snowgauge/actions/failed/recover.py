"""Replaying failed events: what becomes good is stored once, what does not stays where it was, with the reason.

For each part of the selection: replay, ask the store which events it has already (the same id and collector time are
the same event), store the rest as one batch, and mark the rows. A run that breaks off anywhere is run again: rows that
were marked are not selected again, events that were stored are recognised.

A batch is named by its contents. Named otherwise, a second try with fewer events would be taken for the first one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import msgspec

from snowgauge.actions.failed.replay import Broken, NotChosen, Replayed, Replayer, Waiting
from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.subject import NotReplayable
from snowgauge.delivery.contract import Erasures
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.outcome import Dropped, Enriched, Failed
from snowgauge.store.base import EventStore, FailedStatus, FailedUpdate, Reader, Selection, StoreBatch
from snowgauge.store.canonical import NO_UUID, refusal
from snowgauge.telemetry.metrics import count

Verdict = Literal["recovered", "failed", "dropped", "left", "waiting", "lost"]
"""``left``: not chosen by a condition, function or configuration. ``lost``: nothing can be replayed of it."""
_ROWS = 500
_BYTES = 32_000_000


@dataclass
class Totals:
    """Rows by verdict, and events. ``events`` + ``already`` are the events that rows were recovered into."""

    rows: int = 0
    recovered: int = 0
    failed: int = 0
    dropped: int = 0
    left: int = 0
    waiting: int = 0
    lost: int = 0
    events: int = 0
    already: int = 0
    new_failures: int = 0

    def count(self, verdict: Verdict) -> None:
        setattr(self, verdict, getattr(self, verdict) + 1)


class Report(msgspec.Struct):
    """One row's fate, for the caller to watch. ``replayed`` is missing where nothing could be replayed."""

    row: FailedRow
    verdict: Verdict
    reason: str = ""
    replayed: Replayed | None = None
    into: list[str] = []


class _Tried(msgspec.Struct):
    report: Report
    events: list[EnrichedEvent] = []
    failures: list[FailedEvent] = []
    incomplete: list[EnrichedEvent] = []
    update: FailedUpdate | None = None


def new_run(at: datetime) -> str:
    """The name of a run: its time and something nobody else has."""
    return f"{at.astimezone(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"


def recover(
    store: EventStore,
    replayer: Replayer,
    selection: Selection,
    *,
    run: str,
    at: int,
    dry_run: bool = False,
    tell: Callable[[Report], None] | None = None,
    gate: Callable[[], AbstractContextManager[None]] = nullcontext,
    erasures: Erasures | None = None,
) -> Totals:
    """Replay every selected row once. ``at`` is the run's time in ms: a resumed run goes on with the first one's.

    ``gate`` is held while events are stored.

    Raises ``StoreUnavailable``; what was done until then stays done.
    """
    totals = Totals()
    for rows in _parts(store, selection, run):
        tried = [_try(replayer, row, run, at) for row in rows]
        if not dry_run:
            with gate():
                _store(store, tried, totals, run, erasures)
        for one in tried:
            totals.rows += 1
            totals.count(one.report.verdict)
            if dry_run:
                totals.events += len(one.events)
                totals.new_failures += len(one.failures)
            else:
                count("failed_replays", 1, verdict=one.report.verdict)
            if tell is not None:
                tell(one.report)
    return totals


def _parts(store: Reader, selection: Selection, run: str) -> Iterator[list[FailedRow]]:
    part: list[FailedRow] = []
    size = 0
    for found in store.failed_events(selection):
        row = FailedRow.of(found)
        if row.recovery_run == run and row.attempts:
            continue  # this run was here before it broke off
        part.append(row)
        size += 4000 + 4 * len(row.record or b"")
        if len(part) >= _ROWS or size >= _BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _try(replayer: Replayer, row: FailedRow, run: str, at: int) -> _Tried:
    try:
        replayed = replayer.replay(row, at)
    except NotChosen:
        return _Tried(Report(row, "left"))
    except Waiting as waiting:
        return _Tried(Report(row, "waiting", str(waiting)))
    except NotReplayable as lost:
        return _Tried(Report(row, "lost", str(lost)))
    except Broken as broken:
        reason = str(broken)
        return _Tried(Report(row, "failed", reason), update=FailedUpdate(row.id, "open", at, run, reason[:2000]))
    return _judged(row, replayed, run, at)


def _judged(row: FailedRow, replayed: Replayed, run: str, at: int) -> _Tried:
    good: list[EnrichedEvent] = []
    failed: list[Failed] = []
    dropped: list[str] = []
    refused: list[str] = []
    for outcome in replayed.outcomes:
        match outcome:
            case Enriched(event):
                reason = refusal(event)
                if reason is None:
                    event.etl_tags = f"recovery {run}"
                    good.append(event)
                else:
                    refused.append(f"the store cannot hold it: {reason}")
            case Failed():
                failed.append(outcome)
            case Dropped(reason=reason):
                dropped.append(reason)
    if refused or not (good or dropped):
        # a row whose events cannot all be kept in some form stays whole, as it is
        return _still_failed(row, replayed, failed, refused, run, at)
    if not good and not failed:
        reason = f"dropped by {', '.join(sorted(set(dropped)))}"
        return _Tried(Report(row, "dropped", reason, replayed), update=FailedUpdate(row.id, "dropped", at, run, reason))
    new = [one for one in failed if one.failure.id != row.id]
    note = f"{len(new)} of its events failed and are rows of their own" if new else ""
    into = [str(event.event_id) for event in good]
    return _Tried(
        Report(row, "recovered", note, replayed, into),
        good,
        [one.failure for one in new],
        [one.incomplete for one in new if one.incomplete is not None],
        FailedUpdate(row.id, "recovered", at, run, note, into),
    )


def _still_failed(
    row: FailedRow, replayed: Replayed, failed: list[Failed], refused: list[str], run: str, at: int
) -> _Tried:
    if refused:
        update = FailedUpdate(row.id, "open", at, run, refused[0])
    elif failed:
        failure = failed[0].failure
        update = FailedUpdate(row.id, "open", at, run, failure.message)
        if not replayed.edited:  # the cause of the row as it is, not of an edit that did not help
            update = msgspec.structs.replace(update, message=failure.message, schema=failure.schema or "")
    else:
        update = FailedUpdate(row.id, "open", at, run, "the edited request has no item in this place any more")
    return _Tried(Report(row, "failed", update.note, replayed), update=update)


def _store(
    store: EventStore,
    tried: list[_Tried],
    totals: Totals,
    run: str,
    erasures: Erasures | None,
) -> None:
    keys = {_key(event): event for one in tried for event in one.events}
    there = store.stored(list(keys)) if keys else set()
    new = {key: event for key, event in keys.items() if key not in there}
    failures = {failure.id: failure for one in tried for failure in one.failures}
    incomplete = [event for one in tried for event in one.incomplete]
    if new or failures:
        batch = StoreBatch(_name(run, new, failures), list(new.values()), list(failures.values()), incomplete)
        if erasures is not None:
            batch = erasures.without(batch)
            erased = set(new) - set(map(_key, batch.events))
            _take_back(tried, erased, new, "dropped", "a person was erased, and this event with them")
        result = store.write(batch)
        if erasures is not None:
            erasures.after(batch)
        totals.new_failures += len(batch.failed)
        if result.refused:
            missing = set(new) - store.stored(list(new))
            _take_back(tried, missing, new, "failed", "the database refused the event; see its loader_runtime_error")
    totals.events += len(new)
    totals.already += sum(len(one.events) for one in tried) - len(new)
    updates = [one.update for one in tried if one.update is not None]
    if updates:
        store.mark_failed(updates)


def _take_back(
    tried: list[_Tried],
    missing: set[tuple[str, int]],
    new: dict[tuple[str, int], EnrichedEvent],
    verdict: Literal["failed", "dropped"],
    note: str,
) -> None:
    """Events that were not stored after all: their rows are not recovered."""
    for key in missing:
        new.pop(key)
    for one in tried:
        if one.update is not None and any(_key(event) in missing for event in one.events):
            status: FailedStatus = "open" if verdict == "failed" else "dropped"
            one.update = FailedUpdate(one.update.id, status, one.update.at, one.update.run, note)
            one.report.verdict, one.report.reason = verdict, note
            one.events = [event for event in one.events if _key(event) not in missing]


def _key(event: EnrichedEvent) -> tuple[str, int]:
    return (event.event_id or NO_UUID).lower(), event.collector_tstamp or 0


def _name(run: str, events: dict[tuple[str, int], EnrichedEvent], failures: dict[str, FailedEvent]) -> str:
    digest = hashlib.sha256(run.encode())
    for event_id, at in sorted(events):
        digest.update(f"{event_id}/{at}\n".encode())
    for failed_id in sorted(failures):
        digest.update(f"{failed_id}\n".encode())
    return f"recovery-{digest.hexdigest()[:40]}"

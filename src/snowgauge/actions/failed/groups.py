"""Failed events by cause, and one of them in full."""

from __future__ import annotations

from typing import Any

import msgspec

from snowgauge.actions.failed.cures import Cure, cure_of
from snowgauge.actions.failed.diagnosis import Fault, faults_of
from snowgauge.actions.failed.document import Document, document_of
from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.subject import NotReplayable, subject_of
from snowgauge.actions.failed.where import Choice
from snowgauge.errors import ActionRefused
from snowgauge.events.failed_cause import normal_message
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.timestamps import iso_text
from snowgauge.iglu.contract import Resolver, Validator
from snowgauge.store.base import Filter, Reader, Selection


class Group(msgspec.Struct):
    """Failed events of one cause. ``examples`` are ids; ``first`` and ``last`` times as text; ``tracker`` is the one of
    the newest failure."""

    id: str
    failure_type: str
    schema: str | None
    message: str
    app_id: str | None
    tracker: str | None
    count: int
    first: str
    last: str
    examples: list[str]


class Shown(msgspec.Struct):
    """A failed event in full. ``request`` is what came in; ``document`` the parsed view that edits work on."""

    row: FailedRow
    faults: list[Fault]
    cures: list[Cure]
    request: CollectorPayload | None
    document: Document | None
    not_replayable: str = ""


def groups(store: Reader, choice: Choice, *, limit: int = 50, examples: int = 3) -> list[Group]:
    """The largest groups first. Conditions on the inside of events cannot select groups."""
    if choice.conditions():
        raise ActionRefused("groups are selected by columns only: a --where with a path goes with `failed recover`")
    selection = choice.selection()
    found = []
    for bucket in store.count_by("failed", "cause", selection, limit=limit):
        cause = str(bucket.key or "")
        within = Selection(selection.since, selection.until, [*selection.filters, _in_group(cause)])
        rows = store.events("failed", within, limit=examples)
        if rows:
            found.append(_group(cause, bucket.count, bucket.first or 0, bucket.last or 0, rows))
    return found


def _in_group(cause: str) -> Filter:
    return Filter("cause", "in", (cause,)) if cause else Filter("cause", "none")


def _group(cause: str, count: int, first: int, last: int, rows: list[dict[str, Any]]) -> Group:
    one = rows[0]
    return Group(
        cause,
        one["failure_type"],
        one["schema"],
        normal_message(one["message"] or ""),
        one["app_id"],
        one["tracker"],
        count,
        iso_text(first),
        iso_text(last),
        [row["id"] for row in rows],
    )


def listed(store: Reader, choice: Choice, *, limit: int = 50) -> list[FailedRow]:
    """The newest first."""
    return [FailedRow.of(row) for row in store.events("failed", choice.selection(), limit=limit)]


def show(store: Reader, resolver: Resolver, failed_id: str, validator: Validator | None = None) -> Shown:
    """Raises ``ActionRefused`` for an id that is none. ``validator`` tells which of several like entities is bad."""
    found = store.failed_event(failed_id)
    if found is None:
        raise ActionRefused(f"there is no failed event with the id {failed_id!r}", status=404)
    row = FailedRow.of(found)
    try:
        subject = subject_of(row)
    except NotReplayable as lost:
        faults = faults_of(row, None, resolver, validator)
        return Shown(row, faults, _cures(faults, row), None, None, str(lost))
    document = document_of(subject)
    faults = faults_of(row, document, resolver, validator)
    return Shown(row, faults, _cures(faults, row), subject.payload, document)


def _cures(faults: list[Fault], row: FailedRow) -> list[Cure]:
    return list(dict.fromkeys(cure_of(fault, row.cause or row.id) for fault in faults))

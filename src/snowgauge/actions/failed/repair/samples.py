"""Failures of a cause, the newest first, with what is wrong in each; and what a replay of one comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from snowgauge.actions.failed.diagnosis import Fault, faults_of
from snowgauge.actions.failed.document import Document, document_of
from snowgauge.actions.failed.edits import Edit
from snowgauge.actions.failed.replay import Broken, NotChosen, Replayed, Replayer, Waiting
from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.subject import NotReplayable, subject_of
from snowgauge.enrich.enricher import Enricher
from snowgauge.events.failed import FailedEvent
from snowgauge.events.outcome import Failed
from snowgauge.iglu.contract import Resolver, Validator
from snowgauge.store.base import Filter, Reader, Selection

_HOPELESS = (9, 0)


class Sample(msgspec.Struct):
    """``document`` is missing where nothing can be replayed, for the reason ``lost``."""

    row: FailedRow
    document: Document | None
    faults: list[Fault]
    lost: str = ""


def of_cause(cause: str, *, status: str | None = "open") -> Selection:
    filters = [Filter("cause", "in", (cause,))]
    return Selection(filters=[*filters, *([Filter("status", "in", (status,))] if status else [])])


def newest(store: Reader, selection: Selection, most: int) -> list[FailedRow]:
    """The newest first, each whole."""
    ids = [str(row["id"]) for row in store.events("failed", selection, limit=most, columns=())]
    by_id = {
        row.id: row for row in map(FailedRow.of, store.failed_events(Selection(filters=[Filter("id", "in", ids)])))
    }
    return [by_id[each] for each in ids if each in by_id]


def diagnosed(rows: Iterable[FailedRow], resolver: Resolver, validator: Validator) -> Iterator[Sample]:
    for row in rows:
        try:
            document = document_of(subject_of(row))
        except NotReplayable as lost:
            yield Sample(row, None, faults_of(row, None, resolver, validator), str(lost))
            continue
        yield Sample(row, document, faults_of(row, document, resolver, validator))


Trouble = tuple[int, int]
"""How early an event fails (a failure of its adapter is earlier than one of its schemas), and in how many things."""
FINE: Trouble = (0, 0)
_EARLY = {"enrichment_failures": 1, "schema_violations": 2}


def trouble(enricher: Enricher, row: FailedRow, edits: Sequence[Edit], at: int) -> Trouble:
    """What is wrong with the event once it is edited. A bad row tells of one step only: an event that comes further
    has less trouble, whatever is found there."""
    try:
        replayed = Replayer(enricher, edits).replay(row, at)
    except (Broken, NotChosen, NotReplayable, Waiting):
        return _HOPELESS
    failures = [outcome.failure for outcome in replayed.outcomes if isinstance(outcome, Failed)]
    early = max((_EARLY.get(failure.failure_type, 3) for failure in failures), default=0)
    return early, sum(map(_reports, failures))


def _reports(failure: FailedEvent) -> int:
    found = 0
    for message in as_row(failure).messages:
        error = message.get("error")
        reports = error.get("dataReports") if isinstance(error, dict) else None
        found += len(reports) if isinstance(reports, list) and reports else 1
    return max(1, found)


def faults_left(replayed: Replayed, resolver: Resolver, validator: Validator) -> list[Fault]:
    """What is wrong still after a replay."""
    found: list[Fault] = []
    for outcome in replayed.outcomes:
        if isinstance(outcome, Failed):
            found += faults_of(as_row(outcome.failure), replayed.after, resolver, validator)
    return found


def as_row(failure: FailedEvent) -> FailedRow:
    return FailedRow(
        id=failure.id, failure_type=failure.failure_type, data=failure.data, schema=failure.schema,
        message=failure.message, record=failure.record,
    )  # fmt: skip

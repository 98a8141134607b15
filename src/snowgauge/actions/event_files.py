"""Events that are selected, as a file: CSV for spreadsheets with the columns that are shown, or whole events as JSON
lines. Read piece by piece, newest first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from snowgauge.actions import events, spreadsheet
from snowgauge.actions.deployment import Deployment
from snowgauge.store.base import EventKind, Selection

FileFormat = Literal["csv", "json"]
MOST = 1_000_000
_PAGE = 1_000


@dataclass(frozen=True)
class Wanted:
    """As a list of events is asked for. ``columns``: of a CSV file. ``apps``: see ``asked.Apps``."""

    status: str
    range_text: str | None
    filters: Sequence[str]
    search: str
    columns: Sequence[str]
    apps: Sequence[str] | None = None


def exported(deployment: Deployment, wanted: Wanted, fmt: FileFormat) -> Iterator[bytes]:
    """At most a million events. Refusals are raised here, at the first piece."""
    now = events.now_ms()
    chosen = [
        (kind, selection)
        for kind in events.kinds(wanted.status)
        if (
            selection := events.selected(kind, wanted.range_text, list(wanted.filters), wanted.search, now, wanted.apps)
        )
        is not None
    ]
    return _lines(deployment, chosen, wanted, fmt, now)


def _lines(
    deployment: Deployment, chosen: Sequence[tuple[EventKind, Selection]], wanted: Wanted, fmt: FileFormat, now: int
) -> Iterator[bytes]:
    if fmt == "csv":
        yield _csv(["status", "time", *wanted.columns])
    left = MOST
    for kind, selection in chosen:
        for event in _read(deployment, kind, selection, None if fmt == "json" else list(wanted.columns), now):
            if left == 0:
                return
            left -= 1
            if fmt == "json":
                yield json.dumps(event, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"
            else:
                row = events.row(kind, event, list(wanted.columns))
                state = row.event.get("status") if kind == "failed" and row.event.get("status") != "open" else kind
                at = event.get("collector_tstamp") or event.get("failed_at")
                yield _csv([state, at, *(row.event.get(name) for name in wanted.columns)])


def _read(
    deployment: Deployment, kind: EventKind, selection: Selection, columns: list[str] | None, now: int
) -> Iterator[dict[str, Any]]:
    """Page by page, each from the time at which the one before ended; events of that very time are not given twice."""
    key = "id" if kind == "failed" else "event_id"
    needed = None if columns is None else events.needed(kind, columns)
    until = selection.until if selection.until is not None else now + 60_000
    given: set[str] = set()
    limit = _PAGE
    while True:
        page = deployment.store.events(
            kind, msgspec.structs.replace(selection, until=until), limit=limit, columns=needed
        )  # fmt: skip
        fresh = [event for event in page if str(event[key]) not in given]
        yield from fresh
        if len(page) < limit:
            return
        last = events.row(kind, page[-1], []).at
        if last + 1 == until:  # a page of one instant: a longer one is needed to get past it
            limit *= 2
        else:
            limit = _PAGE
        given = {str(event[key]) for event in page if events.row(kind, event, []).at == last}
        until = last + 1


def _csv(cells: Sequence[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return spreadsheet.cell(value) if isinstance(value, str) else value

"""Taking back what a run stored, as far as that goes.

Events that the run stored leave the store, with what was modelled of them, and their failed events are open again, as
they were. What it cannot take back: failed events that the run made of the rest of a request stay, and so does what
others have read or copied meanwhile. Recovered events never went to sinks, so nothing is owed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec

from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.runs import Undone
from snowgauge.events.timestamps import parse_ms
from snowgauge.store.base import EventStore, FailedUpdate, Filter, HasLifetime, Selection
from snowgauge.store.lifetime import Key

_TOGETHER = 500


class UndoStore(EventStore, HasLifetime, Protocol):
    """What moves events about and can let go of them."""


def undo(store: UndoStore, run: str, asked: Undone) -> Undone:
    """Safe to repeat after a break. Raises ``StoreUnavailable``; what was taken back until then stays so."""
    done = replace(asked)
    for rows in _parts(store, run):
        ours = _stored(store, run, rows)
        keys = [key for row in rows for event in _into(row) for key in ours.get(event, ())]
        if keys:
            store.lifetime().delete("good", keys)
        done.events += len(keys)
        updates = []
        for row in rows:
            of_others = [event for event in _into(row) if event not in ours]
            if of_others and len(of_others) == len(_into(row)) and _exist(store, of_others):
                done.kept += 1
                continue
            done.reopened += 1
            updates.append(FailedUpdate(row.id, "open", asked.at, f"undo-{run}"[:60], f"the run {run} was undone"))
        store.mark_failed(updates)
    done.done = True
    return done


def _parts(store: EventStore, run: str) -> Iterator[list[FailedRow]]:
    chosen = Selection(filters=[Filter("recovery_run", "in", (run,)), Filter("status", "in", ("recovered", "dropped"))])
    part: list[FailedRow] = []
    for found in store.failed_events(chosen):
        part.append(msgspec.structs.replace(FailedRow.of(found), data={}, record=None))
        if len(part) == _TOGETHER:
            yield part
            part = []
    if part:
        yield part


def _into(row: FailedRow) -> list[str]:
    return (row.recovered_into or "").lower().split()


def _stored(store: EventStore, run: str, rows: Sequence[FailedRow]) -> dict[str, list[Key]]:
    """Events of these rows that carry the run's mark, by id."""
    ids = [event for row in rows for event in _into(row)]
    if not ids:
        return {}
    times = [parse_ms(row.collector_tstamp) for row in rows if row.collector_tstamp]
    since, until = (min(times), max(times) + 1) if len(times) == len(rows) else (None, None)
    marked = [Filter("event_id", "in", ids), Filter("etl_tags", "in", (f"recovery {run}",))]
    found: dict[str, list[Key]] = {}
    for event in store.events("good", Selection(since, until, marked), limit=len(ids) + 1,
                              columns=("event_id", "collector_tstamp")):  # fmt: skip
        name = str(event["event_id"]).lower()
        found.setdefault(name, []).append((name, parse_ms(str(event["collector_tstamp"]))))
    return found


def _exist(store: EventStore, ids: Sequence[str]) -> bool:
    return store.count("good", Selection(filters=[Filter("event_id", "in", list(ids))])) > 0

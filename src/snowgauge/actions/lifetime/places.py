"""Where data about a person can be. Each place finds it, and takes it out; doing so twice is harmless."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from snowgauge.actions.lifetime.marks import Finder, Mark, any_json
from snowgauge.actions.lifetime.pruning import pruned_failed, pruned_record
from snowgauge.delivery.contract import EventLog
from snowgauge.errors import PayloadRecordError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.json_text import BadJson
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload_record import decode
from snowgauge.store.base import EventKind
from snowgauge.store.canonical import event_json, failed_json
from snowgauge.store.lifetime import Key, Lifetime, Row, Search, row_key

Progress = Callable[[str, int], None]
"""Told where, and how many have been dealt with there."""


def silent(_where: str, _count: int) -> None:
    """Progress that nobody watches."""


class Found(msgspec.Struct, frozen=True):
    """Something of a person. ``at``: when it was collected (ms); ``by``: the kind of identifier it was found by."""

    place: str
    id: str
    at: int
    by: str
    item: Any


class Taken(msgspec.Struct, frozen=True):
    """What a place took out. ``changed``: kept, without the person's part. ``notes`` are for the report."""

    place: str
    removed: int
    changed: int = 0
    notes: Sequence[str] = ()


class Place(Protocol):
    name: str
    moving: bool
    """True for what workers read from: changed only while none of them stores."""

    def find(self, finder: Finder) -> Iterator[Found]: ...

    def take_out(self, finder: Finder, progress: Progress) -> Taken: ...


def mark_of(row: Row, finder: Finder) -> Mark | None:
    """By what a row is the person's, or (a failed event) its request has something of the person in it."""
    mark = finder.by(row)
    if mark is None and isinstance(row, FailedEvent) and row.record is not None and row.event_index is not None:
        return finder.by(row.record)
    return mark


class StorePlace:
    """One kind of rows of the store."""

    moving = False

    def __init__(self, lifetime: Lifetime, kind: EventKind) -> None:
        self._lifetime = lifetime
        self._kind = kind
        self.name = {"good": "events", "failed": "failed_events", "incomplete": "incomplete_events"}[kind]

    def find(self, finder: Finder) -> Iterator[Found]:
        for row in self._rows(finder):
            mark = mark_of(row, finder)
            if mark is not None:
                key, at = row_key(row)
                yield Found(self.name, key, at, mark[0], row)

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        keys: list[Key] = []
        records: dict[str, bytes | None] = {}
        for row in self._rows(finder):
            if isinstance(row, FailedEvent):
                kept = pruned_failed(row, finder.marks, finder.by_any)
                if kept is None:
                    keys.append(row_key(row))
                elif kept is not row:
                    records[row.id] = kept.record
            elif finder.by(row) is not None:
                keys.append(row_key(row))
            progress(self.name, len(keys))
        if keys:
            self._lifetime.delete(self._kind, keys)
        if records:
            self._lifetime.set_records(records)
        notes = [self._lifetime.settle()] if keys or records else []
        return Taken(self.name, len(keys), len(records), notes)

    def _rows(self, finder: Finder) -> Iterator[Row]:
        person = finder.person
        everywhere = any(kind in ("email", "word") for kind, _ in person.marks)
        return self._lifetime.scan(self._kind, search=Search(person.values, everywhere))


class EventLogPlace:
    """What waits in the event log, and what is stored already and not yet deleted there."""

    name = "event_log"
    moving = True

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def find(self, finder: Finder) -> Iterator[Found]:
        for number, entry in enumerate(self._log.peek()):
            if entry.kind != "erased" and (mark := finder.by(_content(entry))) is not None:
                yield Found(self.name, str(number), _collected(entry), mark[0], entry)

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        removed = changed = 0

        def change(entry: LogEntry) -> LogEntry | None:
            nonlocal removed, changed
            if entry.kind == "erased":
                return entry
            if entry.kind == "bad_row":
                new = None if finder.by(_content(entry)) is not None else entry.body
            else:
                new = pruned_record(entry.body, finder.marks, finder.by_any)
            if new is entry.body:
                return entry
            removed += new is None
            changed += new is not None
            progress(self.name, removed + changed)
            return None if new is None else LogEntry(new, entry.received_at, entry.kind)

        done = self._log.amend(change)
        return Taken(self.name, removed, changed, done.notes)


def _content(entry: LogEntry) -> Any:
    if entry.kind == "bad_row":
        try:
            return any_json(entry.body)
        except BadJson:
            pass
    return entry.body


def _collected(entry: LogEntry) -> int:
    try:
        return decode(entry.body).timestamp
    except PayloadRecordError:
        return entry.received_at


def store_places(lifetime: Lifetime) -> list[Place]:
    kinds: tuple[EventKind, ...] = ("good", "failed", "incomplete")
    return [StorePlace(lifetime, kind) for kind in kinds]


def shown(item: Any) -> Any:
    """What was found, as JSON values."""
    if isinstance(item, EnrichedEvent):
        return event_json(item)
    if isinstance(item, FailedEvent):
        return failed_json(item)
    if isinstance(item, LogEntry):
        if item.kind == "bad_row":
            return _content(item)
        try:
            return msgspec.to_builtins(decode(item.body))
        except PayloadRecordError:
            return item.body.decode("utf-8", "backslashreplace")
    return item

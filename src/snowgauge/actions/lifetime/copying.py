"""Moving a deployment from one store to another, of the same sort or not, proven day by day.

A day is copied by what is missing in the target, so that copying may break off anywhere and be repeated, and new days
may come while it runs. Then both sides are read again and compared: the number of distinct events, and a checksum over
everything of each, in the one form that all stores agree on (``canonical``). Persons who were erased stay erased.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from snowgauge.actions.lifetime.places import Progress, silent
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import parse_ms, tsv_text
from snowgauge.store.base import EventKind, EventStore, FailedUpdate, Reader, Selection, StoreBatch
from snowgauge.store.canonical import event_json, failed_json
from snowgauge.store.lifetime import Lifetime, Row, row_key

_DAY = 86_400_000
_TOGETHER = 2000
KINDS: tuple[EventKind, ...] = ("good", "failed", "incomplete")


class Sum(msgspec.Struct, frozen=True):
    """Distinct events of a day, and the sum of their hashes, which does not depend on their order."""

    rows: int
    checksum: str


class Day(msgspec.Struct, frozen=True):
    """``erased``: left out, because someone was erased. ``same``: the rest is in the target as it is in the source."""

    kind: EventKind
    day: str
    source: Sum
    target: Sum
    copied: int
    erased: int = 0

    @property
    def same(self) -> bool:
        return self.source == self.target


class End(msgspec.Struct, frozen=True):
    """One end of a copy: a store with its lifetime."""

    store: EventStore
    lifetime: Lifetime


def copy(
    source: End,
    target: End,
    tombstones: Tombstones,
    *,
    since: int | None = None,
    until: int | None = None,
    progress: Progress = silent,
) -> Iterator[Day]:
    """Copy day after day; gives each once it is in the target and compared. The target's layout must be up to date."""
    for kind in KINDS:
        for bucket in source.store.timeline(kind, Selection(since, until), seconds=_DAY // 1000):
            start = bucket.key if since is None else max(bucket.key, since)
            end = bucket.key + _DAY if until is None else min(bucket.key + _DAY, until)
            yield _copy_day(source, target, tombstones, kind, start, end, progress)


def _copy_day(
    source: End, target: End, tombstones: Tombstones, kind: EventKind, start: int, end: int, progress: Progress
) -> Day:
    there = {row_key(row)[0] for row in target.lifetime.scan(kind, since=start, until=end)}
    day = tsv_text(start)[:10]
    copied = 0
    missing = (row for row in _once(source.lifetime.scan(kind, since=start, until=end)) if row_key(row)[0] not in there)
    while rows := list(islice(missing, _TOGETHER)):
        batch = tombstones.without(_batch(kind, rows))
        if batch.events or batch.failed or batch.incomplete:
            target.store.write(batch)
        copied += len(batch.events) + len(batch.failed) + len(batch.incomplete)
        progress(f"{kind} {day}", copied)
    if kind == "failed":
        _copy_status(source.store, target.store, start, end)
    before, erased = _sum(source.lifetime, tombstones, kind, start, end)
    after, _ = _sum(target.lifetime, tombstones, kind, start, end)
    return Day(kind, day, before, after, copied, erased)


def _batch(kind: EventKind, rows: list[Row]) -> StoreBatch:
    # an id made of what is in it: the same rows again are the same batch, other rows never are
    name = hashlib.sha256(b"".join(_hash(row) for row in rows)).hexdigest()[:40]
    batch = StoreBatch(f"copy-{kind}-{name}")
    for row in rows:
        if isinstance(row, FailedEvent):
            batch.failed.append(row)
        elif kind == "good":
            batch.events.append(row)
        else:
            batch.incomplete.append(row)
    return batch


def _copy_status(source: Reader, target: EventStore, start: int, end: int) -> None:
    """What is known of the recovery of failed events, where it is not known in the target yet."""
    known = {row["id"]: row["status"] for row in target.failed_events(Selection(start, end))}
    updates = []
    for row in source.failed_events(Selection(start, end)):
        if row["attempts"] and known.get(row["id"]) not in (None, row["status"]):
            updates.append(
                FailedUpdate(
                    row["id"],
                    row["status"],
                    _ms(row["attempted_at"]),
                    row["recovery_run"] or "",
                    row["attempt_message"] or "",
                    (row["recovered_into"] or "").split(),
                )
            )
    if updates:
        target.mark_failed(updates)


def _ms(text: str | None) -> int:
    return 0 if text is None else parse_ms(text)


def _sum(lifetime: Lifetime, tombstones: Tombstones, kind: EventKind, start: int, end: int) -> tuple[Sum, int]:
    rows = total = erased = 0
    for row in _once(lifetime.scan(kind, since=start, until=end)):
        if tombstones.covers(row):
            erased += 1
            continue
        rows += 1
        total = (total + int.from_bytes(_hash(row)[:8], "big")) % 2**64
    return Sum(rows, f"{total:016x}"), erased


def _hash(row: Row) -> bytes:
    value = event_json(row) if isinstance(row, EnrichedEvent) else failed_json(row)
    return hashlib.sha256(msgspec.json.encode(_storable(value))).digest()


def _storable(value: object) -> object:
    """Text as every database can hold it: no U+0000, no lone surrogates; numbers beyond JSON's as text."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_storable(key)): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """One row for each event: the first, as ``Reader`` shows it."""
    seen: set[str] = set()
    for row in rows:
        key = row_key(row)[0]
        if key not in seen:
            seen.add(key)
            yield row

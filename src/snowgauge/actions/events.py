"""Looking at events as they come: pages of them, timelines, and what values a column has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from snowgauge.actions import asked
from snowgauge.actions.deployment import Deployment
from snowgauge.errors import ActionRefused
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.store.base import EventKind, Filter, Selection
from snowgauge.store.canonical import FAILED_FIELDS
from snowgauge.store.filter_texts import column_of
from snowgauge.store.nested import found_in, nested_column

_STATUSES: dict[str, tuple[EventKind, ...]] = {
    "all": ("good", "failed"),
    "good": ("good",),
    "failed": ("failed",),
    "incomplete": ("incomplete",),
}
_SEARCHED: dict[EventKind, tuple[str, ...]] = {
    "good": ("page_url", "page_title", "user_id", "event_name"),
    "incomplete": ("page_url", "page_title", "user_id", "event_name"),
    "failed": ("message", "schema"),
}
_MOST_OFFSET = 10_000
_WINDOWS = (300_000, 3_600_000, 86_400_000, 7 * 86_400_000)


@dataclass(frozen=True)
class Row:
    """One event of any kind in a list. ``event`` holds the asked columns only; the whole is asked by ``id``."""

    kind: str
    id: str
    at: int
    event: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """``more``: there are older ones. ``until`` caps the view, so that paging does not shift while events arrive."""

    rows: list[Row]
    more: bool
    until: int


@dataclass(frozen=True)
class Point:
    """Counts of one interval that begins at ``at`` (ms)."""

    at: int
    good: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Timeline:
    seconds: int
    points: list[Point]


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    group: str
    kinds: list[str]


@dataclass(frozen=True)
class ColumnValue:
    value: str | None
    count: int
    last: int | None = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def page(
    deployment: Deployment,
    *,
    status: str = "all",
    range_text: str | None = None,
    filters: list[str],
    search: str = "",
    columns: list[str],
    limit: int = 50,
    offset: int = 0,
    until: int | None = None,
    oldest_first: bool = False,
    apps: asked.Apps = None,
) -> Page:
    """Good and failed in one list. An event that is incomplete is listed by its failure."""
    now = now_ms()
    cap = until or now + 60_000
    if offset + limit > _MOST_OFFSET:
        raise ActionRefused(f"a list goes back {_MOST_OFFSET:,} events: narrow the time range", status=422)
    rows: list[Row] = []
    look = _oldest if oldest_first else _newest
    for kind in kinds(status):
        chosen = selected(kind, range_text, filters, search, now, apps)
        if chosen is not None:
            found = look(deployment, kind, chosen, cap, offset + limit + 1, needed(kind, columns))
            rows += [row(kind, event, columns) for event in found]
    seen: set[tuple[str, str]] = set()
    distinct = []
    # among those of one instant the store's own order stays, so that a longer list begins like a shorter one
    for one in sorted(rows, key=lambda one: one.at, reverse=not oldest_first):
        if (one.kind, one.id) not in seen:
            seen.add((one.kind, one.id))
            distinct.append(one)
    return Page(distinct[offset : offset + limit], len(distinct) > offset + limit, cap)


def _newest(
    deployment: Deployment, kind: EventKind, chosen: Selection, cap: int, limit: int, columns: set[str]
) -> list[dict[str, Any]]:
    """The newest events, looking back in steps, and no further than needed: a table is then read at its end only."""
    end = until = min(chosen.until, cap) if chosen.until is not None else cap
    rows: dict[str, dict[str, Any]] = {}
    key = "id" if kind == "failed" else "event_id"
    starts = [until - window for window in _WINDOWS if chosen.since is None or until - window > chosen.since]
    for since in (*starts, chosen.since):
        step = msgspec.structs.replace(chosen, since=since, until=end)
        for event in deployment.store.events(kind, step, limit=limit, columns=columns):
            rows.setdefault(str(event[key]), event)  # sent again, it is shown where it is newest
        if len(rows) >= limit or since is None:
            break
        end = since
    return list(rows.values())[:limit]


def _oldest(
    deployment: Deployment, kind: EventKind, chosen: Selection, cap: int, limit: int, columns: set[str]
) -> list[dict[str, Any]]:
    until = min(chosen.until, cap) if chosen.until is not None else cap
    within = msgspec.structs.replace(chosen, until=until)
    return deployment.store.events(kind, within, limit=limit, newest_first=False, columns=columns)


_FAILURE = ("failure_type", "message", "schema", "event_id", "status")
_SELF_DESCRIBING = {True: ("contexts", "derived_contexts"), False: ("unstruct_event",)}


def needed(kind: EventKind, columns: list[str]) -> set[str]:
    """The store's columns that a list with these columns is made of."""
    needed = set(_FAILURE if kind == "failed" else ())
    for column in columns:
        name = column_of(column, kind)
        nested = nested_column(column)
        if nested is not None:
            needed.update(_SELF_DESCRIBING[nested.entity])
        elif name is not None:
            needed.add(name)
    return needed


def kinds(status: str) -> tuple[EventKind, ...]:
    kinds = _STATUSES.get(status)
    if kinds is None:
        raise ActionRefused(f"status {status[:40]!r}: use one of {', '.join(_STATUSES)}", status=422)
    return kinds


def selected(
    kind: EventKind, range_text: str | None, filters: list[str], search: str, now: int, apps: asked.Apps = None
) -> Selection | None:
    """What to list; a search looks at several columns. ``None``: nothing meets it."""
    chosen = asked.selection(kind, range_text, filters, now, apps)
    text = search.strip()
    if chosen is None or not text:
        return chosen
    if _is_uuid(text):
        columns = ("event_id",) if kind != "failed" else ("id", "event_id")
        alternatives = [Filter(column, "in", [text]) for column in columns]
    else:
        alternatives = [Filter(column, "contains", [text]) for column in _SEARCHED[kind]]
    return msgspec.structs.replace(chosen, any_of=alternatives)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def row(kind: EventKind, event: dict[str, Any], columns: list[str]) -> Row:
    """One event of a list."""
    shown = {column: _value(event, name) for column in columns if (name := column_of(column, kind))}
    if kind == "failed":
        shown |= {name: event.get(name) for name in _FAILURE}
        return Row(kind, event["id"], _ms(event.get("collector_tstamp") or event["failed_at"]), shown)
    return Row(kind, event["event_id"] or "", _ms(event.get("collector_tstamp")), shown)


def _value(event: dict[str, Any], column: str) -> Any:
    """Of a property of entities a list with that of each entity; of the event's own data the property itself."""
    nested = nested_column(column)
    if nested is None:
        return event.get(column)
    found = found_in(event, nested)
    return found if found and nested.entity else next(iter(found), None)


def _ms(text: str | None) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) if text else 0


def timeline(
    deployment: Deployment,
    *,
    seconds: int,
    buckets: int,
    status: str = "all",
    filters: list[str],
    until: int | None,
    apps: asked.Apps = None,
) -> Timeline:
    """Counts per interval, aligned to UTC multiples of its length; the last one holds now. Gaps are zeros."""
    if not 1 <= buckets <= 500 or seconds < 1:
        raise ActionRefused("a timeline has 1 to 500 intervals of at least a second", status=422)
    step = seconds * 1000
    last = (until or now_ms()) // step * step
    first = last - (buckets - 1) * step
    counts: dict[EventKind, dict[int, int]] = {}
    for kind in kinds(status):
        chosen = asked.selection(kind, None, filters, last, apps)
        if chosen is not None:
            within = Selection(first, last + step, chosen.filters)
            found = deployment.store.timeline(kind, within, seconds=seconds)
            counts[kind] = {int(bucket.key): bucket.count for bucket in found}
    good = counts.get("good", {})
    bad = counts.get("failed", counts.get("incomplete", {}))
    return Timeline(seconds, [Point(at, good.get(at, 0), bad.get(at, 0)) for at in range(first, last + step, step)])


def count(
    deployment: Deployment, *, status: str, range_text: str | None, filters: list[str], apps: asked.Apps = None
) -> dict[str, int]:
    """How many there are of each kind that the status asks for."""
    now = now_ms()
    totals: dict[str, int] = {}
    for kind in kinds(status):
        chosen = asked.selection(kind, range_text, filters, now, apps)
        totals[kind] = 0 if chosen is None else deployment.store.count(kind, chosen)
    return totals


def columns() -> list[Column]:
    """Every column of the canonical event, and those that only failed events have."""
    named = {item.name: item for item in ATOMIC_FIELDS}
    listed = [
        Column(
            name,
            item.kind,
            _group(name),
            ["good", "incomplete", *(["failed"] if column_of(name, "failed") else [])],
        )
        for name, item in named.items()
    ]
    only = [name for name in FAILED_FIELDS if name not in named and name not in ("id", "record", "tracker")]
    return listed + [Column(name, "string", "failure", ["failed"]) for name in only]


def _group(name: str) -> str:
    if name in ("contexts", "derived_contexts", "unstruct_event"):
        return "event and entities"
    prefix = name.split("_", 1)[0]
    return {
        "page": "page", "refr": "page", "mkt": "marketing", "geo": "place", "ip": "place", "se": "structured event",
        "tr": "transaction", "ti": "transaction", "pp": "page ping", "br": "browser", "os": "device",
        "dvce": "device", "doc": "browser", "user": "user", "domain": "user", "network": "user", "event": "event",
    }.get(prefix, "event")  # fmt: skip


def values(
    deployment: Deployment,
    column: str,
    *,
    status: str = "all",
    range_text: str | None = None,
    filters: list[str],
    limit: int = 20,
    apps: asked.Apps = None,
) -> list[ColumnValue]:
    """The most frequent values of one column, over every kind of event that has it."""
    now = now_ms()
    totals: dict[str | None, list[int]] = {}
    known = False
    for kind in kinds(status):
        name = column_of(column, kind)
        if name is None:
            continue
        known = True
        chosen = asked.selection(kind, range_text, filters, now, apps)
        if chosen is None:
            continue
        for bucket in deployment.store.count_by(kind, name, chosen, limit=limit):
            key = None if bucket.key is None else str(bucket.key)
            total = totals.setdefault(key, [0, 0])
            total[0] += bucket.count
            total[1] = max(total[1], bucket.last or 0)
    if not known and nested_column(column) is None and not any(item.name == column for item in columns()):
        raise ActionRefused(f"there is no column {column[:60]!r}", status=404)
    ranked = sorted(totals.items(), key=lambda item: (-item[1][0], item[0] is None, item[0] or ""))
    return [ColumnValue(key, amount, last or None) for key, (amount, last) in ranked[:limit]]


def whole(deployment: Deployment, kind: str, event_id: str, apps: asked.Apps = None) -> dict[str, Any]:
    """One event with everything it has. Raises ``ActionRefused`` when there is none, or it is of an application that
    the caller may not see."""
    found: dict[str, Any] | None = None
    if kind == "failed":
        found = deployment.store.failed_event(event_id)
    elif kind == "good":
        found = deployment.store.event(event_id)
    elif kind == "incomplete":
        same = deployment.store.events("incomplete", Selection(filters=[Filter("event_id", "in", [event_id])]), limit=1)
        found = same[0] if same else None
    else:
        raise ActionRefused(f"kind {kind[:40]!r}: use good, failed or incomplete", status=422)
    if found is None or (apps is not None and found.get("app_id") not in apps):
        raise ActionRefused(f"there is no {kind} event {event_id[:80]}", status=404)
    return found

"""What is sent: events by application, from ``derived.event_stats``, since when and by what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from snowgauge.analytics.sql.expressions import EpochMs, Instant
from snowgauge.analytics.sql.tables import EVENT_STATS
from snowgauge.store.figures import Figures

DAY_MS = 86_400_000
BEFORE_DAYS = 14
_SECONDS = 60


class Sent(NamedTuple):
    """Events alike in application, name, schema, tracker and version of the application. ``day``: of the last full day,
    ``before``: of the 14 days before it; duplicates and late ones of the last day."""

    app: str
    event: str
    schema: str
    tracker: str
    app_version: str
    first: int
    last: int
    events: int
    day: int
    before: int
    duplicates: int
    late: int


@dataclass(frozen=True)
class PlanNote:
    """What people said. ``status`` of an event: planned, deprecated, ignored, or empty."""

    status: str = ""
    owner: str = ""
    description: str = ""
    changed_by: str = ""
    at: int = 0


@dataclass(frozen=True)
class PlannedEvent:
    """An event of one application. ``planned``: its schema is in a registry that lists its schemas, or a person
    accepted it. Times are ms; ``day`` are the events of the last full day (UTC)."""

    app: str
    event: str
    schemas: list[str]
    trackers: list[str]
    app_versions: list[str]
    first_seen: int
    last_seen: int
    events: int
    day: int
    planned: bool
    note: PlanNote


def last_day(now: int) -> int:
    """The start of the last full day (UTC)."""
    return now - now % DAY_MS - DAY_MS


def sent(figures: Figures, now: int) -> list[Sent]:
    """One question to the store, however many events there are."""
    stats = EVENT_STATS.alias("stats")
    day = last_day(now)
    names = [stats.c[name] for name in ("app_id", "event_name", "schema", "tracker", "app_version")]
    of_day = (stats.c["slot"] >= Instant(day)) & (stats.c["slot"] < Instant(day + DAY_MS))
    of_before = (stats.c["slot"] >= Instant(day - BEFORE_DAYS * DAY_MS)) & (stats.c["slot"] < Instant(day))

    def total(column: str, within: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement[Any]:
        each = sa.cast(stats.c[column], sa.BigInteger)
        counted = each if within is None else sa.case((within, each), else_=sa.cast(0, sa.BigInteger))
        return sa.cast(sa.func.sum(counted), sa.BigInteger)

    asked = sa.select(
        *names, EpochMs(sa.func.min(stats.c["slot"])), EpochMs(sa.func.max(stats.c["slot"])), total("events"),
        total("events", of_day), total("events", of_before), total("duplicates", of_day), total("late", of_day),
    ).group_by(*names)  # fmt: skip
    rows = figures.answer(figures.counted(asked, stats), seconds=_SECONDS).rows
    return [Sent._make((*(str(text) for text in row[:5]), *(int(value) for value in row[5:]))) for row in rows]


def note_id(app: str, event: str) -> str:
    return f"event {app}/{event}"


def events(rows: Iterable[Sent], notes: Mapping[str, PlanNote], schemas: Collection[str]) -> list[PlannedEvent]:
    """``schemas``: those of the registries, as `vendor/name/version`."""
    found: dict[tuple[str, str], list[Sent]] = {}
    for row in rows:
        found.setdefault((row.app, row.event), []).append(row)
    made = []
    for (app, event), some in sorted(found.items()):
        note = notes.get(note_id(app, event), PlanNote())
        used = sorted({row.schema for row in some})
        made.append(
            PlannedEvent(
                app, event, used, sorted({row.tracker for row in some if row.tracker}),
                sorted({row.app_version for row in some if row.app_version}),
                min(row.first for row in some), max(row.last for row in some), sum(row.events for row in some),
                sum(row.day for row in some), is_planned(note, used, schemas), note,
            )
        )  # fmt: skip
    return made


def is_planned(note: PlanNote, used: Collection[str], schemas: Collection[str]) -> bool:
    return note.status in ("planned", "deprecated") or any(schema in schemas for schema in used)

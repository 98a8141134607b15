"""Where what is sent and the plan part, and what changed: the last full day beside the 14 days before."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from snowgauge.alerts.rules import Severity
from snowgauge.plan.catalogue import BEFORE_DAYS, PlannedEvent, PlanNote, Sent, events
from snowgauge.plan.properties import PropertyDrift, PropertyDriftKind

DriftKind = Literal["unplanned", "missing", "old_version", "new_version", "duplicates", "clock"] | PropertyDriftKind
SEVERITIES: dict[DriftKind, Severity] = {
    "unplanned": "info", "missing": "warn", "old_version": "info", "new_version": "info", "duplicates": "warn",
    "clock": "warn", "property_gone": "warn", "type_changed": "warn", "new_property": "info", "presence_shift": "info",
}  # fmt: skip
_LEAST_A_DAY = 50
"""Events a day that a name has before its absence says something."""
_LEAST_OF_DAY = 200
_DUPLICATES = 0.01
_LATE = 0.05
_OLD_SHARE = 0.01


@dataclass(frozen=True)
class DriftEntry:
    """``id`` is made of kind, application and subject: what a person said about it stays with it. ``status``: open,
    accepted or ignored."""

    id: str
    kind: DriftKind
    severity: Severity
    app: str
    subject: str
    before: str
    after: str
    count: int
    summary: str
    status: str


def drifts(rows: list[Sent], notes: Mapping[str, PlanNote], schemas: Collection[str]) -> list[DriftEntry]:
    """Every entry, open ones first."""
    known = events(rows, notes, schemas)
    ignored = {(one.app, one.event) for one in known if one.note.status == "ignored"}
    meant = [row for row in rows if (row.app, row.event) not in ignored]
    of_plan = [one for one in known if (one.app, one.event) not in ignored]
    found = [*_names(of_plan, meant), *_versions(meant), *_quality(meant)]
    rank: dict[Severity, int] = {"critical": 0, "warn": 1, "info": 2}
    made = [_with_status(one, notes) for one in found]
    return sorted(made, key=lambda one: (one.status != "open", rank[one.severity], one.app, one.kind, one.subject))


def property_drifts(
    app: str, event: str, found: Iterable[PropertyDrift], notes: Mapping[str, PlanNote]
) -> list[DriftEntry]:
    """What changed in what an event carries, as entries: open ones first, the gravest first."""
    rank: dict[Severity, int] = {"critical": 0, "warn": 1, "info": 2}
    made = [
        _with_status(_entry(one.kind, app, f"{event}: {one.subject}", one.before, one.after, 0), notes) for one in found
    ]
    return sorted(made, key=lambda one: (one.status != "open", rank[one.severity], one.subject))


def _names(known: Iterable[PlannedEvent], rows: Collection[Sent]) -> Iterator[DriftEntry]:
    traffic: dict[str, int] = {}
    before: dict[tuple[str, str], int] = {}
    for row in rows:
        traffic[row.app] = traffic.get(row.app, 0) + row.day
        before[row.app, row.event] = before.get((row.app, row.event), 0) + row.before
    for one in known:
        usual = before[one.app, one.event] / BEFORE_DAYS
        if not one.planned and one.day:
            yield _entry("unplanned", one.app, one.event, "not in the plan", f"{one.day:,} events a day", one.day)
        if (
            not one.day
            and usual >= _LEAST_A_DAY
            and traffic[one.app] >= _LEAST_OF_DAY
            and one.note.status != "deprecated"
        ):
            yield _entry("missing", one.app, one.event, f"{usual:,.0f} events a day", "none", 0)


def _versions(rows: Iterable[Sent]) -> Iterator[DriftEntry]:
    by_schema: dict[tuple[str, str, str], dict[str, tuple[int, int]]] = {}
    for row in rows:
        name, _, version = row.schema.rpartition("/")
        of_name = by_schema.setdefault((row.app, row.event, name), {})
        day, before = of_name.get(version, (0, 0))
        of_name[version] = (day + row.day, before + row.before)
    for (app, event, name), versions in by_schema.items():
        sent = {version: day for version, (day, _) in versions.items() if day}
        total = sum(sent.values())
        if len(versions) < 2 or not total:
            continue
        newest = max(sent, key=_ordered)
        if not versions[newest][1] and any(before for _, before in versions.values()):
            yield _entry("new_version", app, f"{event} ({name})", "", newest, sent[newest])
        elif versions[newest][1]:
            for version, day in sent.items():
                if version != newest and day / total > _OLD_SHARE:
                    yield _entry("old_version", app, f"{event} ({name}) {version}", newest, version, day)


def _quality(rows: Iterable[Sent]) -> Iterator[DriftEntry]:
    totals: dict[tuple[str, str], tuple[int, int, int]] = {}
    for row in rows:
        day, duplicates, late = totals.get((row.app, row.event), (0, 0, 0))
        totals[row.app, row.event] = (day + row.day, duplicates + row.duplicates, late + row.late)
    for (app, event), (day, duplicates, late) in totals.items():
        if day < _LEAST_OF_DAY:
            continue
        if duplicates / day > _DUPLICATES:
            yield _entry(
                "duplicates", app, event, "at most 1 %", f"{100 * duplicates / day:.1f} % sent again", duplicates
            )
        if late / day > _LATE:
            yield _entry(
                "clock", app, event, "at most 5 %", f"{100 * late / day:.1f} % with an unbelievable time", late
            )


def _ordered(version: str) -> tuple[int, ...]:
    parts = version.split("-")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0,)


def _entry(kind: DriftKind, app: str, subject: str, before: str, after: str, count: int) -> DriftEntry:
    told = {
        "unplanned": f"{subject} is sent and not in the plan: {after}",
        "missing": f"{subject} was not sent for a day; usual are {before}",
        "old_version": f"{subject} is still sent, although there is {before}",
        "new_version": f"{subject} is sent in version {after} now",
        "duplicates": f"{subject}: {after}",
        "clock": f"{subject}: {after}",
        "property_gone": f"{subject} is no longer sent: it was {before}, now {after}",
        "new_property": f"{subject} is new: {after}",
        "type_changed": f"{subject} was {before}, and is {after} now",
        "presence_shift": f"{subject} was {before}, now {after}",
    }[kind]
    key = hashlib.sha256("\0".join((kind, app, subject)).encode()).hexdigest()[:20]
    of = f"{app}: {told}" if app else told
    return DriftEntry(key, kind, SEVERITIES[kind], app, subject, before, after, count, of, "open")


def _with_status(one: DriftEntry, notes: Mapping[str, PlanNote]) -> DriftEntry:
    status = notes[one.id].status if one.id in notes else "open"
    return DriftEntry(**{**vars(one), "status": status or "open"})

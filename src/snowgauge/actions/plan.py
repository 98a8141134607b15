"""The tracking plan of a running system: the catalogue, drift, what people say about them, and exports."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from snowgauge.actions import spreadsheet
from snowgauge.actions.deployment import Deployment
from snowgauge.errors import ActionRefused, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.events.timestamps import iso_text
from snowgauge.iglu.infer import infer
from snowgauge.modelling.store import HasModelling
from snowgauge.plan.book import PlanBook
from snowgauge.plan.catalogue import BEFORE_DAYS, DAY_MS, PlannedEvent, PlanNote, events, note_id, sent
from snowgauge.plan.drift import DriftEntry, drifts, property_drifts
from snowgauge.plan.properties import OWN, EntityUse, PropertyUse, Sample, compare, own_data
from snowgauge.store.base import Filter, Selection

STATUSES = ("", "planned", "deprecated", "ignored")
DRIFT_STATUSES = ("open", "accepted", "ignored")
_LONGEST = 2000
_SAMPLED = 500
"""Events of one name and time that are looked at."""
_COMPARED = 25
_BUDGET_S = 20.0
_READ = (
    "event", "event_name", "user_id", "domain_userid", "network_userid", "unstruct_event", "contexts", "se_category",
    "se_action", "se_label", "se_property", "se_value",
)  # fmt: skip


@dataclass(frozen=True)
class TrackingPlan:
    """``drifts``: of the last full day (UTC) beside the 14 days before."""

    events: list[PlannedEvent]
    drifts: list[DriftEntry]


def tracking_plan(deployment: Deployment, apps: tuple[str, ...] = ()) -> TrackingPlan:
    """Raises ``ActionRefused`` where there are no modelled tables."""
    book = plan_book(deployment)
    notes, schemas = book.notes(), schemas_known(deployment)
    rows = [row for row in sent(deployment.store.figures(), book.now()) if not apps or row.app in apps]
    return TrackingPlan(events(rows, notes, schemas), drifts(rows, notes, schemas))


def plan_book(deployment: Deployment) -> PlanBook:
    if not isinstance(deployment.store, HasModelling):
        raise ActionRefused("this store has no modelled tables: use ClickHouse or PostgreSQL", status=404)
    return PlanBook(deployment.store.modelling())


def schemas_known(deployment: Deployment) -> frozenset[str]:
    """Schemas of the registries that list theirs, as `vendor/name/version`."""
    listed = deployment.resolver.keys()
    return frozenset(f"{key.vendor}/{key.name}/{key.version}" for key in listed)


def say_about_event(deployment: Deployment, app: str, event: str, note: PlanNote, by: str) -> PlanNote:
    """Raises ``ActionRefused`` for another status than there is, or texts that are too long."""
    if note.status not in STATUSES:
        raise ActionRefused(
            f"status: expected planned, deprecated, ignored or nothing, found {note.status!r:.40}", status=422
        )
    if max(len(note.owner), len(note.description), len(app), len(event)) > _LONGEST:
        raise ActionRefused(f"a text of the plan has at most {_LONGEST:,} characters", status=422)
    return plan_book(deployment).put(note_id(app, event), note.status, note.owner, note.description, by)


@dataclass(frozen=True)
class EventDetail:
    """What one event carries, from ``sampled`` of its events in the last 24 hours (else in the 14 days before).
    ``drifts``: what changed between the two; ``described``: whether it has data of its own, of which a schema could be
    drafted."""

    sampled: int
    entities: list[EntityUse]
    properties: list[PropertyUse]
    drifts: list[DriftEntry]
    described: bool


def event_detail(deployment: Deployment, app: str, event: str, *, values: bool) -> EventDetail:
    """``values``: whether frequent values are told, as far as they name nobody."""
    book = plan_book(deployment)
    before, after = _samples(deployment, app, event, book.now())
    told = after if after.events else before
    drifts_ = property_drifts(app, event, compare(before, after), book.notes())
    properties = told.properties(values=values)
    return EventDetail(told.events, told.entities(), properties, drifts_, any(one.carrier == OWN for one in properties))


def property_drift(deployment: Deployment, apps: tuple[str, ...] = ()) -> list[DriftEntry]:
    """What changed in what the most frequent events carry. Events that are ignored are left out."""
    plan = tracking_plan(deployment, apps)
    busiest = sorted((one for one in plan.events if one.note.status != "ignored"), key=lambda one: -one.events)
    book = plan_book(deployment)
    notes, now, until = book.notes(), book.now(), time.monotonic() + _BUDGET_S
    found: list[DriftEntry] = []
    for one in busiest[:_COMPARED]:
        if time.monotonic() > until:
            break
        before, after = _samples(deployment, one.app, one.event, now)
        found += property_drifts(one.app, one.event, compare(before, after), notes)
    return sorted(found, key=lambda one: (one.status != "open", one.severity != "warn", one.app, one.subject))


def draft_of(deployment: Deployment, app: str, event: str) -> dict[str, Any]:
    """A draft of a schema that the event's own data of the last two weeks fit. Raises ``ActionRefused``."""
    now = plan_book(deployment).now()
    some = _events(deployment, app, event, now - (BEFORE_DAYS + 1) * DAY_MS, now)
    data = [one for one in map(own_data, some) if one]
    if not data:
        raise ActionRefused(
            "no such event of the last two weeks has data of its own to draft a schema from", status=404
        )
    known = [key for key in (_key(one) for one in some) if key is not None]
    key = (
        max(known)
        if known
        else SchemaKey(f"com.{_word(app) or 'example'}", _word(event) or "event", "jsonschema", 1, 0, 0)
    )
    return infer(key, data)


def _samples(deployment: Deployment, app: str, event: str, now: int) -> tuple[Sample, Sample]:
    day = now - DAY_MS
    before = _events(deployment, app, event, day - BEFORE_DAYS * DAY_MS, day)
    return Sample(before), Sample(_events(deployment, app, event, day, now))


def _events(deployment: Deployment, app: str, event: str, since: int, until: int) -> list[dict[str, Any]]:
    filters = [
        Filter("app_id", "in", (app,)) if app else Filter("app_id", "none"),
        Filter("event_name", "in", (event,)),
    ]
    return deployment.store.events("good", Selection(since, until, filters), limit=_SAMPLED, columns=_READ)


def _key(event: Mapping[str, Any]) -> SchemaKey | None:
    own = event.get("unstruct_event")
    try:
        return SchemaKey.parse(str(own["data"]["schema"])) if isinstance(own, dict) else None
    except (KeyError, TypeError, SelfDescribingError):
        return None


def _word(text: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))[:60]


def decide_drift(
    deployment: Deployment, drift_id: str, status: str, by: str, of: tuple[str, str] | None = None
) -> DriftEntry:
    """Accept or ignore what changed. Accepting an unplanned event puts it into the plan. ``of``: application and event,
    where it is about what that event carries."""
    if status not in DRIFT_STATUSES:
        raise ActionRefused(f"status: expected {', '.join(DRIFT_STATUSES)}, found {status!r:.40}", status=422)
    now = tracking_plan(deployment).drifts if of is None else event_detail(deployment, *of, values=False).drifts
    found = [one for one in now if one.id == drift_id]
    if not found:
        raise ActionRefused(f"there is no drift {drift_id!r:.60} now", status=404)
    book = plan_book(deployment)
    entry = found[0]
    if entry.kind == "unplanned" and status == "accepted":
        known = book.notes().get(note_id(entry.app, entry.subject), PlanNote())
        book.put(note_id(entry.app, entry.subject), "planned", known.owner, known.description, by)
    book.put(drift_id, "" if status == "open" else status, "", "", by)
    return DriftEntry(**{**vars(entry), "status": status})


def unknown_to_plan(plan: Iterable[Mapping[str, Any]], sent_events: Iterable[Mapping[str, Any]]) -> list[str]:
    """What of these events (Micro's ``event`` objects) the plan, as exported in JSON, does not know: `name (schema) of
    app`, each once."""
    known: set[tuple[Any, ...]] = set()
    for one in plan:
        if one.get("planned") and one.get("note", {}).get("status") != "deprecated":
            known.update((one.get("app"), one.get("event"), schema) for schema in one.get("schemas", ()))
    missing: dict[str, None] = {}
    for event in sent_events:
        app, name = str(event.get("app_id") or ""), str(event.get("event_name") or "")
        schema = "/".join(str(event.get(part) or "") for part in ("event_vendor", "event_name", "event_version"))
        if (app, name, schema) not in known:
            missing[f"{name} ({schema}) of {app or 'no application'}"] = None
    return list(missing)


def as_csv(plan: TrackingPlan) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("app", "event", "planned", "status", "owner", "description", "schemas", "trackers", "app_versions",
                     "first_seen", "last_seen", "events", "last_day"))  # fmt: skip
    for one in plan.events:
        cells = (one.app, one.event, str(one.planned).lower(), one.note.status, one.note.owner, one.note.description,
                 " ".join(one.schemas), " ".join(one.trackers), " ".join(one.app_versions), iso_text(one.first_seen),
                 iso_text(one.last_seen), one.events, one.day)  # fmt: skip
        writer.writerow([spreadsheet.cell(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue()


def as_markdown(plan: TrackingPlan) -> str:
    lines = ["# Tracking plan", ""]
    for app in dict.fromkeys(one.app for one in plan.events):
        lines += [f"## {_plain(app) or '(no application)'}", "",
                  "| event | status | owner | description | schemas | since | last | last day |",
                  "|---|---|---|---|---|---|---|---|"]  # fmt: skip
        for one in plan.events:
            if one.app == app:
                status = one.note.status or ("planned" if one.planned else "unplanned")
                cells = (one.event, status, one.note.owner, one.note.description, ", ".join(one.schemas),
                         iso_text(one.first_seen)[:10], iso_text(one.last_seen)[:10], f"{one.day:,}")  # fmt: skip
                lines.append("| " + " | ".join(_plain(cell) for cell in cells) + " |")
        lines.append("")
    open_ = [one for one in plan.drifts if one.status == "open"]
    if open_:
        lines += ["## Drift", "", *(f"- {one.severity}: {_plain(one.summary)}" for one in open_), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text in a table of Markdown, as it is."""
    flat = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*[]<>|#" else char for char in flat)

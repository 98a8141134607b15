"""The tracking plan of a running system: the catalogue, drift, what people say about them, and exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from snowgauge.actions import spreadsheet
from snowgauge.actions.deployment import Deployment
from snowgauge.errors import ActionRefused
from snowgauge.events.timestamps import iso_text
from snowgauge.modelling.store import HasModelling
from snowgauge.plan.book import PlanBook
from snowgauge.plan.catalogue import PlannedEvent, PlanNote, events, note_id, sent
from snowgauge.plan.drift import DriftEntry, drifts

STATUSES = ("", "planned", "deprecated", "ignored")
DRIFT_STATUSES = ("open", "accepted", "ignored")
_LONGEST = 2000


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


def decide_drift(deployment: Deployment, drift_id: str, status: str, by: str) -> DriftEntry:
    """Accept or ignore what changed. Accepting an unplanned event puts it into the plan."""
    if status not in DRIFT_STATUSES:
        raise ActionRefused(f"status: expected {', '.join(DRIFT_STATUSES)}, found {status!r:.40}", status=422)
    found = [one for one in tracking_plan(deployment).drifts if one.id == drift_id]
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

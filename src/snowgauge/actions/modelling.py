"""What people ask about modelled tables: how far they are, and why a visit's row is what it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from snowgauge.errors import ActionRefused
from snowgauge.events.timestamps import iso_text
from snowgauge.modelling.applications import Applications, settings_for
from snowgauge.modelling.bots import is_bot
from snowgauge.modelling.events import DAY_MS, EARLY_MS, LATE_MS, Event, Unit, read, session_unit
from snowgauge.modelling.making.rules import Rules
from snowgauge.modelling.making.sessions import NO_INTERACTIONS
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.state import ModelState
from snowgauge.modelling.store import ModelStore, units_of
from snowgauge.modelling.tables import CONVERSIONS, PAGE_VIEWS, SESSIONS
from snowgauge.modelling.tables.bookkeeping import LEASE, QUARANTINE

_SAMPLED_MS = 900_000
_SAMPLED_VISITS = 500
_ENOUGH_GAPS = 20
"""Gaps between page pings of which the commonest is believed."""


@dataclass(frozen=True)
class ModelStatus:
    """``modelled_until``: everything stored before is in the tables (ms); ``lag_seconds``: how long ago that was.
    ``rebuild_day``: the day that a rebuild makes next, ``2026-03-10``; ``None``: there is none under way."""

    modelled_until: int | None
    lag_seconds: float | None
    definitions: int
    rebuild_day: str | None
    error: str
    waiting: int
    quarantined: int
    holder: str | None


def status(store: ModelStore) -> ModelStatus:
    state = ModelState(store)
    progress = state.read()
    now = store.now()
    leases = [row for row in store.all_rows(LEASE) if row["until"] > now]
    holder = min(leases, key=lambda row: (row["taken_at"], row["holder"]))["holder"] if leases else None
    day = progress.rebuild_day
    return ModelStatus(
        modelled_until=progress.until or None,
        lag_seconds=(now - progress.until) / 1000 if progress.until else None,
        definitions=progress.version,
        rebuild_day=None if day is None else iso_text(day * DAY_MS)[:10],
        error=progress.error,
        waiting=len(state.dirty()),
        quarantined=len(store.all_rows(QUARANTINE)),
        holder=holder,
    )


@dataclass(frozen=True)
class Heartbeat:
    """``seen``: the commonest number of seconds between two page pings of one view; ``gaps``: of how many;
    ``setting``: what engaged time is computed with."""

    app_id: str
    seen: int
    gaps: int
    setting: int

    @property
    def differs(self) -> bool:
        return self.seen != self.setting


def heartbeats(store: ModelStore, applications: Applications) -> list[Heartbeat]:
    """How applications send page pings, by some visits of the last minutes with events; none with few pings."""
    last = store.last_collected(store.now() + DAY_MS)
    if last is None:
        return []
    since = last - _SAMPLED_MS
    units = [unit for unit in units_of(store.collected(since, last + 1)) if unit.kind == "session"][:_SAMPLED_VISITS]
    found = read(store.events(units, since, last), frozenset(unit.name for unit in units)) if units else {}
    gaps: dict[str, Counter[int]] = {}
    for events in found.values():
        views: dict[str, list[int]] = {}
        for event in events:
            if event.is_ping:
                views.setdefault(event.view_id, []).append(event.t if event.created is None else event.created)
        between = (round((b - a) / 1000) for times in views.values() for a, b in pairwise(sorted(times)))
        gaps.setdefault(events[0].app_id, Counter()).update(gap for gap in between if gap > 0)
    return [
        Heartbeat(app_id, counts.most_common(1)[0][0], counts.total(), settings_for(applications, app_id).heartbeat)
        for app_id, counts in sorted(gaps.items())
        if counts.total() >= _ENOUGH_GAPS
    ]


class ExplainedEvent(msgspec.Struct, frozen=True):
    """An event of a visit, and what it did for it."""

    event_id: str
    event_name: str
    t: int
    view_id: str
    page_path: str
    did: tuple[str, ...]


class Explained(msgspec.Struct, frozen=True):
    """A visit's rows, and the events that they were made of, in order. ``notes``: what is particular about it."""

    session: dict[str, Any]
    page_views: list[dict[str, Any]]
    conversions: list[dict[str, Any]]
    events: list[ExplainedEvent]
    notes: tuple[str, ...]


def explain(store: ModelStore, session_id: str, applications: Applications) -> Explained:
    """Raises ``ActionRefused`` for a session of which nothing is known."""
    unit = session_unit(session_id)
    rows = store.rows(SESSIONS, "unit", [unit])
    if not rows:
        raise ActionRefused(
            f"there is no visit {session_id!r} in derived.sessions. Its id is client_session.sessionId, else "
            "domain_sessionid; `snowgauge model status` says up to when events are modelled",
            status=404,
        )
    row = rows[0]
    since, until = row["start_tstamp"] - EARLY_MS - DAY_MS, row["end_tstamp"] + LATE_MS
    found = read(store.events([Unit(unit, since, until)], since, until), frozenset([unit]))
    rules = Rules(settings_for(applications, row["app_id"]))
    events = found.get(unit, [])
    conversions = store.rows(CONVERSIONS, "unit", [unit])
    notes = _notes(store, row, events)
    return Explained(
        row,
        sorted(store.rows(PAGE_VIEWS, "unit", [unit]), key=lambda view: view["view_in_session"] or 0),
        conversions,
        [_explained(event, row, rules, conversions, events) for event in events],
        notes,
    )


def _explained(event: Event, row: Row, rules: Rules, conversions: list[Row], events: list[Event]) -> ExplainedEvent:
    did = []
    if event is events[0]:
        did.append("begins the visit")
    if (
        event.view_id
        and (event.is_view or event.is_ping)
        and not any(e.view_id and (e.is_view or e.is_ping) for e in events[: events.index(event)])
    ):
        did.append(f"says where it came from: {row['channel']}")
    if event.is_view:
        did.append("a view" if event.view_id == row["entry_view_id"] or event.view_id else "a view without an id")
    if event.is_ping:
        did.append("engaged time")
    elif event.name not in NO_INTERACTIONS:
        did.append("an interaction" if rules.is_interactive(event.name) else "not an interaction, by the settings")
    if event.user_id:
        did.append("names the person")
    if is_bot(event.get("derived_contexts"), "", event.get("useragent")):
        did.append("is a bot's")
    if event.late:
        did.append("placed at the time it was collected: its own time is unbelievable")
    did += [f"meets the goal {one['goal']}" for one in conversions if one["event_id"] == event.id]
    if event is events[-1]:
        did.append("ends the visit")
    return ExplainedEvent(event.id, event.name, event.t, event.view_id, rules.page_path(event), tuple(did))


def _notes(store: ModelStore, row: Row, events: list[Event]) -> tuple[str, ...]:
    notes = []
    progress = ModelState(store).read()
    if progress.is_frozen(row["app_id"], row["start_tstamp"]):
        notes.append("frozen: retention may have removed events of it, so it is not made again")
    for one in store.rows(QUARANTINE, "session_id", [row["session_id"]]):
        notes.append(f"given up at {iso_text(one['at'])}: {one['reason']}; what came first is counted")
    if row["person_id"] and not row["user_id"] and row["person_id"] != row["visitor_id"]:
        notes.append("the person is known by another visit of the same visitor, with a user_id")
    if row["is_continued"]:
        notes.append("it began on a page of the same site: channel and source are those of the visit before")
    if not events:
        notes.append("its events are gone from atomic.events")
    elif len(events) != row["events"] and not row["is_quarantined"]:
        notes.append(
            f"{len(events)} events are stored now, {row['events']} when the row was made: it will be made again"
        )
    return tuple(notes)

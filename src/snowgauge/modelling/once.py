"""What counts once over all units: a view belongs to the unit that has the first view event of it.

A unit with a session goes before one without: a page on which a visitor consents halfway belongs to the visit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from snowgauge.modelling.events import EARLY_MS, LATE_MS, Event, Unit
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import ModelStore
from snowgauge.modelling.tables import PAGE_VIEWS, VIEW_REPEATS

_OF_VIEW = ("unit", "app_id", "session_id", "view_id", "start_tstamp", "event_id")
_OF_REPEAT = ("unit", "app_id", "session_id", "view_id", "t", "event_id")


class Claim(NamedTuple):
    """A unit's first view event of a view. ``counts``: it has the row of ``page_views``."""

    unit: str
    app_id: str
    view_id: str
    session_id: str
    t: int
    event_id: str
    counts: bool

    @property
    def view(self) -> tuple[str, str]:
        return self.app_id, self.view_id

    @property
    def rank(self) -> tuple[bool, int, str]:
        return not self.session_id, self.t, self.event_id


class Views(NamedTuple):
    """``repeated``: unit -> ids of views that belong to another; ``others``: units for which this changes."""

    repeated: Mapping[str, frozenset[str]]
    others: Sequence[Unit]


def views_of(
    store: ModelStore, units: Collection[str], found: Mapping[str, Sequence[Event]], before: Iterable[Row]
) -> Views:
    """``units``: those that are made; ``found``: their events, as far as they have any; ``before``: the rows of
    ``page_views`` and ``view_repeats`` that they had."""
    own = [claim for name, events in found.items() for claim in _claims(name, events)]
    ids = sorted({claim.view_id for claim in own} | {row["view_id"] for row in before} - {""})
    if not ids:
        return Views({}, [])
    elsewhere = [claim for claim in _stored(store, ids) if claim.unit not in units]
    first = _first((*own, *elsewhere))
    repeated: dict[str, set[str]] = {}
    for claim in own:
        if first[claim.view].unit != claim.unit:
            repeated.setdefault(claim.unit, set()).add(claim.view_id)
    return Views({unit: frozenset(views) for unit, views in repeated.items()}, _wrong(elsewhere, first))


def wrong_views(store: ModelStore, days: range) -> list[Unit]:
    """Units with a row on these days of a view that belongs to another unit, and those that should have one."""
    claims = _stored(store, store.repeated_views(days))
    return _wrong(claims, _first(claims))


def _claims(unit: str, events: Sequence[Event]) -> list[Claim]:
    first: dict[str, Claim] = {}
    for event in events:
        if event.is_view and event.view_id and event.view_id not in first:
            first[event.view_id] = Claim(
                unit, event.app_id, event.view_id, event.session_id, event.t, event.id, counts=True
            )
    return list(first.values())


def _stored(store: ModelStore, ids: Sequence[str]) -> list[Claim]:
    if not ids:
        return []
    return [
        Claim(row["unit"], row["app_id"], row["view_id"], row["session_id"], row[time], row["event_id"], counts=counts)
        for table, names, time, counts in (
            (PAGE_VIEWS, _OF_VIEW, "start_tstamp", True),
            (VIEW_REPEATS, _OF_REPEAT, "t", False),
        )
        for row in store.rows(table, "view_id", ids, names)
    ]


def _first(claims: Iterable[Claim]) -> dict[tuple[str, str], Claim]:
    first: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        known = first.get(claim.view)
        if known is None or claim.rank < known.rank:
            first[claim.view] = claim
    return first


def _wrong(claims: Iterable[Claim], first: Mapping[tuple[str, str], Claim]) -> list[Unit]:
    others = {}
    for claim in claims:
        if (first[claim.view].unit == claim.unit) is not claim.counts:
            others[claim.unit] = Unit(claim.unit, claim.t - EARLY_MS, claim.t + LATE_MS)
    return list(others.values())

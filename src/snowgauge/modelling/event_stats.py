"""Rows of ``event_stats``, counted again for every quarter of an hour that something was added to. A count never falls:
what was erased or has expired was counted while it was there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from snowgauge.modelling.bots import is_bot
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, Found, ModelStore
from snowgauge.modelling.tables import EVENT_STATS

QUARTER_MS = 900_000
_MOST_SLOTS = 4 * 24 * 4
"""Slots from the first to the last event of one unit and minute of storing; more are counted at both ends only."""


def slots_of(found: Iterable[Found]) -> set[int]:
    """The quarters of an hour in which events were collected."""
    slots: set[int] = set()
    for one in found:
        first, last = (at - at % QUARTER_MS for at in (one.since, one.until))
        if (last - first) // QUARTER_MS > _MOST_SLOTS:
            slots |= {first, last}
        else:
            slots.update(range(first, last + 1, QUARTER_MS))
    return slots


def count(store: ModelStore, slots: Sequence[int]) -> Change | None:
    """The change that counts these slots again."""
    fresh: dict[tuple[object, ...], Row] = {}
    for group in store.groups(slots):
        row: Row = {
            "app_id": group.app_id,
            "slot": group.slot,
            "platform": group.platform,
            "event_name": group.event_name,
            "schema": f"{group.event_vendor}/{group.event_name}/{group.event_version}",
            "tracker": "-".join(filter(None, (group.name_tracker, group.v_tracker))),
            "app_version": group.app_version,
            "is_bot": is_bot(group.derived_contexts, "", group.useragent),
        }
        known = fresh.setdefault(_key(row), row | {"events": 0, "duplicates": 0, "late": 0})
        known["events"] += group.events
        known["duplicates"] += group.rows - group.events
        known["late"] += group.late
    if not fresh:
        return None
    for old in store.rows_of_slots(slots):
        if (counted := fresh.get(_key(old))) is not None:
            for name in ("events", "duplicates", "late"):
                counted[name] = max(counted[name], old[name])
    return Change(EVENT_STATS, [], list(fresh.values()))


def _key(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in EVENT_STATS.key)

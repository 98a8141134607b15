"""A month of three applications with planted incidents: each is found, and little else is."""

from __future__ import annotations

import random
from typing import NamedTuple

from snowgauge.alerts.rules import HOUR_MS, QUARTER_MS
from snowgauge.testing.alerting import DAY_MS, START, AlertWorld, counted, usual

BEFORE = 28 * DAY_MS
DAYS = 28
APPS = {"shop": 4_000.0, "docs": 900.0, "game": 250.0}
"""Views in an hour of the middle of the day."""
EVENTS = {"page_view": 1.0, "add_to_cart": 0.12, "purchase": 0.03, "page_ping": 4.0}


class Incident(NamedTuple):
    """``alert`` must fire about ``key`` (its beginning) between ``start`` and ``end`` + 3 h."""

    name: str
    alert: str
    key: str
    start: int
    end: int


def at(day: int, hour: int) -> int:
    return START + BEFORE + day * DAY_MS + hour * HOUR_MS


INCIDENTS = [
    Incident("the shop goes dark", "no-events", "shop", at(3, 10), at(3, 13)),
    Incident("half of the docs' traffic is gone", "traffic", "docs", at(6, 9), at(6, 15)),
    Incident("the shop is on television", "traffic", "shop", at(9, 19), at(9, 22)),
    Incident("a release loses add_to_cart", "event-missing", "shop/add_to_cart", at(12, 8), at(12, 20)),
    Incident("a new version of the game loses purchase", "event-missing", "shop/purchase/2.0", at(20, 6), at(21, 6)),
    Incident("a schema is violated by many", "failed-events", "docs", at(15, 11), at(15, 12)),
    Incident("a cause that nobody saw before", "new-failure", "cause-of-15", at(15, 11), at(15, 12)),
    Incident("the store is away", "pipeline", "store", at(17, 2), at(17, 5)),
    Incident("what is sent changes", "drift", "type-changed", at(22, 0), at(23, 0)),
    Incident("the modeller hangs", "modelling", "tables", at(25, 14), at(25, 18)),
]  # fmt: skip


def factor(app: str, event: str, slot: int) -> float:
    """What an incident leaves of the usual."""
    dark, half, tv, lost = INCIDENTS[:4]
    if app == "shop" and dark.start <= slot < dark.end:
        return 0
    if app == "docs" and half.start <= slot < half.end:
        return 0.4
    if app == "shop" and tv.start <= slot < tv.end:
        return 3
    if app == "shop" and event == "add_to_cart" and lost.start <= slot < lost.end:
        return 0
    return 1


def make(world: AlertWorld, seed: int) -> None:
    chance = random.Random(seed)
    release = INCIDENTS[4]
    for slot in range(START, START + BEFORE + DAYS * DAY_MS, QUARTER_MS):
        for app, size in APPS.items():
            for event, share in EVENTS.items():
                events = counted(chance, usual(slot, size) * share * factor(app, event, slot))
                if app == "shop" and slot >= release.start:
                    new = events // 3
                    world.traffic.add(slot, app, event, events - new, "1.9")
                    world.traffic.add(slot, app, event, 0 if event == "purchase" else new, "2.0")
                else:
                    world.traffic.add(slot, app, event, events, "1.9" if app == "shop" else "")
            if chance.random() < 0.3:
                world.failed.rows.append((slot + 1, app, "always", "#/a: wrong"))
    for minute in range(60):
        for n in range(8):
            world.failed.rows.append((at(15, 11) + minute * 60_000 + n, "docs", "cause-of-15", "#/price: found text"))


def test_planted_incidents_are_found(record_property):
    from snowgauge.alerts.sources import DriftSeen, Part

    world = AlertWorld(START + BEFORE)
    make(world, 7)
    store_away, drift, hangs = INCIDENTS[7], INCIDENTS[8], INCIDENTS[9]
    end = START + BEFORE + DAYS * DAY_MS
    while world.store.clock < end:
        now = world.store.clock = world.store.clock + HOUR_MS  # four quarters are made up for at each look
        world.parts = [Part("store", not store_away.start <= now < store_away.end, "does not answer")]
        drifted = drift.start <= now < drift.end
        world.drifts = [DriftSeen("type-changed", "shop", "warn", "price is text")] if drifted else []
        world.behind = max(0, now - hangs.start) if hangs.start <= now < hangs.end else 0
        world.evaluator.look()

    fired = [one.message for one in world.book.deliveries() if one.channel_id == "" and one.message.said == "firing"]
    found = {
        incident.name: [
            one for one in fired
            if one.rule_id == incident.alert and one.key.startswith(incident.key)
            and incident.start <= one.at <= incident.end + 3 * HOUR_MS
        ]
        for incident in INCIDENTS
    }  # fmt: skip
    explained = {id(one) for some in found.values() for one in some}
    # what follows from an incident: no events are a drop of traffic too, and a spike of views is one of carts
    close = [(one.start, one.end + 3 * HOUR_MS) for one in INCIDENTS]
    false = [
        one for one in fired
        if id(one) not in explained and one.key != "always" and not any(start <= one.at <= end for start, end in close)
    ]  # fmt: skip
    checks = len(APPS) * DAYS * 24
    print(f"planted {len(INCIDENTS)}, found {sum(bool(some) for some in found.values())}, false {len(false)} "
          f"of {len(fired)} messages in {DAYS} days ({checks:,} hours of applications)")  # fmt: skip
    record_property("false_alarms", len(false))
    assert [name for name, some in found.items() if not some] == []
    assert [name for name, some in found.items() if len(some) > 1] == [], "told once"
    assert len(false) <= 3, [(one.rule_id, one.key, one.summary) for one in false]
    still = {
        (rule, key) for rule, states in world.book.states().items() for key, state in states.items() if state.fires
    }
    assert still == set(), "everything that was over was resolved"

"""Twelve events, worked out by hand: every row and every figure, on every store."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.timestamps import parse_ms
from snowgauge.modelling.applications import Application
from snowgauge.modelling.definition import Table
from snowgauge.modelling.modeller import Modeller
from snowgauge.modelling.store import ModelStore
from snowgauge.modelling.tables import (
    CONVERSIONS,
    ECOMMERCE_ACTIONS,
    EVENT_STATS,
    IDENTITIES,
    PAGE_VIEWS,
    SESSIONS,
    USER_DAYS,
    USERS,
    VIEW_REPEATS,
)
from snowgauge.store.base import StoreBatch
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.model_store import MemoryModelStore
from snowgauge.testing.modelling import event, event_id, late_ping, worked_example

Stored = ClickHouseStore | PostgresStore
Write = Callable[[str, list[EnrichedEvent]], None]


def _all(store: ModelStore, table: Table, *names: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in names) for row in store.all_rows(table)), key=str)


def _ms(text: str) -> int:
    ms = parse_ms(f"{text}.000")
    assert ms is not None
    return ms


def _of_memory() -> tuple[ModelStore, Write]:
    memory = MemoryModelStore()
    return memory, lambda _, events: memory.write(events)


def _of(stored: Stored) -> tuple[ModelStore, Write]:
    return stored.modelling(), lambda name, events: (stored.write(StoreBatch(name, events)), None)[1]


def _check(model: ModelStore, write: Write) -> Modeller:
    modeller = Modeller(model, lambda: {"": Application()})
    write("b1", worked_example())
    ran = modeller.run()
    assert (ran.units, ran.events) == (5, 12)
    assert _all(model, PAGE_VIEWS, "view_id", "session_id", "start_tstamp", "end_tstamp", "engaged_s", "absolute_s",
                "scroll_pct", "is_bot") == [
        (event_id("e12"), "s3", _ms("2026-03-10 11:00:00"), _ms("2026-03-10 11:00:00"), 0, 0, None, False),
        ("v1", "s1", _ms("2026-03-10 10:00:00"), _ms("2026-03-10 10:00:15"), 15, 15, 85.0, False),
        ("v2", "s1", _ms("2026-03-10 10:00:40"), _ms("2026-03-10 10:01:10"), 5, 30, 27.0, False),
        ("v3", "s1", _ms("2026-03-10 10:01:20"), _ms("2026-03-10 10:01:21"), 0, 1, 80.0, False),
        ("v4", "s2", _ms("2026-03-11 09:00:00"), _ms("2026-03-11 09:00:00"), 0, 0, 53.0, False),
        ("v5", "", _ms("2026-03-10 10:02:00"), _ms("2026-03-10 10:02:00"), 0, 0, 67.0, False),
        ("v9", "s9", _ms("2026-03-10 10:03:00"), _ms("2026-03-10 10:03:00"), 0, 0, 40.0, True),
    ]  # fmt: skip
    assert _all(model, SESSIONS, "session_id", "start_tstamp", "end_tstamp", "events", "views", "engaged_s",
                "duration_s", "entry_path", "exit_path", "channel", "interactions", "conversions", "revenue",
                "person_id", "is_bounce", "is_bot", "is_new_visitor") == [
        ("s1", _ms("2026-03-10 10:00:00"), _ms("2026-03-10 10:01:21"), 8, 3, 20, 81, "/", "/thanks", "Paid Search", 2,
        1, Decimal("49.90"), "u7", False, False, True),
        ("s2", _ms("2026-03-11 09:00:00"), _ms("2026-03-11 09:00:00"), 1, 1, 0, 0, "/blog/a", "/blog/a", "Referral", 0,
        0, Decimal(0), "u7", True, False, False),
        ("s3", _ms("2026-03-10 11:00:00"), _ms("2026-03-10 11:00:00"), 1, 1, 0, 0, "/landing", "/landing",
         "AI Assistants", 0, 0, Decimal(0), "d2", True, False, True),
        ("s9", _ms("2026-03-10 10:03:00"), _ms("2026-03-10 10:03:00"), 1, 1, 0, 0, "/", "/", "Direct", 0, 0, Decimal(0),
         "d9", True, True, True),
    ]  # fmt: skip
    assert _all(model, USERS, "person_id", "visitor_ids", "sessions", "views", "engaged_s", "first_seen", "last_seen",
                "active_days", "revenue", "first_channel", "is_identified")[1:] == [
        ("d9", ["d9"], 1, 1, 0, _ms("2026-03-10 10:03:00"), _ms("2026-03-10 10:03:00"), 1, Decimal(0), "Direct", False),
        ("u7", ["d1"], 2, 4, 20, _ms("2026-03-10 10:00:00"), _ms("2026-03-11 09:00:00"), 2, Decimal("49.90"),
         "Paid Search", True),
    ]  # fmt: skip
    assert _all(model, CONVERSIONS, "event_id", "goal", "t", "view_id", "session_id", "person_id", "value", "currency",
                "order_id", "channel", "mkt_medium", "is_first_of_session", "is_first_of_person") == [
        (event_id("e08"), "transaction", _ms("2026-03-10 10:01:21"), "v3", "s1", "u7", Decimal("49.90"), "EUR", "o1",
         "Paid Search", "cpc", True, True),
    ]  # fmt: skip
    assert _all(model, IDENTITIES, "visitor_id", "user_id", "sessions") == [("d1", "u7", 1)]
    assert _all(model, ECOMMERCE_ACTIONS, "transaction_id", "revenue", "is_first_of_transaction") == [
        ("o1", Decimal("49.90"), True)
    ]
    days = _all(model, USER_DAYS, "person_id", "day", "event_name", "n")
    march_10 = _ms("2026-03-10 00:00:00") // 86_400_000
    assert [row for row in days if row[0] == "u7"] == [
        ("u7", march_10, "goal:transaction", 1), ("u7", march_10, "link_click", 1), ("u7", march_10, "page_view", 3),
        ("u7", march_10, "transaction", 1), ("u7", march_10 + 1, "page_view", 1),
    ]  # fmt: skip
    people = [row for row in model.all_rows(SESSIONS) if not row["is_bot"]]
    assert (len(people), len({row["person_id"] for row in people})) == (3, 2)
    assert sum(row["duration_s"] for row in people) / 3 == 27
    assert sum(row["is_bounce"] for row in people) == 2
    assert sum(row["events"] for row in model.all_rows(EVENT_STATS)) == 12
    return modeller


def _check_late(model: ModelStore, write: Write, modeller: Modeller) -> None:
    before = {table.name: {row["unit"]: row for row in model.all_rows(table)} for table in (PAGE_VIEWS, SESSIONS)}
    write("b2", [late_ping()])
    assert modeller.run().units >= 1
    assert [row[1:] for row in _all(model, PAGE_VIEWS, "view_id", "engaged_s") if row[0] == "v2"] == [(15,)]
    assert [row[1:] for row in _all(model, SESSIONS, "session_id", "engaged_s", "events") if row[0] == "s1"] == [
        (30, 9)
    ]
    after = {row["unit"]: row for row in model.all_rows(SESSIONS)}
    assert after["s2"] | {"model_version": 0, "modelled_at": 0} == before["sessions"]["s2"] | {
        "model_version": 0, "modelled_at": 0,
    }  # fmt: skip


def test_in_memory() -> None:
    model, write = _of_memory()
    _check_late(model, write, _check(model, write))


def test_on_every_store(stored: Stored) -> None:
    model, write = _of(stored)
    modeller = _check(model, write)
    _check_late(model, write, modeller)
    found = {table: _plain(model, table) for table in (PAGE_VIEWS, SESSIONS, USERS, CONVERSIONS, USER_DAYS, IDENTITIES)}
    while modeller.rebuild_next():
        pass
    assert {table: _plain(model, table) for table in found} == found


def _plain(model: ModelStore, table: Table) -> list[str]:
    return sorted(str({**row, "model_version": 0, "modelled_at": 0}) for row in model.all_rows(table))


def test_a_view_in_two_sessions_counts_once_after_increments_and_after_a_rebuild(stored: Stored) -> None:
    model, write = _of(stored)
    modeller = Modeller(model, lambda: {"": Application()})
    modeller.run()
    later, first = (
        event(name, "page_view", f"2026-03-{day} 10:00:00", domain_userid="d1", domain_sessionid=name, view="v1")
        for name, day in (("s2", 11), ("s1", 10))
    )
    write("b1", [later])
    modeller.run()
    write("b2", [first])
    modeller.run()
    seen = [("v1", "s1")], [("v1", "s2")]
    assert (
        _all(model, PAGE_VIEWS, "view_id", "session_id"),
        _all(model, VIEW_REPEATS, "view_id", "session_id"),
    ) == seen
    modeller.begin_rebuild()
    while modeller.rebuild_next():
        pass
    assert (
        _all(model, PAGE_VIEWS, "view_id", "session_id"),
        _all(model, VIEW_REPEATS, "view_id", "session_id"),
    ) == seen
    assert _all(model, SESSIONS, "session_id", "views") == [("s1", 1), ("s2", 0)]

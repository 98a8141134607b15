"""Modelled rows leave with their events: erased, expired; and stay as they were where retention has cut."""

from __future__ import annotations

from snowgauge.events.timestamps import parse_ms
from snowgauge.modelling.applications import Application
from snowgauge.modelling.definition import Table
from snowgauge.modelling.forgetting import forget, units_of_people
from snowgauge.modelling.modeller import Modeller
from snowgauge.modelling.store import ModelStore
from snowgauge.modelling.tables import (
    CONVERSIONS,
    EVENT_STATS,
    IDENTITIES,
    OF_UNITS,
    PAGE_VIEWS,
    SESSIONS,
    USERS,
)
from snowgauge.store.base import StoreBatch
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.lifetime import Apps, row_key
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.modelling import event_id, late_ping, worked_example

Stored = ClickHouseStore | PostgresStore
MIDNIGHT = parse_ms("2026-03-11 00:00:00.000") or 0


def _modelled(stored: Stored) -> tuple[ModelStore, Modeller]:
    stored.write(StoreBatch("b1", worked_example()))
    model = stored.modelling()
    modeller = Modeller(model, lambda: {"": Application()})
    modeller.run()
    return model, modeller


def _all(model: ModelStore, table: Table, name: str) -> list[object]:
    return sorted(row[name] for row in model.all_rows(table))


def test_erasing_a_visitor_takes_everything_modelled_along(stored: Stored) -> None:
    model, modeller = _modelled(stored)
    counted = sum(row["events"] for row in model.all_rows(EVENT_STATS))
    keys = [row_key(event) for event in worked_example() if event.domain_userid == "d1"]
    stored.lifetime().delete("good", keys)
    for _ in range(2):
        assert _all(model, PAGE_VIEWS, "view_id") == sorted([event_id("e12"), "v5", "v9"])
        assert _all(model, SESSIONS, "session_id") == ["s3", "s9"]
        assert _all(model, USERS, "person_id") == ["d2", "d9"]
        assert model.all_rows(CONVERSIONS) == []
        assert model.all_rows(IDENTITIES) == []
        modeller.run()
    assert sum(row["events"] for row in model.all_rows(EVENT_STATS)) == counted
    if isinstance(stored, ClickHouseStore):
        stored.lifetime().settle()
        database = stored.layout.settings.derived_database
        for table in (*OF_UNITS, USERS, IDENTITIES):
            columns = [name for name in ("session_id", "person_id", "visitor_id", "unit") if name in table.names]
            for name in columns:
                held = stored.connection.rows(f"SELECT DISTINCT `{name}` FROM `{database}`.`{table.name}`")
                assert not {value for (value,) in held} & {"d1", "u7", "s1", "s2"}, (table.name, name)


def test_erasing_one_event_makes_its_visit_again(stored: Stored) -> None:
    model, _ = _modelled(stored)
    gone = [row_key(event) for event in worked_example() if event.event_id == event_id("e08")]
    stored.lifetime().delete("good", gone)
    rows = {row["session_id"]: row for row in model.all_rows(SESSIONS)}
    assert (rows["s1"]["events"], rows["s1"]["conversions"], rows["s1"]["interactions"]) == (7, 0, 1)
    assert model.all_rows(CONVERSIONS) == []


def test_what_retention_has_cut_is_frozen(stored: Stored) -> None:
    model, modeller = _modelled(stored)
    before = {row["session_id"]: row for row in model.all_rows(SESSIONS)}
    stored.lifetime().expire("good", MIDNIGHT, Apps())
    stored.write(StoreBatch("b2", [late_ping()]))
    ran = modeller.run()
    assert ran.frozen >= 1
    modeller.begin_rebuild()
    while modeller.rebuild_next():
        pass
    after = {row["session_id"]: row for row in model.all_rows(SESSIONS)}
    made = {"model_version": 0, "modelled_at": 0}
    assert after["s1"] | made == before["s1"] | made
    assert after["s2"]["views"] == 1


def test_a_person_is_forgotten_whose_events_have_expired(stored: Stored) -> None:
    model, modeller = _modelled(stored)
    stored.lifetime().expire("good", MIDNIGHT + 86_400_000, Apps())
    modeller.run()
    assert _all(model, SESSIONS, "session_id") == ["s1", "s2", "s3", "s9"]
    units = units_of_people(model, ["U7"])
    assert sorted(unit.name for unit in units) == ["s1", "s2"]
    forget(model, units)
    assert _all(model, SESSIONS, "session_id") == ["s3", "s9"]
    assert _all(model, USERS, "person_id") == ["d2", "d9"]
    assert model.all_rows(IDENTITIES) == []


def test_modelled_rows_expire_with_their_own_time(stored: Stored) -> None:
    model, _ = _modelled(stored)
    lifetime = stored.lifetime()
    apps = Apps(("other",), "only")
    assert lifetime.expire_modelled(MIDNIGHT, apps) == 0
    found = lifetime.expired_modelled(MIDNIGHT, Apps())
    assert lifetime.expire_modelled(MIDNIGHT, Apps()) == found > 0
    assert _all(model, SESSIONS, "session_id") == ["s2"]
    assert _all(model, PAGE_VIEWS, "view_id") == ["v4"]
    # who logged in was known by a visit that is gone
    assert _all(model, USERS, "person_id") == ["u7"]
    assert model.all_rows(USERS)[0]["sessions"] == 1
    assert model.all_rows(EVENT_STATS)

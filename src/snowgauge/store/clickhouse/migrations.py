"""Bringing a database to this version's layout, step by step, each recorded once done.

Every step is repeatable (``IF NOT EXISTS``), so a migration that broke off is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from snowgauge.modelling.tables import ALERTS, COHORTS, IMPORTED, MODELLED, PLAN, VIEW_REPEATS
from snowgauge.store.base import Migration
from snowgauge.store.clickhouse.connection import Connection, Refused
from snowgauge.store.clickhouse.derived.layout import DerivedLayout
from snowgauge.store.clickhouse.layout import Layout
from snowgauge.store.clickhouse.simple_snowplow.views import Views

UNKNOWN_TABLE = (60, 81)


class Step(NamedTuple):
    version: int
    name: str
    statements: Callable[[Layout], list[str]]


STEPS: tuple[Step, ...] = (
    Step(1, "events", lambda layout: layout.create_table("events")),
    Step(2, "failed events", lambda layout: layout.create_table("failed_events")),
    Step(3, "incomplete events", lambda layout: layout.create_table("incomplete_events")),
    Step(4, "Simple Snowplow views", lambda _: []),  # made by refresh, at every migration
    Step(5, "recovery of failed events", Layout.add_recovery),
    Step(6, "schemas of entities", Layout.add_entity_schemas),
    Step(7, "modelled tables", lambda layout: DerivedLayout(layout).create(MODELLED)),
    Step(8, "alerts", lambda layout: DerivedLayout(layout).create(ALERTS)),
    Step(9, "tracking plan", lambda layout: DerivedLayout(layout).create(PLAN)),
    Step(10, "shared state", Layout.create_state),
    Step(11, "imported days", lambda layout: DerivedLayout(layout).create(IMPORTED)),
    Step(12, "repeated views", lambda layout: DerivedLayout(layout).create([VIEW_REPEATS])),
    Step(13, "cohorts", lambda layout: DerivedLayout(layout).create(COHORTS)),
)


VIEWS_STEP = 4
"""Its statements depend on what is there already."""


def applied(connection: Connection, layout: Layout) -> dict[int, str]:
    """Version -> when it was applied; empty for a database that was never set up."""
    try:
        rows = connection.rows(
            f"SELECT version, toString(min(applied_at)) FROM {layout.migrations} GROUP BY version ORDER BY version"
        )
    except Refused as raised:
        if raised.code in UNKNOWN_TABLE:
            return {}
        raise
    return {int(version): str(at) for version, at in rows}


def migrate(connection: Connection, layout: Layout, views: Views) -> list[Migration]:
    """Apply what is missing, bring the views up to date; returns the steps applied."""
    done = applied(connection, layout)
    if all(step.version in done for step in STEPS):
        views.refresh(connection, layout)
        return []
    for statement in (*layout.create_database(), *layout.create_ledgers()):
        connection.command(statement)
    new = []
    for step in STEPS:
        if step.version in done:
            continue
        for statement in step.statements(layout):
            connection.command(statement)
        if step.version == VIEWS_STEP:
            views.refresh(connection, layout)
        connection.insert(
            layout.migrations,
            ("version", "name"),
            b'{"version":%d,"name":"%b"}\n' % (step.version, step.name.encode()),
            f"migration-{step.version}",
            {},
        )
        new.append(step.version)
    done = applied(connection, layout)
    return [Migration(step.version, step.name, done.get(step.version)) for step in STEPS if step.version in new]


def listed(connection: Connection, layout: Layout) -> list[Migration]:
    done = applied(connection, layout)
    return [Migration(step.version, step.name, done.get(step.version)) for step in STEPS]

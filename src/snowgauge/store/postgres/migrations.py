"""Bringing a database to this version's layout, step by step, each recorded in the same transaction that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from snowgauge.modelling.tables import ALERTS, COHORTS, IMPORTED, MODELLED, PLAN, VIEW_REPEATS
from snowgauge.store.base import Migration
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.derived.layout import DerivedLayout
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.tables import alone

if TYPE_CHECKING:
    import psycopg


class Step(NamedTuple):
    version: int
    name: str
    statements: Callable[[Layout], list[str]]


STEPS: tuple[Step, ...] = (
    Step(1, "events", Layout.create_events),
    Step(2, "failed events", Layout.create_failed),
    Step(3, "incomplete events", Layout.create_incomplete),
    Step(4, "recovery of failed events", Layout.add_recovery),
    Step(5, "modelled tables", lambda layout: DerivedLayout(layout).create(MODELLED)),
    Step(6, "events sent twice", Layout.create_loads),
    Step(7, "alerts", lambda layout: DerivedLayout(layout).create(ALERTS)),
    Step(8, "tracking plan", lambda layout: DerivedLayout(layout).create(PLAN)),
    Step(9, "shared state", Layout.create_state),
    Step(10, "imported days", lambda layout: DerivedLayout(layout).create(IMPORTED)),
    Step(11, "repeated views", lambda layout: DerivedLayout(layout).create([VIEW_REPEATS])),
    Step(12, "cohorts", lambda layout: DerivedLayout(layout).create(COHORTS)),
)


def migrate(connections: Connections, layout: Layout) -> list[Migration]:
    """Apply what is missing; returns it. Of several processes one does it, the others wait."""
    with connections.use() as connection:
        if all(step.version in _applied(connection, layout) for step in STEPS):
            return []
        new = []
        with connection.transaction():
            alone(connection, layout)
            if not _exists(connection, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", layout.schema):
                connection.execute(f"CREATE SCHEMA {quote(layout.schema)}")
            for statement in layout.create_ledgers():
                connection.execute(statement)
            done = _applied(connection, layout)
            for step in STEPS:
                if step.version in done:
                    continue
                for statement in step.statements(layout):
                    connection.execute(statement)
                connection.execute(
                    f"INSERT INTO {layout.migrations} (version, name) VALUES (%s, %s)", (step.version, step.name)
                )
                new.append(step)
        done = _applied(connection, layout)
        return [Migration(step.version, step.name, done.get(step.version)) for step in new]


def listed(connections: Connections, layout: Layout) -> list[Migration]:
    with connections.use() as connection:
        done = _applied(connection, layout)
    return [Migration(step.version, step.name, done.get(step.version)) for step in STEPS]


def _applied(connection: psycopg.Connection[Any], layout: Layout) -> dict[int, str]:
    """Version -> when it was applied; empty for a database that was never set up."""
    if not _exists(connection, "SELECT to_regclass(%s)", layout.migrations):
        return {}
    rows = connection.execute(f"SELECT version, applied_at::text FROM {layout.migrations}").fetchall()
    return {int(version): str(at) for version, at in rows}


def _exists(connection: psycopg.Connection[Any], sql: str, name: str) -> bool:
    found = connection.execute(sql, (name,)).fetchone()
    return found is not None and found[0] is not None

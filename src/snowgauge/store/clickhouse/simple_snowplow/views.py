"""Simple Snowplow's tables as views over ``atomic.events``: people's queries keep working (its README's included).

``snowplow.local`` and ``snowplow.distributed`` are one view under two names; ``columns`` has what they show. A
view is remade whenever its text changes (a setting, a version of Snowgauge). Where a *table* of that name stands, as
Simple Snowplow left it, it is left alone: nothing is ever dropped.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import Features, Layout
from snowgauge.store.clickhouse.simple_snowplow import columns
from snowgauge.store.settings import SimpleSnowplowSchemas
from snowgauge.telemetry.logs import logger

_log = logger("store")
_MARK = "of Snowgauge"


class View(NamedTuple):
    """One view: where it stands, and the text that makes it."""

    database: str
    name: str
    select: str
    cluster: str

    @property
    def full_name(self) -> str:
        return f"`{self.database}`.`{self.name}`"

    @property
    def comment(self) -> str:
        """Says whose it is, and which text made it."""
        return f"{_MARK}, {hashlib.sha256(self.select.encode()).hexdigest()[:16]}"

    @property
    def statement(self) -> str:
        return f"CREATE OR REPLACE VIEW {self.full_name}{self.cluster} AS\n{self.select}\nCOMMENT '{self.comment}'"


class Views:
    """The views of one deployment."""

    def __init__(self, schemas: SimpleSnowplowSchemas, features: Features) -> None:
        self._schemas = schemas
        self._features = features

    def of(self, layout: Layout) -> list[View]:
        """Both views; none where they are switched off."""
        chosen = layout.settings.tables.snowplow
        if not chosen.enabled:
            return []
        select = f"{columns.select(self._schemas, json=self._features.json)}\nFROM {layout.name('events')} AS e"
        views = []
        for name in (chosen.local.name or "local", chosen.distributed.name or "distributed"):
            database, _, view = name.rpartition(".")
            views.append(View(database or views_database(layout), view, select, layout.on_cluster()))
        return views

    def statements(self, layout: Layout) -> list[str]:
        """Databases and views, as they are made where there is nothing."""
        views = self.of(layout)
        databases = dict.fromkeys(view.database for view in views)
        return [
            *(f"CREATE DATABASE IF NOT EXISTS `{database}`{layout.on_cluster()}" for database in databases),
            *(view.statement for view in views),
        ]

    def refresh(self, connection: Connection, layout: Layout) -> None:
        """Make those that are missing or were made by another text."""
        views = self.of(layout)
        there = {
            (database, name): (engine, comment)
            for database, name, engine, comment in connection.rows(
                "SELECT database, name, engine, comment FROM system.tables WHERE database IN {databases:Array(String)}",
                {"databases": [view.database for view in views]},
            )
        }
        for view in views:
            engine, comment = there.get((view.database, view.name), ("View", ""))
            if engine != "View":
                _log.warning(
                    "view_not_made",
                    view=f"{view.database}.{view.name}",
                    reason=f"a table ({engine}) has its name",
                    cure="take its rows over with `snowgauge migrate simple-snowplow --take-over`, or rename it",
                )
            elif comment != view.comment:
                connection.command(f"CREATE DATABASE IF NOT EXISTS `{view.database}`{view.cluster}")
                connection.command(view.statement, {"allow_experimental_json_type": 1})


def views_database(layout: Layout) -> str:
    """Where the views are made: where Simple Snowplow had its tables."""
    settings = layout.settings
    return settings.views_database or ("snowplow" if settings.database == "atomic" else settings.database)

"""The columns of schemas: which exist, which schema each belongs to, and adding one on first sight.

Several processes may meet a new schema at once: ``ADD COLUMN IF NOT EXISTS`` makes that harmless, and the comment of
the column says whose it is. A schema whose column name belongs to another schema, or that comes after the limit, has
no column and stays reachable through the raw text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.clickhouse.columns import Column, schema_column, schema_of
from snowgauge.store.clickhouse.layout import EVENT_TABLES, Features, Layout
from snowgauge.telemetry.logs import logger

if TYPE_CHECKING:
    from snowgauge.store.clickhouse.connection import Connection

log = logger("store")
_PREFIXES = ("contexts_", "unstruct_event_")


class SchemaColumns:
    """What is known of the schema columns. ``refresh`` reads it from the database anew."""

    def __init__(self, connection: Connection, layout: Layout, features: Features) -> None:
        self._connection = connection
        self._layout = layout
        self.features = features
        self._owner: dict[str, str] = {}
        self._columns: dict[tuple[SchemaKey, bool], str] = {}
        self._warned: set[str] = set()

    def refresh(self) -> None:
        rows = self._connection.rows(
            "SELECT name, comment FROM system.columns WHERE database = {db:String} AND table = {t:String}",
            {"db": self._layout.database, "t": self._layout.stored("incomplete_events").split("`")[3]},
        )
        self._owner = {name: comment for name, comment in rows if name.startswith(_PREFIXES)}
        self._columns.clear()

    def column(self, key: SchemaKey, *, event: bool) -> str:
        """The column of this schema; empty: it has none."""
        known = self._columns.get((key, event))
        if known is None:
            name = schema_column(key, event=event)
            known = self._columns[(key, event)] = name if self._owner.get(name) == schema_of(key) else ""
        return known

    def prepare(self, events: Iterable[EnrichedEvent]) -> None:
        """Add the columns that these events need and the tables lack."""
        missing: dict[str, tuple[SchemaKey, bool]] = {}
        seen = self._columns
        for event in events:
            own = event.unstruct_event
            if own is not None and (own.schema, True) not in seen:
                self._note(own.schema, True, missing)
            for entity in event.contexts:
                if (entity.schema, False) not in seen:
                    self._note(entity.schema, False, missing)
            for entity in event.derived_contexts:
                if (entity.schema, False) not in seen:
                    self._note(entity.schema, False, missing)
        if missing:
            self.refresh()
            self._add({name: of for name, of in missing.items() if name not in self._owner})
            self.refresh()

    def restore(self, columns: Mapping[str, tuple[SchemaKey, bool]]) -> None:
        """Make the columns that the tables of a backup had, however many there may be by now."""
        self._add(columns)
        self.refresh()

    def _note(self, key: SchemaKey, event: bool, missing: dict[str, tuple[SchemaKey, bool]]) -> None:
        if not self.column(key, event=event):
            name = schema_column(key, event=event)
            if name not in self._owner and len(self._owner) + len(missing) < self._limit:
                self._columns.pop((key, event))
                missing.setdefault(name, (key, event))
            elif name in self._owner:
                self._warn(name, "schema_without_column", schema=key.uri, column=name, owner=self._owner[name])
            else:
                self._warn("", "schema_columns_full", setting="max_schema_columns", limit=self._limit, schema=key.uri)

    def _warn(self, once: str, event: str, **about: object) -> None:
        if once not in self._warned:
            self._warned.add(once)
            log.warning(event, **about)

    @property
    def _limit(self) -> int:
        return self._layout.settings.max_schema_columns

    def _add(self, wanted: Mapping[str, tuple[SchemaKey, bool]]) -> None:
        columns = [
            (Column(name, self.features.event_type if event else self.features.contexts_type), schema_of(key))
            for name, (key, event) in wanted.items()
        ]
        if not columns:
            return
        # the table whose columns are read by refresh comes last: its column says that both have it
        for table in EVENT_TABLES:
            for statement in self._layout.add_columns(table, columns):
                self._connection.command(statement, {"allow_experimental_json_type": 1})

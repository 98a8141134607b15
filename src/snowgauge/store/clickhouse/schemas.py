"""The columns of schemas: which exist, which schema each belongs to, and adding one on first sight.

Several processes may meet a new schema at once: ``ADD COLUMN IF NOT EXISTS`` makes that harmless, and the comment of
the column says whose it is. A schema whose column name belongs to another schema, or that has not earned one
(``grants``), has no column and stays reachable through the raw text.

Columns that nobody uses are given back: on command, and automatically once they run out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from snowgauge.errors import SelfDescribingError, StoreError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.clickhouse.columns import Column, schema_column, schema_of
from snowgauge.store.clickhouse.grants import Grants
from snowgauge.store.clickhouse.layout import ENTITY_SCHEMAS, EVENT_TABLES, Features, Layout
from snowgauge.telemetry.logs import logger

if TYPE_CHECKING:
    from snowgauge.store.clickhouse.connection import Connection

log = logger("store")
_DAY = 86_400.0
_UNUSED_DAYS = 90
_PREFIXES = ("contexts_", "unstruct_event_")


class ColumnUse(NamedTuple):
    """How many events brought data for a column, and of how many applications at least."""

    column: str
    schema: str
    events: int
    applications: int


class SchemaColumns:
    """What is known of the schema columns. ``refresh`` reads it from the database again."""

    def __init__(self, connection: Connection, layout: Layout, features: Features) -> None:
        self._connection = connection
        self._layout = layout
        self.features = features
        self._owner: dict[str, str] = {}
        self._columns: dict[tuple[SchemaKey, bool], str] = {}
        self._warned: set[str] = set()
        self._grants = Grants(layout.settings.max_schema_columns)
        self._looked_for_unused = float("-inf")

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
            self._grants.count(event.app_id)
            unknown = [(each.schema, False) for each in event.contexts if not seen.get((each.schema, False))]
            unknown += [(each.schema, False) for each in event.derived_contexts if not seen.get((each.schema, False))]
            own = event.unstruct_event
            if own is not None and not seen.get((own.schema, True)):
                unknown.append((own.schema, True))
            if unknown:
                self._note(dict.fromkeys(unknown), event.app_id, missing)
        if missing:
            self.refresh()
            self._add({name: of for name, of in missing.items() if name not in self._owner})
            self.refresh()

    def restore(self, columns: Mapping[str, tuple[SchemaKey, bool]]) -> None:
        """Make the columns that the tables of a backup had, however many there may be by now."""
        self._add(columns)
        self.refresh()

    def _note(
        self, wanted: Iterable[tuple[SchemaKey, bool]], app_id: str | None, missing: dict[str, tuple[SchemaKey, bool]]
    ) -> None:
        """The schemas of one event that have no column as far as is known; those that get one join ``missing``."""
        given = 0
        for key, event in wanted:
            if self.column(key, event=event):
                continue
            name = schema_column(key, event=event)
            if name in self._owner:
                self._warn(name, "schema_without_column", schema=key.uri, column=name, owner=self._owner[name])
            elif name not in missing:
                taken = len(self._owner) + len(missing)
                if self._grants.earned(name, app_id, taken=taken, of_event=given):
                    given += 1
                    missing[name] = (key, event)
                else:
                    self._refused(key, taken)

    def _refused(self, key: SchemaKey, taken: int) -> None:
        if taken < self._limit:
            self._warn("scarce", "schema_columns_scarce", taken=taken, limit=self._limit, schema=key.uri,
                       effect="it gets a column once it is used more; its data is in the raw columns")  # fmt: skip
            return
        self._warn("", "schema_columns_full", setting="max_schema_columns", limit=self._limit, schema=key.uri)
        if time.monotonic() - self._looked_for_unused >= _DAY:
            self._looked_for_unused = time.monotonic()
            unused = [use.column for use in self.uses(_UNUSED_DAYS) if not use.events]
            if self._limit and unused:
                log.warning("schema_columns_given_back", columns=unused, unused_for_days=_UNUSED_DAYS)
                self.give_back(unused)

    def uses(self, days: int) -> list[ColumnUse]:
        """Every column with what was stored for it within so many days, the least used first."""
        self.refresh()
        found: dict[str, list[int]] = {}
        for table in EVENT_TABLES:
            where = f"FROM {self._layout.name(table)} WHERE load_tstamp >= now() - INTERVAL {days} DAY"
            own = "concat('iglu:', event_vendor, '/', event_name, '/', event_format, '/', event_version)"
            for event, sql in (
                (False, f"SELECT arrayJoin(`{ENTITY_SCHEMAS.name}`) AS s, count(), uniq(app_id) {where} GROUP BY s"),
                (True, f"SELECT {own} AS s, count(), uniq(app_id) {where} AND event = 'unstruct' GROUP BY s"),
            ):
                for uri, events, applications in self._connection.rows(sql):
                    with suppress(SelfDescribingError):
                        use = found.setdefault(schema_column(SchemaKey.parse(str(uri)), event=event), [0, 0])
                        use[0] += events
                        use[1] = max(use[1], applications)
        uses = [ColumnUse(name, schema, *found.get(name, [0, 0])) for name, schema in self._owner.items()]
        return sorted(uses, key=lambda use: (use.events, use.column))

    def give_back(self, names: Sequence[str]) -> None:
        """Drop columns of schemas. Their data stays in the raw columns, and a schema that is used again earns another.

        A worker that still writes to one finds it gone, and looks again.
        """
        self.refresh()
        wrong = sorted(set(names) - self._owner.keys())
        if wrong:
            raise StoreError(f"{', '.join(wrong)}: no such column of a schema; `snowgauge db columns` lists them")
        for table in reversed(EVENT_TABLES):
            for statement in self._layout.drop_columns(table, names):
                self._connection.command(statement)
        self.refresh()

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

"""Iceberg tables of events: each batch is one snapshot of a table, once.

The batch's id is a property of the snapshot that it made, so that a batch that comes again is found there: after a
crash, and after a commit of which the catalog's answer was lost. Columns of schemas that a table does not have yet are
added before. Other workers commit to the same tables; what lost against them is tried again on the tables as they are
then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as arrow
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform

from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.sinks.files import tables
from snowgauge.delivery.sinks.iceberg.settings import IcebergSettings
from snowgauge.delivery.sinks.rows import refused, rows_of
from snowgauge.errors import SettingsError, SinkUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.store.base import EventKind, StoreBatch
from snowgauge.store.canonical import refusal
from snowgauge.store.lifetime import Row

BATCH = "snowgauge.batch"
"""The property of a snapshot that names its batch."""

_TABLES: dict[EventKind, tuple[str, str]] = {
    "good": ("events", "collector_tstamp"),
    "incomplete": ("incomplete_events", "collector_tstamp"),
    "failed": ("failed_events", "failed_at"),
}
"""Each kind's table, and the instant whose day is its partition."""

_COMMITS = 10
"""Tries of a commit that others' commits overtake."""


def opened(settings: IcebergSettings) -> IcebergTables:
    properties = {name: value.get_secret_value() for name, value in settings.properties.items()}
    properties |= {"type": settings.catalog, "uri": settings.uri.get_secret_value()}
    if settings.warehouse:
        properties["warehouse"] = settings.warehouse
    return IcebergTables(settings.name, properties, settings.namespace, settings.kinds)


class IcebergTables:
    """Connects when the first batch comes: a catalog may be unreachable at the start."""

    def __init__(self, name: str, properties: dict[str, str], namespace: str, kinds: Iterable[EventKind]) -> None:
        self._name = name
        self._properties = properties
        self._namespace = namespace
        self._kinds = tuple(kinds)
        self._catalog: Catalog | None = None

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        """Refuses what no typed column can hold, which the store has filed as a failed event."""
        refusals: list[Refusal] = []
        for kind in self._kinds:
            rows: list[Row] = []
            for row in rows_of(batch, kind):
                reason = refusal(row) if isinstance(row, EnrichedEvent) else None
                if reason is None:
                    rows.append(row)
                else:
                    refusals.append(refused([row], kind, reason))
            if rows:
                self._append(kind, batch.id, _table(rows))
        return refusals

    def close(self) -> None:
        self._catalog = None

    def _append(self, kind: EventKind, batch: str, rows: Any) -> None:
        try:
            for _ in range(_COMMITS):
                table = self._opened(kind, rows.schema)
                if _has(table, batch):
                    return
                try:
                    if set(rows.schema.names) - {field.name for field in table.schema().fields}:
                        with table.update_schema() as update:
                            update.union_by_name(rows.schema)
                    table.append(rows, snapshot_properties={BATCH: batch})
                except CommitFailedException:  # another worker's commit came first
                    continue
                return
        except SettingsError:
            raise
        except Exception as error:  # each catalog and each storage has exceptions of its own
            self._catalog = None
            raise SinkUnavailable(f"the Iceberg catalog: {type(error).__name__}: {error}") from error
        raise SinkUnavailable(f"{_COMMITS} commits to {self._namespace}.{_TABLES[kind][0]} were overtaken by others")

    def _opened(self, kind: EventKind, schema: Any) -> Table:
        """The table as it is now, made where it is missing."""
        if self._catalog is None:
            self._catalog = load_catalog(self._name, **self._properties)
            self._catalog.create_namespace_if_not_exists(self._namespace)
        name, instant = _TABLES[kind]
        identifier = (self._namespace, name)
        if not self._catalog.table_exists(identifier):
            self._catalog.create_table_if_not_exists(identifier, schema)
        table = self._catalog.load_table(identifier)
        if not table.spec().fields:
            with table.update_spec() as update:
                update.add_field(instant, DayTransform(), "day")
        return table


def _table(rows: Sequence[Row]) -> Any:
    """As the lake's files have them, with instants in microseconds: Iceberg has no others."""
    events = [row for row in rows if isinstance(row, EnrichedEvent)]
    failures = [row for row in rows if isinstance(row, FailedEvent)]
    table = tables.events_table(events) if events else tables.failed_table(failures)
    instant = arrow.timestamp("us", tz="UTC")
    return table.cast(
        arrow.schema([(one.name, instant if arrow.types.is_timestamp(one.type) else one.type) for one in table.schema])
    )


def _has(table: Table, batch: str) -> bool:
    """Was this batch committed? The latest snapshots come first, since it is one of them if any."""
    return any(
        snapshot.summary is not None and snapshot.summary.additional_properties.get(BATCH) == batch
        for snapshot in reversed(table.snapshots())
    )

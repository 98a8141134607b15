"""The store on ClickHouse: server, cluster or embedded engine alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import FailedUpdate, Migration, StoreBatch, WriteResult
from snowgauge.store.clickhouse.connection import Connection, Refused
from snowgauge.store.clickhouse.derived.store import ClickHouseModelStore
from snowgauge.store.clickhouse.layout import Features, Layout, TableName, features
from snowgauge.store.clickhouse.lifetime import ClickHouseLifetime
from snowgauge.store.clickhouse.marking import mark_failed
from snowgauge.store.clickhouse.migrations import UNKNOWN_TABLE, listed, migrate
from snowgauge.store.clickhouse.reader import ClickHouseReader
from snowgauge.store.clickhouse.schemas import ColumnUse, SchemaColumns
from snowgauge.store.clickhouse.simple_snowplow.views import Views
from snowgauge.store.clickhouse.writer import Writer
from snowgauge.store.settings import ClickHouseConnectionSettings, ClickHouseSettings, SimpleSnowplowSchemas

if TYPE_CHECKING:
    from snowgauge.store.clickhouse.figures import ClickHouseFigures


class ClickHouseStore(ClickHouseReader):
    """Opens its connection at the first use. ``pool``: connections that are kept, and how many more there may be.
    ``force_features`` stands in for what the server's version says. ``advice``: what to do where nobody answers."""

    def __init__(
        self,
        settings: ClickHouseSettings,
        connection: ClickHouseConnectionSettings | None = None,
        *,
        pool: tuple[int, int] = (5, 10),
        schemas: SimpleSnowplowSchemas | None = None,
        force_features: Features | None = None,
        advice: str = "",
    ) -> None:
        self.settings = settings
        self.connection = Connection(
            connection or settings.connection,
            pool=pool,
            timeout=settings.insert_timeout.total_seconds(),
            advice=advice,
        )
        super().__init__(
            self.connection, Layout(settings.configuration), timeout=settings.query_timeout.total_seconds()
        )
        self._figures: ClickHouseFigures | None = None
        self._schemas = schemas or SimpleSnowplowSchemas()
        self._features = force_features
        self._writer: Writer | None = None

    @property
    def features(self) -> Features:
        """What the server can do; asks it the first time."""
        if self._features is None:
            self._features = features(self.connection.version)
        return self._features

    def migrate(self) -> list[Migration]:
        return migrate(self.connection, self.layout, Views(self._schemas, self.features))

    def migrations(self) -> list[Migration]:
        return listed(self.connection, self.layout)

    def status(self) -> dict[str, Any]:
        """Server, version and features, for ``db status``."""
        json = {"stable": "JSON columns", "experimental": "JSON columns (experimental on this server)"}
        return {
            "url": self.connection.url,
            "version": self.features.version,
            "schema_columns": json.get(self.features.json, "String columns: this server has no JSON type (24.8 has)"),
            "cluster": self.layout.cluster or None,
        }

    def vacuum(self) -> list[str]:
        """Rewrite the parts that hold rows deleted and not yet gone."""
        tables: list[TableName] = ["events", "failed_events", "incomplete_events"]
        for table in tables:
            name = self.layout.stored(table)
            self.connection.command(f"ALTER TABLE {name}{self.layout.on_cluster()} APPLY DELETED MASK")
        return list(tables)

    def column_uses(self, days: int) -> list[ColumnUse]:
        """The columns of schemas and their use within so many days, the least used first."""
        return SchemaColumns(self.connection, self.layout, self.features).uses(days)

    def give_back_columns(self, names: Sequence[str]) -> None:
        """Drop columns of schemas; the raw columns keep their data. Raises ``StoreError`` for other columns."""
        SchemaColumns(self.connection, self.layout, self.features).give_back(names)

    def write(self, batch: StoreBatch) -> WriteResult:
        try:
            return self._ready_writer().write(batch)
        except Refused as raised:
            if raised.code in UNKNOWN_TABLE:
                raise StoreUnavailable(
                    f"the tables are missing at {self.connection.url}: run 'snowgauge db init' ({raised})"
                ) from raised
            # rows were dealt with already: this is a statement of our own, and the batch must not be lost for it
            raise StoreUnavailable(f"ClickHouse at {self.connection.url} refused a statement: {raised}") from raised

    def mark_failed(self, updates: Sequence[FailedUpdate]) -> int:
        return mark_failed(self.connection, self.layout, updates)

    def _ready_writer(self) -> Writer:
        if self._writer is None:
            schemas = SchemaColumns(self.connection, self.layout, self.features)
            schemas.refresh()
            self._writer = Writer(self.connection, self.layout, schemas)
        return self._writer

    def modelling(self) -> ClickHouseModelStore:
        """The modelled tables, for those who make them."""
        return ClickHouseModelStore(self.connection, self.layout)

    def figures(self) -> ClickHouseFigures:
        """What answers statements over the modelled tables."""
        if self._figures is None:
            # loads SQLAlchemy, which processes that only write do without
            from snowgauge.store.clickhouse.figures import ClickHouseFigures

            timeout = self.settings.query_timeout.total_seconds()
            self._figures = ClickHouseFigures(self.connection, self.layout, timeout=timeout)
        return self._figures

    def lifetime(self) -> ClickHouseLifetime:
        """How events leave this store."""
        return ClickHouseLifetime(self.connection, self.layout)

    def ready(self) -> bool:
        return self.connection.alive()

    def close(self) -> None:
        self.connection.close()

"""The tables, as DDL text: pure functions of settings and of what the server can do.

On one server a table is itself. On a cluster each is a replicated ``<name>_local`` with a Distributed table of the
plain name before it; statements run ``ON CLUSTER``. Inserts and reads use the plain name in both cases.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS, LOAD_TSTAMP, TIME, Column
from snowgauge.store.settings import ClickHouseConfigurationSettings, TableSettings

TableName = Literal["events", "failed_events", "incomplete_events"]
EVENT_TABLES: tuple[TableName, ...] = ("events", "incomplete_events")

_EVENT_KEY = "app_id, event_name, toDate(collector_tstamp), domain_sessionid"
_EVENT_INDEXES = (
    "INDEX event_id_index `event_id` TYPE bloom_filter(0.001) GRANULARITY 1",
    "INDEX user_id_index `user_id` TYPE bloom_filter(0.01) GRANULARITY 2",
    "INDEX domain_userid_index `domain_userid` TYPE bloom_filter(0.01) GRANULARITY 2",
    "INDEX network_userid_index `network_userid` TYPE bloom_filter(0.01) GRANULARITY 2",
    "INDEX collector_tstamp_index `collector_tstamp` TYPE minmax GRANULARITY 1",
    "INDEX derived_tstamp_index `derived_tstamp` TYPE minmax GRANULARITY 1",
    "INDEX load_tstamp_index `load_tstamp` TYPE minmax GRANULARITY 1",
)
RECOVERY_COLUMNS = (
    Column("seed", "String", "CODEC(ZSTD(1))"),
    Column("cause", "LowCardinality(String)"),
    Column("attempts", "UInt32"),
    Column("attempted_at", f"Nullable({TIME})"),
    Column("attempt_message", "String", "CODEC(ZSTD(1))"),
    Column("recovered_at", f"Nullable({TIME})"),
    Column("recovery_run", "LowCardinality(String)"),
    Column("recovered_into", "String", "CODEC(ZSTD(1))"),
)
"""What recovery needs and leaves; added to tables of an earlier layout by a step of its own."""

_ENTITIES = ", ".join(
    f"JSONExtract(`{name}`, 'data', 'Array(Tuple(schema String))')" for name in ("contexts", "derived_contexts")
)
ENTITY_SCHEMAS = Column(
    "entity_schemas",
    "Array(LowCardinality(String))",
    f"MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat({_ENTITIES}))) "
    "COMMENT 'schemas of the entities, those of enrichments too, each once'",
)
"""Which entities an event has, so that their text need not be taken apart for it."""

FAILED_COLUMNS = (
    Column("id", "UUID", "CODEC(ZSTD(1))"),
    Column("failure_type", "LowCardinality(String)"),
    Column("failed_at", TIME, "CODEC(Delta, ZSTD(1))"),
    Column("tstamp", TIME, "CODEC(Delta, ZSTD(1)) COMMENT 'when it was collected, else when it failed'"),
    Column("app_id", "LowCardinality(String)"),
    Column("platform", "LowCardinality(String)"),
    Column("event_id", "Nullable(UUID)", "CODEC(ZSTD(1))"),
    Column("event_name", "LowCardinality(String)"),
    Column("tracker", "LowCardinality(String)"),
    Column("collector_tstamp", f"Nullable({TIME})", "CODEC(ZSTD(1))"),
    Column("schema", "LowCardinality(String)"),
    Column("message", "String", "CODEC(ZSTD(1))"),
    Column("record", "String", "CODEC(ZSTD(3)) COMMENT 'the Thrift record of the request in base64'"),
    Column("event_index", "Nullable(Int32)"),
    Column("bad_row", "String", "CODEC(ZSTD(3))"),
    Column("status", "LowCardinality(String)", "DEFAULT 'open'"),
    Column("version", "UInt64", "DEFAULT 0 COMMENT 'of rows with one id the highest version counts'"),
    LOAD_TSTAMP,
    *RECOVERY_COLUMNS,
)
_FAILED_INDEXES = (
    "INDEX id_index `id` TYPE bloom_filter(0.001) GRANULARITY 1",
    "INDEX event_id_index `event_id` TYPE bloom_filter(0.01) GRANULARITY 1",
    "INDEX tstamp_index `tstamp` TYPE minmax GRANULARITY 1",
)
_BATCH_COLUMNS = (
    Column("batch_id", "String", "CODEC(ZSTD(1))"),
    Column("events", "UInt64"),
    Column("failed", "UInt64"),
    Column("incomplete", "UInt64"),
    Column("refused", "UInt64"),
    Column("stored_at", TIME, "DEFAULT now64(3, 'UTC')"),
)
_STATE_COLUMNS = (
    Column("book", "LowCardinality(String)"),
    Column("number", "UInt64"),
    Column("body", "String", "CODEC(NONE) COMMENT 'encrypted, in base64'"),
    Column("writer", "String"),
    Column("stored_at", "DateTime64(6, 'UTC')", "DEFAULT now64(6, 'UTC')"),
)
_MIGRATION_COLUMNS = (
    Column("version", "UInt32"),
    Column("name", "String"),
    Column("applied_at", TIME, "DEFAULT now64(3, 'UTC')"),
)


class Features(NamedTuple):
    """What the server can do. ``json``: the JSON type ('' : none, schemas get String columns with JSON text).
    ``takes_paths``: JSON can be sent taken apart."""

    version: str
    json: Literal["", "experimental", "stable"]
    takes_paths: bool = False

    @property
    def event_type(self) -> str:
        return "JSON" if self.json else "String"

    @property
    def contexts_type(self) -> str:
        return "Array(JSON)" if self.json else "Array(String)"


def features(version: str) -> Features:
    """The JSON type came with 24.8 (behind a setting) and is ready for use from 25.3; its flattened form came
    with 25.6, and 25.8 is the first version with long-term support that has it."""
    found = re.match(r"(\d+)\.(\d+)", version)
    number = (int(found[1]), int(found[2])) if found else (0, 0)
    json: Literal["", "experimental", "stable"] = (
        "stable" if number >= (25, 3) else "experimental" if number >= (24, 8) else ""
    )
    return Features(version, json, number >= (25, 8))


class Layout:
    """Names and DDL of one deployment's tables."""

    def __init__(self, settings: ClickHouseConfigurationSettings) -> None:
        self.settings = settings
        self.database = settings.database
        self.cluster = settings.cluster_name

    def name(self, table: TableName) -> str:
        """The table to read and write, quoted, with its database."""
        return self._full(self.plain(table))

    def stored(self, table: TableName) -> str:
        """The table that holds the rows: the local one of a cluster."""
        return self._full(self.plain(table) + ("_local" if self.cluster else ""))

    @property
    def batches(self) -> str:
        return self._full("snowgauge_batches")

    @property
    def migrations(self) -> str:
        return self._full("snowgauge_migrations")

    @property
    def state(self) -> str:
        return self._full("snowgauge_state")

    def on_cluster(self) -> str:
        return f" ON CLUSTER {quote(self.cluster)}" if self.cluster else ""

    def create_database(self) -> list[str]:
        return [f"CREATE DATABASE IF NOT EXISTS {quote(self.database)}{self.on_cluster()}"]

    def create_table(self, table: TableName) -> list[str]:
        if table == "failed_events":
            return self._create(
                table, FAILED_COLUMNS, _FAILED_INDEXES,
                engine="ReplacingMergeTree(version)", partition="toYYYYMM(tstamp)",
                order="failure_type, toDate(tstamp), id", shard="cityHash64(id)",
            )  # fmt: skip
        return self._create(
            table, (*ATOMIC_COLUMNS, LOAD_TSTAMP, ENTITY_SCHEMAS), _EVENT_INDEXES,
            engine="ReplacingMergeTree(load_tstamp)", partition="toYYYYMM(collector_tstamp)",
            order=f"{_EVENT_KEY}, event_id", primary=_EVENT_KEY, shard="cityHash64(event_id)",
        )  # fmt: skip

    def create_ledgers(self) -> list[str]:
        """The migrations applied, and the batches stored. Small and whole on every server of a cluster."""
        return [
            self._whole(self.migrations, _MIGRATION_COLUMNS, "ReplacingMergeTree(applied_at)", "version"),
            self._whole(self.batches, _BATCH_COLUMNS, "ReplacingMergeTree(stored_at)", "batch_id"),
        ]

    def create_state(self) -> list[str]:
        """What all machines share (``state_log``)."""
        return [self._whole(self.state, _STATE_COLUMNS, "MergeTree()", "(book, number)")]

    def _whole(self, name: str, columns: tuple[Column, ...], engine: str, key: str) -> str:
        """A table that is small, and whole on every server of a cluster."""
        window = self.settings.deduplication_window
        kept = _replicated_window(window) if self.cluster else f"non_replicated_deduplication_window = {window}"
        return (
            f"CREATE TABLE IF NOT EXISTS {name}{self.on_cluster()}\n(\n    {_columns(columns)}\n)\n"
            f"ENGINE = {self.engine(engine, shared=True)}\nORDER BY {key}\nSETTINGS {kept}"
        )

    def add_columns(self, table: TableName, columns: Sequence[tuple[Column, str]]) -> list[str]:
        """More columns, each with its comment."""
        added = ", ".join(
            f"ADD COLUMN IF NOT EXISTS {column.ddl} COMMENT {text(comment)}" for column, comment in columns
        )
        return self._alter(table, added)

    def drop_columns(self, table: TableName, names: Sequence[str]) -> list[str]:
        """Without columns that were added. Distributed first, so that it never names what is not there."""
        return list(reversed(self._alter(table, ", ".join(f"DROP COLUMN IF EXISTS `{name}`" for name in names))))

    def add_recovery(self) -> list[str]:
        """Columns of failed events that tables of an earlier layout do not have."""
        added = ", ".join(f"ADD COLUMN IF NOT EXISTS {column.ddl}" for column in RECOVERY_COLUMNS)
        return self._alter("failed_events", added)

    def add_entity_schemas(self) -> list[str]:
        """The column, and its values for events that are there: in the background, while they can be read."""
        statements = []
        for table in EVENT_TABLES:
            statements += self._alter(table, f"ADD COLUMN IF NOT EXISTS {ENTITY_SCHEMAS.ddl}")
            statements.append(
                f"ALTER TABLE {self.stored(table)}{self.on_cluster()} MATERIALIZE COLUMN `{ENTITY_SCHEMAS.name}` "
                "SETTINGS mutations_sync = 0"
            )
        return statements

    def _alter(self, table: TableName, change: str) -> list[str]:
        """Local table first, so that Distributed never names what is not there."""
        tables = [self.stored(table)] + ([self.name(table)] if self.cluster else [])
        return [f"ALTER TABLE {name}{self.on_cluster()} {change}" for name in tables]

    def _create(
        self,
        table: TableName,
        columns: tuple[Column, ...],
        indexes: tuple[str, ...],
        *,
        engine: str,
        partition: str,
        order: str,
        shard: str,
        primary: str = "",
    ) -> list[str]:
        chosen: TableSettings = getattr(self.settings.tables, table)
        window = self.settings.deduplication_window
        settings = [
            f"non_replicated_deduplication_window = {window}" if not self.cluster else _replicated_window(window),
            "ttl_only_drop_parts = 1",
            # A wide part has a file and a flush for each of several hundred columns; as one file an insert costs half
            # as much (benchmarks/store_load.py). Merges make wide parts of them, above this size uncompressed.
            "min_bytes_for_wide_part = 536870912",
        ]
        if chosen.settings:
            settings.append(chosen.settings)
        parts = [
            f"CREATE TABLE IF NOT EXISTS {self.stored(table)}{self.on_cluster()}\n(",
            "    " + _columns((*columns, *indexes)),
            f")\nENGINE = {chosen.engine or self.engine(engine)}",
            f"PARTITION BY {chosen.partition_by or partition}",
        ]
        if primary and not chosen.order_by:
            parts.append(f"PRIMARY KEY ({primary})")
        parts.append(f"ORDER BY ({chosen.order_by or order})")
        if chosen.sample_by:
            parts.append(f"SAMPLE BY {chosen.sample_by}")
        if chosen.ttl:
            parts.append(f"TTL {chosen.ttl}")
        parts.append(f"SETTINGS {', '.join(settings)}")
        statements = ["\n".join(parts)]
        if self.cluster:
            statements.append(
                f"CREATE TABLE IF NOT EXISTS {self.name(table)}{self.on_cluster()} AS {self.stored(table)}\n"
                f"ENGINE = Distributed({text(self.cluster)}, {text(self.database)}, "
                f"{text(self.plain(table) + '_local')}, {shard})"
            )
        return statements

    def engine(self, engine: str, *, shared: bool = False) -> str:
        """The engine of a table, replicated on a cluster. ``shared``: whole on every server."""
        if not self.cluster:
            return engine
        path = self.settings.replicated_path.replace("{shard}", "all") if shared else self.settings.replicated_path
        name, _, rest = engine.partition("(")
        replica = self.settings.replica_name if not shared else "{shard}-" + self.settings.replica_name
        more = "" if rest == ")" else ", "
        return f"Replicated{name}({text(path)}, {text(replica)}{more}{rest}"

    def plain(self, table: TableName) -> str:
        """The table's name alone."""
        chosen: TableSettings = getattr(self.settings.tables, table)
        return chosen.name or table

    def _full(self, table: str) -> str:
        return f"{quote(self.database)}.{quote(table)}"


def _replicated_window(window: int) -> str:
    return f"replicated_deduplication_window = {window}, replicated_deduplication_window_seconds = 604800"


def _columns(columns: tuple[Column | str, ...]) -> str:
    return ",\n    ".join(c if isinstance(c, str) else c.ddl for c in columns)


def quote(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

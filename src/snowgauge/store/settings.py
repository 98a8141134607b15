"""Settings of the store: where events are kept, the ClickHouse layout, and the embedded engine.

The ``clickhouse`` tree has the shape and the names of Simple Snowplow's, so that its ``SNOWPLOW_CLICKHOUSE__...``
variables keep working; every leaf merges on its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from snowgauge.part_settings import ByteSize, Duration, PartSettings, Secret
from snowgauge.telemetry.logs import logger

_log = logger("store")


def _schema_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+/[A-Za-z0-9_\-]+", value):
        raise ValueError(f"expected vendor/name of a schema, such as 'com.acme/user_data', found {value!r}")
    return value


SchemaName = Annotated[str, AfterValidator(_schema_name)]
"""``vendor/name`` of a schema, of any version."""


class SimpleSnowplowSchemas(PartSettings):
    """Schemas that fill columns of the Simple Snowplow views. Any version counts. Events are checked against them as
    against all schemas: those named by default come with Snowgauge and allow any object, others must be in a
    registry."""

    user_data: SchemaName = "dev.snowplow.simple/user_data"
    """Entity that fills the column ``user_data``."""

    page_data: SchemaName = "dev.snowplow.simple/page_data"
    """Entity that fills the column ``page_data``."""

    screen_data: SchemaName = "dev.snowplow.simple/screen_data"
    """Entity that is merged into the column ``screen``; its ``screen_name`` goes to ``page``."""

    ad_data: SchemaName = "dev.snowplow.simple/ad_data"
    """Entity that is found in ``event.unstructured.ad_data``."""

    u2s_data: SchemaName = "dev.snowplow.simple/u2s_data"
    """Self-describing event that the views show as a structured one: ``action``, ``category``, ``label``,
    ``property``, ``value``, with or without ``se_`` before them."""


class ClickHouseConnectionSettings(PartSettings):
    """Which ClickHouse server. An empty host means none: the embedded engine is used."""

    interface: Literal["http", "https"] = "http"
    """``http`` or ``https``."""

    host: str = ""
    """Host of the ClickHouse server. Empty: Snowgauge runs its embedded engine."""

    port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the HTTP interface. Empty: 8123 for http, 8443 for https."""

    username: str = "default"
    """User name."""

    password: Secret = Secret("")
    """Password."""

    database: str = "default"
    """Database of the session; tables are made in ``clickhouse.configuration.database``."""

    connect_timeout: Duration = Field(default="10 s", validate_default=True)
    """How long to wait for a connection."""

    verify: bool = True
    """Check the server's certificate (https)."""

    ca_cert: str = ""
    """File with the certificate authority to trust instead of the system's (https)."""


class TableSettings(PartSettings):
    """How one table is made. Each leaf may be given alone; empty leaves keep the recommended layout."""

    name: str = ""
    """Name of the table."""

    engine: str = ""
    """Engine with its parameters, such as ``ReplacingMergeTree(load_tstamp)``."""

    partition_by: str = ""
    """Partition expression."""

    order_by: str = ""
    """Sorting key, without parentheses. The recommended one collapses resent events; a different one must end in
    ``event_id`` to do the same."""

    sample_by: str = ""
    """Sampling expression; must be part of the sorting key."""

    settings: str = ""
    """Further table settings, ``name = value`` separated by commas."""

    ttl: str = ""
    """TTL expression, such as ``toDateTime(collector_tstamp) + INTERVAL 13 MONTH``."""


class DistributedTableSettings(PartSettings):
    """The second view of Simple Snowplow's."""

    name: str = ""
    """Name of the view. Empty: ``distributed``."""

    sample_by: str = ""
    """The sharding key of Simple Snowplow's own table. Accepted, with a line in the log: events go to the shard of
    ``cityHash64(event_id)``, so that a resent one meets the first."""


class SimpleSnowplowTablesSettings(PartSettings):
    """Views with Simple Snowplow's columns over the events."""

    enabled: bool = True
    """Make the views."""

    local: TableSettings = TableSettings()
    """``name`` is the view's name (``local``; with a dot: ``database.view``). The other leaves described a table in
    Simple Snowplow. A view has nothing of that: they are accepted, with a line in the log. Set them below
    ``tables.events`` for the table itself."""

    distributed: DistributedTableSettings = DistributedTableSettings()
    """``name`` is the second view's name (``distributed``)."""

    @model_validator(mode="after")
    def _say_what_a_view_has_not(self) -> SimpleSnowplowTablesSettings:
        for leaf in ("engine", "partition_by", "order_by", "sample_by", "settings", "ttl"):
            if getattr(self.local, leaf):
                _log.info(
                    "reference_setting_ignored", key=f"tables.snowplow.local.{leaf}", instead=f"tables.events.{leaf}"
                )
        if self.distributed.sample_by:
            _log.info("reference_setting_ignored", key="tables.snowplow.distributed.sample_by", instead="by event_id")
        return self


class TablesSettings(PartSettings):
    """The tables of ``atomic``, and the views of Simple Snowplow."""

    events: TableSettings = TableSettings()
    """Good events."""

    failed_events: TableSettings = TableSettings()
    """Failed events (bad rows)."""

    incomplete_events: TableSettings = TableSettings()
    """What could be made of failed events, laid out like ``events``."""

    snowplow: SimpleSnowplowTablesSettings = SimpleSnowplowTablesSettings()
    """The views that answer Simple Snowplow's queries."""


class ClickHouseConfigurationSettings(PartSettings):
    """Where and how tables are made."""

    database: str = "atomic"
    """Database of the events."""

    views_database: str = ""
    """Database of the Simple Snowplow views. Empty: ``snowplow``, or ``database`` where that is another than
    ``atomic``, since Simple Snowplow had its tables there."""

    derived_database: str = "derived"
    """Database of the modelled tables."""

    cluster_name: str = ""
    """Name of the cluster. Set: every table is made ``ON CLUSTER``, replicated, with a Distributed table before it."""

    replicated_path: str = "/clickhouse/tables/{shard}/{database}/{table}"
    """Keeper path of replicated tables."""

    replica_name: str = "{replica}"
    """Replica name of replicated tables."""

    max_schema_columns: int = Field(default=300, ge=0)
    """How many schemas get a column of their own: half of them at first sight, the rest by use. The data of all schemas
    is in ``contexts``, ``derived_contexts`` and ``unstruct_event``. `snowgauge db columns` shows the columns."""

    deduplication_window: int = Field(default=10_000, ge=100)
    """How many recent inserts a table remembers, to store a repeated batch once."""

    tables: TablesSettings = TablesSettings()
    """Layout of each table."""


MAINTENANCE_USER = "maintenance"
"""The user of backup and restore at the embedded engine."""


class EngineSettings(PartSettings):
    """The embedded ClickHouse engine (``snowgauge clickhouse``)."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8123, ge=0, le=65535)
    """Port of the HTTP interface."""

    path: Path | None = None
    """Folder of the data. Empty: ``clickhouse`` below ``common.data_dir``."""

    username: str = "default"
    """User that may come in."""

    password: Secret = Secret("")
    """Password of that user. Empty: one is made at the first start and kept in `clickhouse.password` of the data
    folder, where the deployment's own parts read it; `snowgauge clickhouse connect` prints it."""

    maintenance_password: Secret = Secret("")
    """Password of the user `maintenance`, who may also copy parts of tables as files, as backup and restore do. Empty:
    one is made, and kept in `clickhouse.maintenance` of the data folder."""

    memory_limit: ByteSize = 600_000_000
    """Most memory that the engine's queries, inserts and caches use together, beyond the 250 MB of the program."""

    query_memory_limit: ByteSize = 400_000_000
    """Most memory of one query; sorting and grouping go to disk at half of it."""

    threads: int = Field(default=2, ge=1)
    """Threads of one query."""

    max_queries: int = Field(default=32, ge=1)
    """Queries that run at the same time; more wait."""

    sync: bool = True
    """Write inserts through to the disk (fsync) before they are acknowledged."""

    min_free_bytes: ByteSize = 64_000_000
    """Room that stays free on its disk. Below it nothing is inserted, changed or merged, and the engine does not start,
    until there is room: what is written to a full disk is lost."""

    request_limit: ByteSize = 1_073_741_824
    """Largest request body, uncompressed."""


class ClickHouseSettings(PartSettings):
    """ClickHouse: server or embedded engine."""

    @model_validator(mode="before")
    @classmethod
    def _drop_what_the_reference_never_read(cls, data: Any) -> Any:
        """Simple Snowplow has a dictionary ``clickhouse.tables`` beside ``clickhouse.configuration.tables``."""
        if isinstance(data, dict) and "tables" in data:
            _log.info("reference_setting_ignored", key="clickhouse.tables", instead="clickhouse.configuration.tables")
            return {key: value for key, value in data.items() if key != "tables"}
        return data

    connection: ClickHouseConnectionSettings = ClickHouseConnectionSettings()
    """The server, if there is one."""

    configuration: ClickHouseConfigurationSettings = ClickHouseConfigurationSettings()
    """The layout."""

    engine: EngineSettings = EngineSettings()
    """The embedded engine."""

    insert_timeout: Duration = Field(default="5 min", validate_default=True)
    """How long one insert may take. A server that answers nothing at all for 30 s is given up sooner, whatever it was
    asked, and tried again with a growing pause."""

    query_timeout: Duration = Field(default="60 s", validate_default=True)
    """How long a read may take."""


class StoreSettings(PartSettings):
    """Where events are kept."""

    url: Secret = Secret("")
    """``clickhouse://user:password@host:8123/database`` (``clickhouses://`` or ``https://`` with TLS),
    ``postgresql://user:password@host/database`` or ``memory://``. Empty: the server of ``clickhouse.connection.host``
    if one is given, else the embedded ClickHouse engine."""

    backup_before_upgrade: Literal["ask", "always", "never"] = "ask"
    """Whether a backup is taken before a new version changes the tables. `ask` asks at a terminal; unattended it goes
    on and says so. `always` needs the embedded engine; backups lie in `backups` of the data folder."""

"""The tables that are always there, as DDL.

``events`` has the 128 columns of Snowplow's Postgres loader 0.3.3 in its order, then ``load_tstamp`` (which dbt
packages read), then the three self-describing columns as the text that was received, so that nothing of an event is
lost in flattening. Only ``event_id`` and ``collector_tstamp`` are NOT NULL (the loader: also ``v_collector`` and
``v_etl``).
"""

from __future__ import annotations

from typing import Literal

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.store.postgres.naming import META_COLUMNS, literal, quote
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.types import PgType

TableName = Literal["events", "failed_events", "incomplete_events"]
RAW_COLUMNS = ("contexts", "unstruct_event", "derived_contexts")
_KINDS = {
    "uuid": "UUID", "timestamp": "TIMESTAMP", "int": "INTEGER", "boolean": "BOOLEAN", "decimal": "DOUBLE PRECISION",
    "float": "DOUBLE PRECISION",
}  # fmt: skip
_LOADER_WIDTHS = {
    "user_fingerprint": 50, "ip_organization": 100, "ip_domain": 100, "os_timezone": 50, "se_label": 1000,
    "mkt_clickid": 128, "page_url": 4096, "page_referrer": 4096,
}  # fmt: skip
"""Where the loader's columns are narrower than what enrich lets through."""
_CHARS = ("geo_country", "geo_region", "tr_currency", "ti_currency", "base_currency")
LOAD_TSTAMP = '"load_tstamp" TIMESTAMP'
LOAD_DEFAULT = "DEFAULT (now() AT TIME ZONE 'UTC')"

_WIDEN = """DO $do$ DECLARE name text; BEGIN
FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = {table}::regclass AND atttypid = 'varchar'::regtype LOOP
  BEGIN EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE TEXT', {table}, name);
  EXCEPTION WHEN feature_not_supported THEN RAISE NOTICE 'a view keeps column % narrow', name; END;
END LOOP; END $do$"""
"""Text columns of a table that Snowplow's loader made: no rewrite, only the limit goes."""

ATOMIC_COLUMNS = tuple(field.name for field in ATOMIC_FIELDS if field.kind not in ("event", "entities"))
"""The loader's columns, in its order: those of the TSV without the self-describing ones."""

META_DDL = (
    '"schema_vendor" VARCHAR(128)',
    '"schema_name" VARCHAR(128)',
    '"schema_format" VARCHAR(128)',
    '"schema_version" VARCHAR(128)',
    '"root_id" UUID',
    '"root_tstamp" TIMESTAMP',
)
assert len(META_DDL) == len(META_COLUMNS)
FAILED_LINK = {"failed_id": PgType("uuid"), "failed_tstamp": PgType("timestamp")}
"""The last columns of bad row tables: the id and the time of the row in ``failed_events``."""

RECOVERY_COLUMNS = {
    "seed": "TEXT",
    "cause": "TEXT",
    "attempts": "INTEGER NOT NULL DEFAULT 0",
    "attempted_at": "TIMESTAMP",
    "attempt_message": "TEXT",
    "recovered_at": "TIMESTAMP",
    "recovery_run": "TEXT",
    "recovered_into": "TEXT",
}
"""What recovery needs and leaves; added to tables of an earlier layout by a step of its own."""
FAILED_COLUMNS = {
    "id": "UUID NOT NULL",
    "failure_type": "TEXT NOT NULL",
    "failed_at": "TIMESTAMP NOT NULL",
    "tstamp": "TIMESTAMP NOT NULL",
    "app_id": "TEXT",
    "platform": "TEXT",
    "event_id": "UUID",
    "event_name": "TEXT",
    "tracker": "TEXT",
    "collector_tstamp": "TIMESTAMP",
    "schema": "TEXT",
    "message": "TEXT",
    "record": "TEXT",
    "event_index": "INTEGER",
    "bad_row": "TEXT NOT NULL",
    "status": "TEXT NOT NULL DEFAULT 'open'",
    "version": "BIGINT NOT NULL DEFAULT 0",
    "load_tstamp": f"TIMESTAMP {LOAD_DEFAULT}",
    **RECOVERY_COLUMNS,
}
_NOT_WRITTEN = {"status", "version", "load_tstamp", *RECOVERY_COLUMNS} - {"seed", "cause"}
FAILED_WRITTEN = tuple(name for name in FAILED_COLUMNS if name not in _NOT_WRITTEN)


def atomic_ddl(name: str, *, snowplow_types: bool) -> str:
    """One atomic column."""
    field = next(field for field in ATOMIC_FIELDS if field.name == name)
    kind = _KINDS.get(field.kind)
    if kind is None:
        if not snowplow_types:
            kind = "TEXT"
        elif name in _CHARS:
            kind = f"CHAR({field.max_length})"
        else:
            kind = f"VARCHAR({_LOADER_WIDTHS.get(name, field.max_length)})"
    return f"{quote(name)} {kind}"


class Layout:
    """Names and DDL of one deployment's fixed tables."""

    def __init__(self, settings: PostgresSettings) -> None:
        self.settings = settings
        self.schema = settings.atomic_schema
        self.partitioned = settings.partitioning == "monthly"

    def name(self, table: str) -> str:
        """Quoted, with its schema."""
        return f"{quote(self.schema)}.{quote(table)}"

    @property
    def batches(self) -> str:
        return self.name("snowgauge_batches")

    @property
    def loads(self) -> str:
        """Counts transactions that stored events, see ``duplicates``."""
        return self.name("snowgauge_loads")

    @property
    def migrations(self) -> str:
        return self.name("snowgauge_migrations")

    @property
    def state(self) -> str:
        """What all machines share (``state_log``)."""
        return self.name("snowgauge_state")

    def create_state(self) -> list[str]:
        return [
            f"CREATE TABLE IF NOT EXISTS {self.state} (book TEXT NOT NULL, number BIGINT NOT NULL, "
            "body BYTEA NOT NULL, writer TEXT NOT NULL, "
            f"stored_at TIMESTAMP NOT NULL {LOAD_DEFAULT}, PRIMARY KEY (book, number))"
        ]

    def create_ledgers(self) -> list[str]:
        return [
            f"CREATE TABLE IF NOT EXISTS {self.migrations} "
            "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMP NOT NULL "
            f"{LOAD_DEFAULT})",
            f"CREATE TABLE IF NOT EXISTS {self.batches} "
            "(batch_id TEXT PRIMARY KEY, events BIGINT NOT NULL, failed BIGINT NOT NULL, incomplete BIGINT NOT NULL, "
            f"refused BIGINT NOT NULL, stored_at TIMESTAMP NOT NULL {LOAD_DEFAULT})",
        ]

    def create_events(self) -> list[str]:
        """``events``; of a table that Snowplow's loader made, whatever it lacks."""
        return [*self._event_table("events", required=("event_id", "collector_tstamp")), *self._adopt_events()]

    def create_loads(self) -> list[str]:
        return [f"CREATE SEQUENCE IF NOT EXISTS {self.loads}"]

    def create_incomplete(self) -> list[str]:
        """What could be made of failed events: like ``events``, with nothing asked of it."""
        name = self.name("incomplete_events")
        return [
            *self._event_table("incomplete_events", required=()),
            f'CREATE INDEX ON {name} ("collector_tstamp")',
            f'CREATE INDEX ON {name} ("event_id")',
        ]

    def create_failed(self) -> list[str]:
        name = self.name("failed_events")
        columns = ", ".join(f"{quote(column)} {kind}" for column, kind in FAILED_COLUMNS.items())
        return [
            f"CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY (id))",
            f"CREATE INDEX ON {name} (tstamp)",
            f"CREATE INDEX ON {name} (failure_type, tstamp)",
        ]

    def add_recovery(self) -> list[str]:
        """Columns of failed events that tables of an earlier layout do not have."""
        name = self.name("failed_events")
        added = ", ".join(
            f"ADD COLUMN IF NOT EXISTS {quote(column)} {kind}" for column, kind in RECOVERY_COLUMNS.items()
        )
        return [f"ALTER TABLE {name} {added}", f"CREATE INDEX ON {name} (cause)"]

    def create_person_indexes(self) -> list[str]:
        return [
            f"CREATE INDEX IF NOT EXISTS {quote(f'events_{column}_person')} ON {self.name('events')} "
            f"({quote(column)}) WHERE {quote(column)} IS NOT NULL"
            for column in ("user_id", "domain_userid", "network_userid")
        ]

    def _event_table(self, table: TableName, *, required: tuple[str, ...]) -> list[str]:
        columns = [
            atomic_ddl(name, snowplow_types=self.settings.types == "snowplow")
            + (" NOT NULL" if name in required else "")
            for name in ATOMIC_COLUMNS
        ]
        columns += [f"{LOAD_TSTAMP} {LOAD_DEFAULT}", *(f"{quote(name)} TEXT" for name in RAW_COLUMNS)]
        monthly = ' PARTITION BY RANGE ("collector_tstamp")' if self.partitioned and required else ""
        return [f"CREATE TABLE IF NOT EXISTS {self.name(table)} ({', '.join(columns)}){monthly}"]

    def _adopt_events(self) -> list[str]:
        name = self.name("events")
        added = ", ".join(
            f"ADD COLUMN IF NOT EXISTS {column}" for column in (LOAD_TSTAMP, *(f"{quote(n)} TEXT" for n in RAW_COLUMNS))
        )
        return [
            f"ALTER TABLE {name} {added}",
            f'ALTER TABLE {name} ALTER COLUMN "load_tstamp" SET {LOAD_DEFAULT}',
            f'ALTER TABLE {name} ALTER COLUMN "v_collector" DROP NOT NULL, ALTER COLUMN "v_etl" DROP NOT NULL',
            *([] if self.settings.types == "snowplow" else [_WIDEN.format(table=literal(name))]),
            f'CREATE INDEX ON {name} ("collector_tstamp")',
            f'CREATE UNIQUE INDEX ON {name} ("event_id", "collector_tstamp")',
        ]

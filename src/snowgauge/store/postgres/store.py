"""The store on PostgreSQL, laid out as Snowplow's Postgres loader 0.3.3 lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from snowgauge.errors import StoreUnavailable
from snowgauge.iglu.contract import Resolver
from snowgauge.store.base import FailedUpdate, Migration, QueryResult, SqlDialect, StoreBatch, WriteResult
from snowgauge.store.postgres.connection import UNDEFINED_TABLE, Connections, Refused
from snowgauge.store.postgres.derived.store import PostgresModelStore
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.lifetime import PostgresLifetime
from snowgauge.store.postgres.marking import mark_failed
from snowgauge.store.postgres.migrations import listed, migrate
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.query import Limits, export, prepared, query
from snowgauge.store.postgres.reader import PostgresReader
from snowgauge.store.postgres.reader_role import ReaderRole
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.tables import Tables
from snowgauge.store.postgres.writer import Writer
from snowgauge.telemetry.logs import logger

if TYPE_CHECKING:
    from snowgauge.store.postgres.figures import PostgresFigures

log = logger("store")

DBT_SCHEMAS = (
    ("com.snowplowanalytics.snowplow", "web_page", 1),
    ("com.iab.snowplow", "spiders_and_robots", 1),
    ("com.snowplowanalytics.snowplow", "ua_parser_context", 1),
    ("nl.basjes", "yauaa_context", 1),
    ("com.snowplowanalytics.snowplow", "client_session", 1),
    ("com.snowplowanalytics.snowplow", "browser_context", 1),
    ("com.snowplowanalytics.snowplow", "browser_context", 2),
    ("com.snowplowanalytics.snowplow", "mobile_context", 1),
    ("com.snowplowanalytics.snowplow", "geolocation_context", 1),
    ("com.snowplowanalytics.snowplow", "web_vitals", 1),
    ("com.snowplowanalytics.snowplow", "cmp_visible", 1),
    ("com.snowplowanalytics.snowplow", "consent_preferences", 1),
    ("com.snowplowanalytics.snowplow", "application_error", 1),
    ("com.snowplowanalytics.mobile", "application", 1),
    ("com.snowplowanalytics.mobile", "screen", 1),
    ("com.snowplowanalytics.mobile", "screen_view", 1),
    ("com.snowplowanalytics.mobile", "screen_summary", 1),
    ("com.snowplowanalytics.mobile", "deep_link", 1),
)
"""Whose tables Snowplow's dbt packages read, and fail without."""


class PostgresStore(PostgresReader):
    """``url`` is libpq's. Connects at the first use; the layout of tables comes from the schemas of ``resolver``."""

    dialect: SqlDialect = "postgres"

    def __init__(self, url: str, settings: PostgresSettings, resolver: Resolver) -> None:
        self.connections = Connections(
            url, size=settings.pool_size, connect_timeout=settings.connect_timeout.total_seconds()
        )
        super().__init__(self.connections, Layout(settings), timeout=settings.query_timeout.total_seconds())
        self._resolver = resolver
        self._figures: PostgresFigures | None = None
        self._tables = Tables(self.connections, self._layout, resolver)
        self._writer = Writer(self.connections, self._layout, self._tables)
        self._role = ReaderRole(
            self.connections,
            (settings.atomic_schema, settings.derived_schema),
            settings.reader_url.get_secret_value(),
            connect_timeout=settings.connect_timeout.total_seconds(),
        )

    def migrate(self) -> list[Migration]:
        applied = migrate(self.connections, self._layout)
        settings = self._layout.settings
        if settings.person_indexes:
            with self.connections.use() as connection:
                for statement in self._layout.create_person_indexes():
                    connection.execute(statement)
        if settings.dbt_tables:
            self._make_dbt_tables()
        self._role.prepare()
        return applied

    def migrations(self) -> list[Migration]:
        return listed(self.connections, self._layout)

    def write(self, batch: StoreBatch) -> WriteResult:
        try:
            return self._writer.write(batch)
        except Refused as raised:
            if raised.code in UNDEFINED_TABLE:
                raise StoreUnavailable(
                    f"tables are missing at {self.connections.place}: run 'snowgauge db init' ({raised})"
                ) from raised
            # rows were dealt with already: this is a statement of our own, and the batch must not be lost for it
            raise StoreUnavailable(f"PostgreSQL at {self.connections.place} refused a statement: {raised}") from raised

    def mark_failed(self, updates: Sequence[FailedUpdate]) -> int:
        return mark_failed(self.connections, self._layout, updates)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        max_rows: int | None = None,
        timeout: float | None = None,
        read_only: bool = True,
    ) -> QueryResult:
        limits = Limits(max_rows, timeout or self._timeout, read_only=read_only)
        return query(self._reading() if read_only else self.connections, sql, parameters, limits)

    def export_raw(self, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        return export(self._reading(), sql, fmt, parameters)

    def prepared(self, sql: str) -> str:
        return prepared(sql)

    def _reading(self) -> Connections:
        """Connections of the role for people's SQL; a database from before that role gets it now."""
        try:
            with self._role.connections.use():
                pass
        except (StoreUnavailable, Refused):
            with self.connections.use():
                pass  # the server itself is there, or this says why it is not
            self._role.prepare()
            try:
                with self._role.retried().use():
                    pass
            except (StoreUnavailable, Refused) as raised:
                raise self._role.refusal(raised) from raised
        return self._role.connections

    def figures(self) -> PostgresFigures:
        """What answers statements over the modelled tables."""
        if self._figures is None:
            # loads SQLAlchemy, which processes that only write do without
            from snowgauge.store.postgres.figures import PostgresFigures

            self._figures = PostgresFigures(
                self.connections, self._layout, timeout=self._timeout, folding=self.any_case()
            )
        return self._figures

    def lifetime(self) -> PostgresLifetime:
        """How events leave this store."""
        return PostgresLifetime(self.connections, self._layout)

    def modelling(self) -> PostgresModelStore:
        """The modelled tables, for those who make them."""
        return PostgresModelStore(self.connections, self._layout)

    def status(self) -> dict[str, Any]:
        """Server, TLS and sizes, for ``db status``."""
        with self.connections.use() as connection:
            version = connection.execute("SHOW server_version").fetchone()
            tls = connection.execute(
                "SELECT coalesce((SELECT version FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()), 'none')"
            ).fetchone()
            sizes = connection.execute(
                "SELECT count(*) FILTER (WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition), "
                "coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relkind = 'r'), 0)::bigint "
                "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = %s",
                (self._layout.schema,),
            ).fetchone()
        assert version is not None
        assert tls is not None
        assert sizes is not None
        return {
            "url": f"postgresql://{self.connections.place}",
            "version": version[0],
            "tls": tls[0],
            "schema": self._layout.schema,
            "tables": sizes[0],
            "bytes": sizes[1],
        }

    def vacuum(self) -> list[str]:
        """``VACUUM (ANALYZE)`` every table of the schema, so that deleted rows leave the disk; returns their names.

        Partitions come with their table, whose own statistics nobody else gathers: autovacuum does not.
        """
        with self.connections.use() as connection:
            rows = connection.execute(
                "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                "ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                "ORDER BY 1",
                (self._layout.schema,),
            ).fetchall()
            for (name,) in rows:
                connection.execute(f"VACUUM (ANALYZE) {quote(self._layout.schema)}.{quote(name)}")
        return [name for (name,) in rows]

    def ready(self) -> bool:
        try:
            with self.connections.use() as connection:
                connection.execute("SELECT 1")
        except (StoreUnavailable, Refused):
            return False
        return True

    def close(self) -> None:
        self._tables.close()
        self.connections.close()
        self._role.connections.close()

    def _make_dbt_tables(self) -> None:
        here = {(key.vendor, key.name, key.model): key for key in sorted(self._resolver.keys())}
        keys = [here[model] for model in DBT_SCHEMAS if model in here]
        for key, problem in self._tables.prepare(keys).items():
            log.warning("dbt_table_missing", schema=key.uri, reason=str(problem)[:300])

"""The tables of schemas: made on first sight, widened when a newer version comes, never narrowed.

The comments of the tables are the only state (see ``catalog``), so Snowplow's tools and other workers see the same.
Every change happens under one advisory lock, with the catalog read again inside it: workers that meet a new schema at
once make one table. A table being created is seen by nobody; changes of existing ones take one transaction each, so
that they wait for loads without a deadlock.

A value that the table's column cannot hold, although its own version of the schema allows it (an incompatible change
inside a model), goes to ``<table>_<revision>_<addition>_recovered_<hash>``, as in Snowplow's Redshift loader.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from snowgauge.errors import RegistryOutage, SchemaResolutionError, StoreUnavailable
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.store.postgres.catalog import Catalog, Model
from snowgauge.store.postgres.connection import Connections, Refused
from snowgauge.store.postgres.flatten import Column, Style, columns
from snowgauge.store.postgres.layout import FAILED_LINK, META_DDL, Layout
from snowgauge.store.postgres.naming import cut, free_table_name, hashed, literal, quote, table_name
from snowgauge.store.postgres.plans import Plan, differ
from snowgauge.store.postgres.types import PgType
from snowgauge.store.postgres.versions import Versions
from snowgauge.telemetry.logs import logger

if TYPE_CHECKING:
    import psycopg

log = logger("store")
_TOGETHER = 40
"""Tables created in one transaction; each holds several locks until its end."""
Problem = SchemaResolutionError | Refused


class _Want(NamedTuple):
    """What one model's table should have. ``newest``: the last version reflected in ``columns``."""

    model: Model
    newest: SchemaKey
    keys: list[SchemaKey]
    columns: list[Column]


class Tables:
    """One per store; safe for threads."""

    def __init__(self, connections: Connections, layout: Layout, resolver: Resolver) -> None:
        self._connections = connections
        self._layout = layout
        self._versions = Versions(resolver)
        self._lock = threading.RLock()
        self._plans: dict[tuple[SchemaKey, bool], Plan] = {}
        self._recovered: dict[SchemaKey, Plan | None] = {}

    def plan(self, key: SchemaKey, *, meta: bool = True) -> Plan:
        """How rows of this version are written. ``prepare`` must have seen the key."""
        return self._plans[(key, meta)]

    def forget(self) -> None:
        """The database is not as it was: look again at the next ``prepare``."""
        with self._lock:
            self._plans.clear()
            self._recovered.clear()

    def close(self) -> None:
        self._versions.close()

    def prepare(self, keys: Iterable[SchemaKey], *, meta: bool = True) -> dict[SchemaKey, Problem]:
        """Make and widen tables, so that every key has a plan; returns those that have none, with the reason.

        Raises ``StoreUnavailable`` while the database or a registry is unreachable.
        """
        missing = {key for key in keys if (key, meta) not in self._plans}
        if not missing:
            return {}
        with self._lock:
            return self._prepare({key for key in missing if (key, meta) not in self._plans}, meta)

    def recovered(self, key: SchemaKey) -> Plan | None:
        """The table for data of this version that the model's table cannot hold; ``None``: it would be the same."""
        with self._lock:
            if key not in self._recovered:
                self._recovered[key] = self._make_recovered(key)
            return self._recovered[key]

    def _prepare(self, missing: set[SchemaKey], meta: bool) -> dict[SchemaKey, Problem]:
        models: dict[Model, list[SchemaKey]] = {}
        for key in sorted(missing):
            models.setdefault((key.vendor, key.name, key.model, meta), []).append(key)
        problems: dict[SchemaKey, Problem] = {}
        self._versions.look_for(missing)
        wants = [want for model, keys in models.items() if (want := self._want(model, keys, problems)) is not None]
        with self._connections.use() as connection:
            catalog = Catalog.read(connection, self._layout.schema)
            new = [want for want in wants if catalog.owned(want.model) is None]
            old = [want for want in wants if catalog.owned(want.model) and self._changes(catalog, want)[1]]
            for start in range(0, len(new), _TOGETHER):
                self._apply_all(connection, new[start : start + _TOGETHER], problems)
            for want in old:
                self._apply_all(connection, [want], problems)
            if new or old:
                catalog = Catalog.read(connection, self._layout.schema)
        for want in wants:
            table = catalog.owned(want.model)
            if table is None:
                continue
            there = [
                column._replace(type=table.columns[column.name])
                for column in want.columns
                if column.name in table.columns
            ]
            for key in want.keys:
                if key not in problems:
                    full_name = self._layout.name(table.name)
                    self._plans[(key, meta)] = Plan(key, table.name, full_name, there, meta=meta)
        return problems

    def _want(self, model: Model, keys: list[SchemaKey], problems: dict[SchemaKey, Problem]) -> _Want | None:
        found: list[SchemaKey] = []
        for key in keys:
            try:
                self._versions.document(key)
                found.append(key)
            except RegistryOutage as outage:
                raise StoreUnavailable(f"the table of {key} cannot be laid out: {outage}") from outage
            except SchemaResolutionError as missing:
                problems[key] = missing
        if not found:
            return None
        versions = self._versions.documents(found)
        return _Want(model, max(versions), found, columns(versions.values(), self._style(model)))

    def _style(self, model: Model) -> Style:
        settings = self._layout.settings
        name = table_name(*model[:3])
        text_arrays = bool({"*", name, cut(name)} & set(settings.text_arrays))
        return Style(settings.types == "snowplow", settings.nested_separator, text_arrays)

    def _apply_all(
        self, connection: psycopg.Connection[Any], wants: Sequence[_Want], problems: dict[SchemaKey, Problem]
    ) -> None:
        import psycopg

        try:
            self._apply(connection, wants)
        except psycopg.Error as raised:
            refused = self._connections.translated(raised)
            if not isinstance(refused, Refused):
                raise
            if len(wants) > 1:
                for want in wants:
                    self._apply_all(connection, [want], problems)
                return
            log.error("table_refused", schema=wants[0].newest.uri, reason=str(refused)[:500])
            problems.update(dict.fromkeys(wants[0].keys, refused))

    def _apply(self, connection: psycopg.Connection[Any], wants: Sequence[_Want]) -> None:
        import psycopg

        with connection.transaction():
            alone(connection, self._layout)
            catalog = Catalog.read(connection, self._layout.schema)
            taken = set(catalog.tables)
            for want in wants:
                name, statements = self._changes(catalog, want, taken)
                taken.add(name)
                for statement, may_fail in statements:
                    if not may_fail:
                        connection.execute(statement)
                        continue
                    try:
                        with connection.transaction():
                            connection.execute(statement)
                    except psycopg.errors.FeatureNotSupported as raised:
                        # a view stands on the column: what does not fit it goes to the recovered table
                        log.warning("column_not_widened", table=name, reason=str(raised.diag.message_primary))
                if statements:
                    log.info("table_ready", table=name, schema=want.newest.uri)

    def _changes(
        self, catalog: Catalog, want: _Want, taken: set[str] | None = None
    ) -> tuple[str, list[tuple[str, bool]]]:
        """The table's name, and the statements that bring it to what is wanted; each with: may it be refused?"""
        vendor, name, model, meta = want.model
        full = table_name(vendor, name, model)
        table = catalog.owned(want.model)
        if table is None and catalog.adoptable(cut(full), meta=meta):
            table = catalog.tables[cut(full)]
        if table is None:
            of = f"{vendor}/{name}/{model}"
            new = free_table_name(full, catalog.tables if taken is None else taken, of)
            return new, [(statement, False) for statement in self._create(new, want)]
        on = self._layout.name(table.name)
        statements: list[tuple[str, bool]] = []
        added = [column for column in want.columns if column.name not in table.columns]
        if added:
            parts = ", ".join(f"ADD COLUMN IF NOT EXISTS {quote(c.name)} {c.type.ddl}" for c in added)
            statements.append((f"ALTER TABLE {on} {parts}", False))
        for column in want.columns:
            present = table.columns.get(column.name)
            if present and present.kind == "varchar" and present.size and _wider(column.type, present):
                statements.append((f"ALTER TABLE {on} ALTER COLUMN {quote(column.name)} TYPE {column.type.ddl}", True))
        if table.comment is None or table.comment < want.newest:
            statements.append((_comment(on, want.newest.uri), False))
        return table.name, statements

    def _create(self, name: str, want: _Want) -> list[str]:
        on = self._layout.name(name)
        meta = want.model[3]
        body = [f"{quote(column.name)} {column.type.ddl}" for column in want.columns]
        if meta:
            monthly = ' PARTITION BY RANGE ("root_tstamp")' if self._layout.partitioned else ""
            return [
                f"CREATE TABLE {on} ({', '.join([*META_DDL, *body])}){monthly}",
                f'CREATE INDEX ON {on} ("root_tstamp", "root_id")',
                _comment(on, want.newest.uri),
            ]
        body += [f"{quote(column)} {kind.ddl}" for column, kind in FAILED_LINK.items()]
        return [
            f"CREATE TABLE {on} ({', '.join(body)})",
            f'CREATE INDEX ON {on} ("failed_tstamp")',
            f'CREATE INDEX ON {on} ("failed_id")',
            _comment(on, want.newest.uri),
        ]

    def _make_recovered(self, key: SchemaKey) -> Plan | None:
        model: Model = (key.vendor, key.name, key.model, True)
        own = columns([self._versions.document(key)], self._style(model))
        plan = self.plan(key)
        if not differ(plan, {column.name: column.type for column in own}):
            return None
        shape = ",".join(f"{column.name} {column.type.ddl}" for column in own)
        digest = sha256(shape.encode()).hexdigest()[:8]
        full = f"{table_name(*model[:3])}_{key.revision}_{key.addition}_recovered_{digest}"
        name = full if len(full) <= len(cut(full)) else hashed(full)
        on = self._layout.name(name)
        with self._connections.use() as connection, connection.transaction():
            alone(connection, self._layout)
            if name not in Catalog.read(connection, self._layout.schema).tables:
                for statement in self._create(name, _Want(model, key, [key], own))[:-1]:
                    connection.execute(statement)
                connection.execute(_comment(on, f"recovered from {key.uri}"))
                log.warning("recovered_table", table=name, schema=key.uri, beside=plan.table)
        return Plan(key, name, on, own, meta=True)


def alone(connection: psycopg.Connection[Any], layout: Layout) -> None:
    """Make this transaction the only one that changes the layout."""
    ms = round(layout.settings.lock_timeout.total_seconds() * 1000)
    connection.execute(f"SET LOCAL lock_timeout = {ms}")
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('snowgauge layout'), hashtext(%s))", (layout.schema,))


def _wider(wanted: PgType, present: PgType) -> bool:
    return wanted.kind == "text" or (wanted.kind == "varchar" and wanted.size > present.size)


def _comment(on: str, text: str) -> str:
    return f"COMMENT ON TABLE {on} IS {literal(text)}"

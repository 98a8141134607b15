"""The embedded engine's tables as files: frozen while it runs, attached to a new engine.

``FREEZE`` makes hard links to the parts of a table, so a snapshot of any size takes a moment and costs no room until
the parts are merged away. Parts are the engine's own files, checked by it when they are attached. A snapshot can be
attached by the same version of ClickHouse or a later one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from snowgauge.errors import StoreError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.clickhouse.columns import schema_column
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import Layout
from snowgauge.store.clickhouse.schemas import SchemaColumns
from snowgauge.store.clickhouse.simple_snowplow.views import views_database
from snowgauge.telemetry.logs import logger

log = logger("store")

_PREFIX = "snowgauge_backup_"  # other characters would be escaped in the folder's name
_PART = re.compile(r"[A-Za-z0-9]+(_[0-9]+){3,4}")
_SCHEMA_COLUMN = re.compile(
    r"`((?:contexts|unstruct_event)_\w+)` [A-Za-z()]+ COMMENT "
    r"'iglu:([\w.-]{1,200})/([\w-]{1,200})/([\w-]{1,200})/([0-9]{1,9})-\*-\*'"
)
_REPLICA = re.compile(r"\bUUID '[^']+'")


class Table(msgspec.Struct, frozen=True):
    """``create`` made it; ``rows`` are those of its parts, deleted ones left out. Views have no parts. Backups of
    earlier versions do not tell the ``columns``."""

    database: str
    name: str
    create: str
    engine: str
    rows: int
    parts: Sequence[str] = ()
    columns: Sequence[str] = ()


class Frozen(msgspec.Struct, frozen=True):
    """A snapshot: its tables, and where the parts of each lie until ``thaw``."""

    name: str
    version: str
    tables: list[Table]
    folders: dict[str, Path]


def freeze(connection: Connection, layout: Layout, data: Path, name: str) -> Frozen:
    """Take a snapshot of all tables of the layout. ``data``: the engine's folder, on this machine."""
    tables: list[Table] = []
    folders: dict[str, Path] = {}
    for database in dict.fromkeys((layout.database, views_database(layout), layout.settings.derived_database)):
        rows = connection.rows(
            "SELECT name, engine, create_table_query, toString(uuid) FROM system.tables "
            "WHERE database = {d:String} AND NOT is_temporary ORDER BY engine = 'View', name",
            {"d": database},
        )
        for table, engine, create, uuid in rows:
            count, parts = 0, []
            if engine.endswith("MergeTree"):
                full = f"`{database}`.`{table}`"
                connection.command(f"ALTER TABLE {full} FREEZE WITH NAME '{_PREFIX}{name}'")
                folder = data / "shadow" / f"{_PREFIX}{name}" / "store" / uuid[:3] / uuid
                parts = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
                count = int(connection.rows(f"SELECT count() FROM {full}")[0][0])
                if count and not parts:
                    raise StoreError(f"table {full} has {count} rows, and no frozen part is in {folder}")
                if parts:
                    folders[f"{database}.{table}"] = folder
            names = _columns(connection, database, table)
            tables.append(Table(database, table, _REPLICA.sub("", create), engine, count, parts, names))
    return Frozen(name, connection.version, tables, folders)


def thaw(data: Path, name: str = "") -> None:
    """Let go of a snapshot, or of all that broken-off backups left."""
    shadow = data / "shadow"
    for folder in shadow.glob(f"{_PREFIX}{name or '*'}") if shadow.is_dir() else ():
        shutil.rmtree(folder, ignore_errors=True)


def attach(
    connection: Connection, layout: Layout, schemas: SchemaColumns, data: Path, tables: Sequence[Table], parts: Path
) -> Iterator[Table]:
    """Give the tables of a new layout, just migrated and empty, their parts (``parts/<database>.<table>/<part>``).

    No SQL of the backup is run: its text only says which schemas had a column. Its tables, views and columns that are
    not of the layout stay in the backup, and the log names them. Raises ``StoreError`` when a table does not have the
    rows that it had, or when a name is none that the engine gives.
    """
    present = {
        (str(database), str(name)): data / path if str(engine).endswith("MergeTree") else None
        for database, name, engine, path in connection.rows(
            "SELECT database, name, engine, data_paths[1] FROM system.tables WHERE database IN {d:Array(String)}",
            {"d": [layout.database, views_database(layout), layout.settings.derived_database]},
        )
    }
    schemas.restore(_schemas(tables))
    # what the backup's layout was is what decides which steps are still to be done
    connection.command(f"TRUNCATE TABLE {layout.migrations}")
    for table in tables:
        name, folder = f"{table.database}.{table.name}", present.get((table.database, table.name))
        if (table.database, table.name) not in present:
            _not_restored(name, table)
        else:
            dropped = sorted(set(table.columns) - set(_columns(connection, table.database, table.name)))
            if dropped:
                log.warning("columns_not_restored", table=name, columns=dropped, cure="add them again by hand")
        if folder is None:
            continue
        full = f"`{table.database}`.`{table.name}`"
        for part in table.parts:
            if not _PART.fullmatch(part):
                raise StoreError(f"the backup is damaged: {part[:100]!r} is no name of a part of {full}")
            shutil.copytree(parts / f"{table.database}.{table.name}" / part, folder / "detached" / part, symlinks=True)
            connection.command(f"ALTER TABLE {full} ATTACH PART '{part}'")
        found = int(connection.rows(f"SELECT count() FROM {full}")[0][0])
        if found != table.rows:
            raise StoreError(f"table {table.database}.{table.name} has {found} rows, the backup says {table.rows}")
        yield table


def _columns(connection: Connection, database: str, table: str) -> list[str]:
    rows = connection.rows(
        "SELECT name FROM system.columns WHERE database = {d:String} AND table = {t:String} ORDER BY position",
        {"d": database, "t": table},
    )
    return [str(name) for (name,) in rows]


def _not_restored(name: str, table: Table) -> None:
    """Say what someone had made beside the layout."""
    if "View" in table.engine:
        log.warning("view_not_restored", view=name, cure="make it again by hand; the backup's list has its SQL")
    else:
        log.warning("table_not_restored", table=name, engine=table.engine, rows=table.rows)


def _schemas(tables: Sequence[Table]) -> dict[str, tuple[SchemaKey, bool]]:
    """The schemas that had a column, by its name, and whether of an event."""
    found = {}
    for table in tables:
        for name, vendor, schema, form, model in _SCHEMA_COLUMN.findall(table.create):
            key, event = SchemaKey(vendor, schema, form, int(model), 0, 0), name.startswith("unstruct_event_")
            if schema_column(key, event=event) == name:
                found[name] = (key, event)
    return found

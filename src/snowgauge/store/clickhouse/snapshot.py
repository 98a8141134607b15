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
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import Layout
from snowgauge.store.clickhouse.views import views_database

_PREFIX = "snowgauge_backup_"  # other characters would be escaped in the folder's name
_REPLICA = re.compile(r"\bUUID '[^']+'")


class Table(msgspec.Struct, frozen=True):
    """``create`` makes it again; ``rows`` are those of its parts, deleted ones left out. Views have no parts."""

    database: str
    name: str
    create: str
    engine: str
    rows: int
    parts: Sequence[str] = ()


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
            tables.append(Table(database, table, _REPLICA.sub("", create), engine, count, parts))
    return Frozen(name, connection.version, tables, folders)


def thaw(data: Path, name: str = "") -> None:
    """Let go of a snapshot, or of all that broken-off backups left."""
    shadow = data / "shadow"
    for folder in shadow.glob(f"{_PREFIX}{name or '*'}") if shadow.is_dir() else ():
        shutil.rmtree(folder, ignore_errors=True)


def attach(connection: Connection, data: Path, tables: Sequence[Table], parts: Path) -> Iterator[Table]:
    """Make the tables in an empty engine and give them their parts (``parts/<database>.<table>/<part>``).

    Raises ``StoreError`` when a table does not have the rows that it had.
    """
    for database in dict.fromkeys(table.database for table in tables):
        connection.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    for table in tables:
        connection.command(table.create)
        if table.parts:
            full = f"`{table.database}`.`{table.name}`"
            paths = connection.rows(
                "SELECT data_paths[1] FROM system.tables WHERE database = {d:String} AND name = {t:String}",
                {"d": table.database, "t": table.name},
            )
            # the engine may tell a path that is relative to its folder
            folder = data / paths[0][0]
            for part in table.parts:
                shutil.copytree(parts / f"{table.database}.{table.name}" / part, folder / "detached" / part)
                connection.command(f"ALTER TABLE {full} ATTACH PART '{part}'")
            found = int(connection.rows(f"SELECT count() FROM {full}")[0][0])
            if found != table.rows:
                raise StoreError(f"table {table.database}.{table.name} has {found} rows, the backup says {table.rows}")
        yield table

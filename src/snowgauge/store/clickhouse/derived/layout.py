"""DDL of the modelled tables.

``ReplacingMergeTree`` with a version and a mark of deletion: a row is replaced by a newer one with the same sorting
key, and taken out by one that is marked. A day is a partition, so that a day made again can be switched whole, and the
rows of one key, which are all of one day, never lie in two partitions
(``do_not_merge_across_partitions_select_final``).
"""

from __future__ import annotations

from collections.abc import Sequence

from snowgauge.modelling.definition import Table
from snowgauge.modelling.tables import BOOKKEEPING
from snowgauge.store.clickhouse.layout import Layout, quote, text

IS_DELETED = "is_deleted"


class DerivedLayout:
    """Names and DDL of one deployment's modelled tables."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.database = layout.settings.derived_database
        self.on_cluster = layout.on_cluster()
        self.cluster = layout.cluster

    def name(self, table: Table) -> str:
        """The table to read and write, quoted, with its database."""
        return self.full(table.name)

    def stored(self, table: Table) -> str:
        """The table that holds the rows: the local one of a cluster."""
        return self.full(table.name + ("_local" if self._spread(table) else ""))

    def full(self, name: str) -> str:
        return f"{quote(self.database)}.{quote(name)}"

    def create(self, tables: Sequence[Table]) -> list[str]:
        """The database, and these tables in it."""
        statements = [f"CREATE DATABASE IF NOT EXISTS {quote(self.database)}{self.on_cluster}"]
        for table in tables:
            statements += [self._view(table)] if table.kind == "view" else self._table(table)
        return statements

    def staging(self, table: Table) -> str:
        """Where the rows of a day that is made again are put."""
        return self.full(f"{table.name}_staging")

    def create_staging(self, table: Table) -> list[str]:
        """An empty table like this one."""
        created = f"CREATE TABLE {self.staging(table)}{self.on_cluster} AS {self.stored(table)}"
        return [self.drop_staging(table), created]

    def drop_staging(self, table: Table) -> str:
        return f"DROP TABLE IF EXISTS {self.staging(table)}{self.on_cluster} SYNC"

    def _spread(self, table: Table) -> bool:
        """On a cluster a table is cut over the shards; the small ones are whole on every server."""
        return bool(self.cluster) and table not in BOOKKEEPING

    def _table(self, table: Table) -> list[str]:
        columns = [
            f"{quote(column.name)} {column.type.clickhouse} COMMENT {text(column.definition)}"
            for column in table.columns
        ]
        columns.append(f"`{IS_DELETED}` UInt8 COMMENT 'The row is gone; left out by FINAL'")
        columns += [f"INDEX {name}_index {quote(name)} TYPE bloom_filter(0.001) GRANULARITY 1" for name in table.search]
        engine = self._layout.engine(
            f"ReplacingMergeTree({quote(table.version_column)}, {IS_DELETED})",
            shared=bool(self.cluster) and not self._spread(table),
        )
        parts = [
            f"CREATE TABLE IF NOT EXISTS {self.stored(table)}{self.on_cluster}\n(\n    " + ",\n    ".join(columns),
            f")\nENGINE = {engine}",
        ]
        if table.day:
            parts.append(f"PARTITION BY toDate({quote(table.day)})")
        parts.append(f"ORDER BY ({', '.join(_ordered(part) for part in table.order)})")
        parts.append(f"COMMENT {text(f'One row per {table.row}. {table.words}')}")
        statements = ["\n".join(parts)]
        if self._spread(table):
            by = ", ".join(_ordered(part) for part in table.order)
            statements.append(
                f"CREATE TABLE IF NOT EXISTS {self.name(table)}{self.on_cluster} AS {self.stored(table)}\n"
                f"ENGINE = Distributed({text(self.cluster)}, {text(self.database)}, {text(table.name + '_local')}, "
                f"cityHash64({by}))"
            )
        return statements

    def _view(self, table: Table) -> str:
        columns = ", ".join(f"{column.definition} AS {quote(column.name)}" for column in table.columns)
        return (
            f"CREATE OR REPLACE VIEW {self.name(table)}{self.on_cluster} AS SELECT {columns} "
            f"FROM {self.full(table.source)} FINAL WHERE {table.condition}"
        )


def _ordered(part: str) -> str:
    return part if "(" in part else quote(part)

"""DDL of the modelled tables. They are a small part of the events and not cut into months."""

from __future__ import annotations

from collections.abc import Sequence

from snowgauge.modelling.definition import Table
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.naming import literal, quote


class DerivedLayout:
    """Names and DDL of one deployment's modelled tables."""

    def __init__(self, layout: Layout) -> None:
        self._events = layout.name("events")
        self.schema = layout.settings.derived_schema

    def name(self, table: Table) -> str:
        return f"{quote(self.schema)}.{quote(table.name)}"

    def staging(self, table: Table) -> str:
        """Where the rows of a day that is made again are put."""
        return f"{quote(self.schema)}.{quote(f'{table.name}_staging')}"

    def create(self, tables: Sequence[Table]) -> list[str]:
        """The schema and these tables in it, and the index by which the events of a session are found."""
        statements = [f"CREATE SCHEMA IF NOT EXISTS {quote(self.schema)}"]
        for table in tables:
            statements += [self._view(table)] if table.kind == "view" else self._table(table)
        statements += [
            f'CREATE INDEX IF NOT EXISTS "events_{column}" ON {self._events} ({quote(column)}) '
            f"WHERE {quote(column)} IS NOT NULL"
            for column in ("domain_sessionid", "load_tstamp")
        ]
        return statements

    def _table(self, table: Table) -> list[str]:
        name = self.name(table)
        columns = [f"{quote(column.name)} {column.type.postgres}" for column in table.columns]
        columns.append(f"PRIMARY KEY ({', '.join(quote(key) for key in table.key)})")
        statements = [
            f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)})",
            f"COMMENT ON TABLE {name} IS {literal(f'One row per {table.row}. {table.words}')}",
            *(
                f"COMMENT ON COLUMN {name}.{quote(column.name)} IS {literal(column.definition)}"
                for column in table.columns
            ),
        ]
        indexes: list[tuple[str, ...]] = [(one,) for one in table.search]
        if table.day and "app_id" in table.names:
            indexes.append(("app_id", table.day))
        if table.day and "person_id" in table.names:
            indexes.append(("person_id", table.day))
        statements += [
            f"CREATE INDEX IF NOT EXISTS {quote('_'.join((table.name, *index)))} ON {name} "
            f"({', '.join(quote(column) for column in index)})"
            for index in indexes
        ]
        return statements

    def _view(self, table: Table) -> str:
        columns = ", ".join(f"{column.definition.replace('`', '')} AS {quote(column.name)}" for column in table.columns)
        source = f"{quote(self.schema)}.{quote(table.source)}"
        return f"CREATE OR REPLACE VIEW {self.name(table)} AS SELECT {columns} FROM {source} WHERE {table.condition}"

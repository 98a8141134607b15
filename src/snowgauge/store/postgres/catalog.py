"""What tables there are, read from the database's own catalog. A table's comment says which schema it belongs to, up
to which version its columns go: ``iglu:vendor/name/jsonschema/1-0-2``, as Snowplow's loader and igluctl write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.postgres.types import PgType

if TYPE_CHECKING:
    import psycopg

Model = tuple[str, str, int, bool]
"""Vendor, name, model of a schema; and whether its rows have the meta columns (entities) or not (bad rows)."""

_QUERY = """
SELECT c.relname::text, c.relkind::text, obj_description(c.oid, 'pg_class'),
  coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '{}'),
  coalesce(array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '{}')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
GROUP BY c.oid, c.relname, c.relkind
"""


class Table(NamedTuple):
    name: str
    plain: bool
    comment: SchemaKey | None
    commented: bool
    columns: dict[str, PgType]

    @property
    def meta(self) -> bool:
        return "root_id" in self.columns and "root_tstamp" in self.columns


class Catalog:
    """The tables of one schema of the database, at one moment."""

    def __init__(self, tables: list[Table]) -> None:
        self.tables = {table.name: table for table in tables}
        self._owned: dict[Model, str] = {}
        for table in tables:
            if table.comment is not None and table.plain:
                key = table.comment
                self._owned.setdefault((key.vendor, key.name, key.model, table.meta), table.name)

    @staticmethod
    def read(connection: psycopg.Connection[Any], schema: str) -> Catalog:
        rows = connection.execute(_QUERY, (schema,)).fetchall()
        return Catalog([_table(*row) for row in rows])

    def owned(self, model: Model) -> Table | None:
        """The table of this model of a schema."""
        name = self._owned.get(model)
        return None if name is None else self.tables[name]

    def adoptable(self, name: str, *, meta: bool) -> bool:
        """A table with the right name and columns that nobody has put a comment on?"""
        table = self.tables.get(name)
        return table is not None and table.plain and not table.commented and table.meta is meta and bool(table.columns)


def _table(name: str, kind: str, comment: str | None, columns: list[str], types: list[str]) -> Table:
    key = None
    if comment and comment.startswith("iglu:"):
        try:
            key = SchemaKey.parse(comment)
        except SelfDescribingError:
            key = None
    found = {column: PgType.of_catalog(text) for column, text in zip(columns, types, strict=True)}
    return Table(name, kind in ("r", "p"), key, bool(comment), found)

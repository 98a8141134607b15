"""Free SQL for people: read-only, with limits, and the tables there are to ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from snowgauge.actions import spreadsheet
from snowgauge.errors import ActionRefused
from snowgauge.store.base import Sql

if TYPE_CHECKING:  # `snowgauge sql` asks a store, and needs no other part
    from snowgauge.actions.deployment import Deployment

Format = Literal["csv", "csv-exact", "tsv", "json", "parquet"]
"""``csv`` is for spreadsheets: no cell begins like a formula. ``csv-exact`` is for programs: every value as stored."""

_COLUMNS = """
SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA', 'pg_catalog', 'pg_toast')
ORDER BY table_schema, table_name, ordinal_position
"""


@dataclass(frozen=True)
class Answer:
    """``truncated``: there are more rows than the limit."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    truncated: bool
    milliseconds: int


@dataclass(frozen=True)
class TableColumn:
    name: str
    type: str


@dataclass(frozen=True)
class Table:
    name: str
    columns: list[TableColumn]


def run(deployment: Deployment, sql: str, *, max_rows: int, timeout: float) -> Answer:
    """Raises ``QueryRefused`` with the store's own words for what it does not take."""
    if not sql.strip():
        raise ActionRefused("there is no query: write one", status=422)
    started = time.perf_counter()
    result = deployment.store.query(sql, max_rows=max_rows, timeout=timeout)
    elapsed = round((time.perf_counter() - started) * 1000)
    rows = [list(row) for row in result.rows]
    return Answer(list(result.columns), list(result.types), rows, result.truncated, elapsed)


def tables(deployment: Deployment) -> list[Table]:
    """Every table that can be asked, by its full name."""
    found: dict[str, list[TableColumn]] = {}
    for schema, table, column, kind in deployment.store.query(_COLUMNS, timeout=20).rows:
        found.setdefault(f"{schema}.{table}", []).append(TableColumn(str(column), str(kind)))
    return [Table(name, columns) for name, columns in found.items()]


def exported(store: Sql, sql: str, fmt: Format) -> Iterator[bytes]:
    """A query's result in a ``Format``, piece by piece."""
    pieces = store.export_raw(sql, "csv" if fmt == "csv-exact" else fmt)
    return spreadsheet.neutralised(pieces) if fmt == "csv" else iter(pieces)


def export(deployment: Deployment, sql: str, fmt: Format) -> Iterator[bytes]:
    """All rows in a ``Format``, streamed. The first piece is read here, so that a refusal is one."""
    pieces = exported(deployment.store, sql, fmt)
    first = next(pieces, b"")

    def all_pieces() -> Iterator[bytes]:
        yield first
        yield from pieces

    return all_pieces()

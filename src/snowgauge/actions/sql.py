"""Free SQL for people: read-only, with limits, and the tables there are to ask."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from snowgauge.actions import spreadsheet
from snowgauge.errors import ActionRefused, QueryRefused, StoreUnavailable
from snowgauge.store.base import Sql, SqlDialect
from snowgauge.store.placeholders import placeholders

if TYPE_CHECKING:  # `snowgauge sql` asks a store, and needs no other part
    from snowgauge.actions.deployment import Deployment

Format = Literal["csv", "csv-exact", "tsv", "json", "parquet"]
"""``csv`` is for spreadsheets: no cell begins like a formula. ``csv-exact`` is for programs: every value as stored."""

_COLUMNS = """
SELECT table_schema, table_name, column_name, data_type, {comment} FROM information_schema.columns
WHERE table_schema NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA', 'pg_catalog', 'pg_toast')
ORDER BY table_schema, table_name, ordinal_position
"""
_COMMENTS: dict[SqlDialect, str] = {
    "clickhouse": "column_comment",
    "postgres": "coalesce(col_description(format('%I.%I', table_schema, table_name)::regclass, ordinal_position), '')",
    "none": "''",
}
_APPENDED = re.compile(
    r"\s*\bFORMAT (?:JSONCompactEachRowWithNamesAndTypes|JSONEachRow|CSVWithNames|TSVWithNames|Parquet)\b"
)
_PLACE = re.compile(r"\b(ClickHouse|PostgreSQL) at \S+?(:?)(?=\s|$)")
_ADDRESS = re.compile(
    r"\s*\(version [^()]*(?:\([^()]*\))?[^()]*\)|\s*\(for url [^)]*\)"
    r"|\s*\(?(?:from |while reading from |at )?(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d+\)?",
    re.IGNORECASE,
)
"""What drivers and servers append: the server's version, the address of the request, those of other servers."""


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
    """``comment``: what it holds, where the database says so."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    name: str
    columns: list[TableColumn]


@dataclass(frozen=True)
class Asking:
    """``max_rows`` and ``seconds``: limits. ``values``: of the placeholders, as texts."""

    max_rows: int
    seconds: float
    values: Mapping[str, str] | None = None


def run(deployment: Deployment, sql: str, asking: Asking) -> Answer:
    """Raises ``QueryRefused`` with the store's own words for what it does not take."""
    if not sql.strip():
        raise ActionRefused("there is no query: write one", status=422)
    text, values = bound(deployment.store, sql, asking.values or {})
    started = time.perf_counter()
    with told():
        result = deployment.store.query(text, values, max_rows=asking.max_rows, timeout=asking.seconds)
    elapsed = round((time.perf_counter() - started) * 1000)
    rows = [list(row) for row in result.rows]
    return Answer(list(result.columns), list(result.types), rows, result.truncated, elapsed)


def bound(store: Sql, sql: str, given: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    """The statement and the values of its placeholders, which never become part of its text. Raises ``ActionRefused``
    where one has no value."""
    wanted = placeholders(sql)
    for one in wanted:
        if one.name not in given:
            raise ActionRefused(
                f"the query has the parameter {{{one.name}:{one.type}}} and no value for it", status=422
            )
    if not wanted:
        return sql, None
    return store.prepared(sql), {one.name: given[one.name] for one in wanted}


@contextmanager
def told() -> Iterator[None]:
    """Errors of the store as people see them: without what Snowgauge appended, and without internal addresses."""
    try:
        yield
    except QueryRefused as refused:
        raise QueryRefused(shown(str(refused))) from refused
    except StoreUnavailable as unreachable:
        raise StoreUnavailable(shown(str(unreachable))) from unreachable


def shown(text: str) -> str:
    """An error without the appended FORMAT and without addresses."""
    return _ADDRESS.sub("", _PLACE.sub(r"\1\2", _APPENDED.sub("", text)))


def tables(deployment: Deployment) -> list[Table]:
    """Every table that can be asked, by its full name."""
    store = deployment.store
    found: dict[str, list[TableColumn]] = {}
    for schema, table, *column in store.query(_COLUMNS.format(comment=_COMMENTS[store.dialect]), timeout=20).rows:
        found.setdefault(f"{schema}.{table}", []).append(TableColumn(*map(str, column)))
    return [Table(name, columns) for name, columns in found.items()]


def exported(store: Sql, sql: str, fmt: Format, values: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """A query's result in a ``Format``, piece by piece."""
    text, parameters = bound(store, sql, values or {})
    pieces = store.export_raw(text, "csv" if fmt == "csv-exact" else fmt, parameters)
    return spreadsheet.neutralised(pieces) if fmt == "csv" else iter(pieces)


def export(deployment: Deployment, sql: str, fmt: Format, values: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """All rows in a ``Format``, streamed. The first piece is read here, so that a refusal is one."""
    with told():
        pieces = exported(deployment.store, sql, fmt, values)
        first = next(pieces, b"")

    def all_pieces() -> Iterator[bytes]:
        yield first
        yield from pieces

    return all_pieces()

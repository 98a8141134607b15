"""The reference page of the modelled tables, made from their definitions."""

from __future__ import annotations

from collections.abc import Iterator

from snowgauge.modelling.definition import Table
from snowgauge.modelling.tables import TABLES

_INTRODUCTION = """\
# Modelled tables

They are in the database (PostgreSQL: the schema) `derived`, made from `atomic.events` and kept up to date by Snowgauge.
Where a column means what it means in Snowplow's packages, it has Snowplow's name.

- Times are UTC, with milliseconds. An event's time is `derived_tstamp`, else `collector_tstamp`.
- What is not set is `''` in ClickHouse. In PostgreSQL an identifier that is not set is NULL, and any other text is
`''`. - In ClickHouse read with `FINAL`: a row that was made again stays beside its new version until parts are merged.
- `is_bot` and `is_internal` mark rows that people's figures leave out; nothing is dropped.
"""


def markdown() -> str:
    return "\n".join([_INTRODUCTION, *(line for table in TABLES for line in _section(table))]).rstrip() + "\n"


def _section(table: Table) -> Iterator[str]:
    yield from (f"## derived.{table.name}", "", f"One row per {table.row}. {table.words}", "")
    if table.kind == "view":
        yield from (f"A view of `{table.source}` where `{table.condition}`.", "")
    else:
        yield from (f"Key: {', '.join(f'`{name}`' for name in table.key)}.", "")
    yield from ("| column | ClickHouse | PostgreSQL | definition |", "|---|---|---|---|")
    for column in table.columns:
        yield (f"| `{column.name}` | {column.type.clickhouse} | {column.type.postgres} | {column.definition} |")
    yield ""

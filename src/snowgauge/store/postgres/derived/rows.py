"""Rows of modelled tables, between the values of ``ModelStore`` and those of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from snowgauge.modelling.definition import Column, Table, Type
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.values import MAX_TIME, MIN_TIME, escaped, pg_time

if TYPE_CHECKING:
    import psycopg

_EPOCH = date(1970, 1, 1).toordinal()
DECIMALS = (Type.MONEY, Type.MONEY_OR_NONE, Type.PRICE_OR_NONE, Type.QUANTITY_OR_NONE)
_NULLABLE = (
    Type.ID, Type.TIME_OR_NONE, Type.DAY_OR_NONE, Type.SMALL_OR_NONE, Type.COUNT_OR_NONE, Type.INT_OR_NONE,
    Type.REAL_OR_NONE, Type.MONEY_OR_NONE, Type.PRICE_OR_NONE, Type.QUANTITY_OR_NONE,
)  # fmt: skip


def delete(connection: psycopg.Connection[Any], name: str, change: Change) -> None:
    """Every row that gives way, and every row whose place is taken."""
    keys = {tuple(field_of(change.table.column(key), row[key]) for key in change.table.key) for row in change.old}
    keys |= {tuple(field_of(change.table.column(key), row[key]) for key in change.table.key) for row in change.rows}
    if not keys:
        return
    kinds = [change.table.column(key).type.postgres.removesuffix(" NOT NULL") for key in change.table.key]
    given = ", ".join(f"%s::text[]::{kind}[]" for kind in kinds)
    named = ", ".join(quote(key) for key in change.table.key)
    connection.execute(
        f"DELETE FROM {name} WHERE ({named}) IN (SELECT * FROM unnest({given}))",
        [list(values) for values in zip(*sorted(keys), strict=True)],
    )


def copy_in(connection: psycopg.Connection[Any], name: str, table: Table, rows: Sequence[Row], version: int) -> None:
    """Add rows with this ``model_version``."""
    if not rows:
        return
    columns = list(table.columns)
    made = {"model_version": version, "modelled_at": version // 1000} if table.version_column == "model_version" else {}
    lines = []
    for row in rows:
        whole = row | made
        lines.append("\t".join([field(column, whole.get(column.name)) for column in columns]))
    names = ", ".join(quote(column.name) for column in columns)
    with connection.cursor().copy(f"COPY {name} ({names}) FROM STDIN") as copy:
        copy.write("\n".join(lines) + "\n")


def field(column: Column, value: Any) -> str:
    """A value as a field of COPY."""
    if value is None or (value == "" and column.type is Type.ID):
        if column.type in _NULLABLE:
            return "\\N"
        value = column.type.unset
    return escaped(field_of(column, value))


def field_of(column: Column, value: Any) -> str:
    """A value as text."""
    if column.type in (Type.TIME, Type.TIME_OR_NONE):
        return instant(value)
    if column.type in (Type.DAY, Type.DAY_OR_NONE):
        return date.fromordinal(value + _EPOCH).isoformat()
    if column.type is Type.FLAG:
        return "t" if value else "f"
    if column.type in (Type.LABELS, Type.TEXTS):
        items = (item.replace("\\", "\\\\").replace('"', '\\"') for item in value)
        return "{" + ",".join(f'"{item}"' for item in items) + "}"
    return str(value)


def selected(column: Column) -> str:
    """A column in a SELECT, in the values of ``ModelStore``."""
    name = quote(column.name)
    if column.type in (Type.TIME, Type.TIME_OR_NONE):
        return epoch_ms(name)
    if column.type in (Type.DAY, Type.DAY_OR_NONE):
        return f"{name} - '1970-01-01'::date"
    if column.type in DECIMALS or column.type is Type.UUID:
        return f"{name}::text"
    return f"coalesce({name}, '')" if column.type is Type.ID else name


def instant(ms: int) -> str:
    """An instant as text, within what the database can hold."""
    return pg_time(min(max(ms, MIN_TIME), MAX_TIME))


def epoch_ms(expression: str) -> str:
    """An instant of the database as ms since 1970."""
    return f"(extract(epoch FROM {expression}) * 1000)::bigint"

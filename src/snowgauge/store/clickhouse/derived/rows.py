"""Rows of modelled tables, in the values of ``ModelStore``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from snowgauge.events.timestamps import tsv_text
from snowgauge.modelling.definition import Column, Table, Type
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.tables import TABLES
from snowgauge.store.clickhouse.layout import quote

_EPOCH = date(1970, 1, 1).toordinal()
_TIMES = (Type.TIME, Type.TIME_OR_NONE)
_DAYS = (Type.DAY, Type.DAY_OR_NONE)
_AMOUNTS = (Type.MONEY, Type.MONEY_OR_NONE, Type.PRICE_OR_NONE, Type.QUANTITY_OR_NONE)


def selected(column: Column) -> str:
    """A column in a SELECT whose result is JSON."""
    name = quote(column.name)
    if column.type in _TIMES:
        return f"toUnixTimestamp64Milli({name})"
    if column.type in _DAYS:
        return f"toUInt16({name})"
    if column.type in _AMOUNTS or column.type is Type.UUID:
        return f"toString({name})"
    return name


def read(columns: Sequence[Column], values: Sequence[Any]) -> Row:
    row = {}
    for column, value in zip(columns, values, strict=True):
        row[column.name] = Decimal(value) if column.type in _AMOUNTS and value is not None else value
    return row


def encoded(table: Table, row: Mapping[str, Any], version: int, *, deleted: bool) -> bytes:
    """One line of JSONEachRow; what is not set is left to the column's default."""
    out: dict[str, Any] = {**row, "is_deleted": int(deleted)}
    for name, text in _texts(table.name):
        if (value := out.get(name)) is not None:
            out[name] = text(value)
    if table.version_column == "model_version":
        out["model_version"] = version
        out["modelled_at"] = tsv_text(version // 1000)
    return orjson.dumps(out)


@lru_cache(maxsize=64)
def _texts(table: str) -> Sequence[tuple[str, Callable[[Any], str]]]:
    """The columns of a table whose values are not written as they are."""
    columns = next(one for one in TABLES if one.name == table).columns
    return (
        *((column.name, tsv_text) for column in columns if column.type in _TIMES),
        *((column.name, day_text) for column in columns if column.type in _DAYS),
        *((column.name, str) for column in columns if column.type in _AMOUNTS),
    )


@lru_cache(maxsize=10_000)
def day_text(day: int) -> str:
    return date.fromordinal(day + _EPOCH).isoformat()

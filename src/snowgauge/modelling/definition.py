"""How a modelled table is described: as data that the DDL of both stores, the reference page and the modeller read.

What is not set is ``''`` in ClickHouse, where strings are never null, as in ``atomic.events``. In PostgreSQL an
identifier that is not set is NULL, so that ``count(DISTINCT …)`` counts none of it; every other text is ``''`` there
too.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal, NamedTuple

import msgspec

_INSTANT = "DateTime64(3, 'UTC')"


class Type(Enum):
    """A kind of value: its type in ClickHouse, its type in PostgreSQL, and what stands for "not set"."""

    ID = ("String", "TEXT", "")
    TEXT = ("String", "TEXT NOT NULL", "")
    LABEL = ("LowCardinality(String)", "TEXT NOT NULL", "")
    UUID = ("UUID", "UUID NOT NULL", "")
    TIME = (_INSTANT, "TIMESTAMP NOT NULL", 0)
    TIME_OR_NONE = (f"Nullable({_INSTANT})", "TIMESTAMP", None)
    DAY = ("Date", "DATE NOT NULL", 0)
    DAY_OR_NONE = ("Nullable(Date)", "DATE", None)
    FLAG = ("Bool", "BOOLEAN NOT NULL", False)
    SMALL = ("UInt16", "INT NOT NULL", 0)
    SMALL_OR_NONE = ("Nullable(UInt16)", "INT", None)
    COUNT = ("UInt32", "INT NOT NULL", 0)
    COUNT_OR_NONE = ("Nullable(UInt32)", "INT", None)
    INT_OR_NONE = ("Nullable(Int32)", "INT", None)
    BIG = ("UInt64", "BIGINT NOT NULL", 0)
    REAL_OR_NONE = ("Nullable(Float32)", "REAL", None)
    MONEY = ("Decimal(18, 2)", "NUMERIC(18, 2) NOT NULL", 0)
    MONEY_OR_NONE = ("Nullable(Decimal(18, 2))", "NUMERIC(18, 2)", None)
    PRICE_OR_NONE = ("Nullable(Decimal(18, 4))", "NUMERIC(18, 4)", None)
    QUANTITY_OR_NONE = ("Nullable(Decimal(18, 3))", "NUMERIC(18, 3)", None)
    LABELS = ("Array(LowCardinality(String))", "TEXT[] NOT NULL", ())
    TEXTS = ("Array(String)", "TEXT[] NOT NULL", ())

    def __init__(self, clickhouse: str, postgres: str, unset: Any) -> None:
        self.clickhouse = clickhouse
        self.postgres = postgres
        self.unset = unset


class Column(NamedTuple):
    """One column. ``definition`` says in words what its value is."""

    name: str
    type: Type
    definition: str


class Table(msgspec.Struct, frozen=True):
    """A modelled table.

    ``row``: what one row stands for. ``key``: the columns that tell rows apart; of two rows with one key the one with
    the higher ``model_version`` counts. ``day``: the time or day whose day (UTC) a row belongs to; a day is switched
    whole. Empty: the table has no days. ``order``: ClickHouse's sorting key, with nothing in it that is not in the key
    or fixed by it. ``search``: columns by which rows are looked for. ``version_column``: of rows with one key the
    highest counts. ``view``: the table is a view of the rows of ``view`` that meet ``condition``.
    """

    name: str
    row: str
    words: str
    columns: Sequence[Column]
    key: Sequence[str]
    order: Sequence[str] = ()
    day: str = ""
    search: Sequence[str] = ()
    version_column: str = "model_version"
    kind: Literal["rows", "view", "state"] = "rows"
    source: str = ""
    condition: str = ""

    @property
    def sorted_by(self) -> tuple[str, ...]:
        """The columns of ``order``: what tells a row apart in ClickHouse."""
        return tuple(part.removeprefix("toDate(").removesuffix(")") for part in self.order)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Raises ``KeyError``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")


UNIT = Column(
    "unit",
    Type.TEXT,
    "What is made again as a whole: the session's id; `view <view_id>` for a view without a session; `event "
    "<event_id>` "
    "for an event with neither",
)
MADE = (
    Column("model_version", Type.BIG, "Grows with every making; of rows with one key the highest counts"),
    Column("modelled_at", Type.TIME, "When the row was made"),
)

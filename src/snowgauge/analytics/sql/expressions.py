"""What the two databases write differently, each once: an expression here is rendered for either of them.

Everything else is SQLAlchemy's own. Values are bound parameters; what is written into the text is made here, of
numbers. Most expressions are a line per database, in which ``{0}``, ``{1}`` … stand for their arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from snowgauge.store.nested import NestedColumn
from snowgauge.store.postgres.figures import FoldingDialect

CLICKHOUSE = "clickhousedb"
POSTGRES = "postgresql"


class Written(FunctionElement[Any]):
    """An expression with a line per database, in a subclass."""

    inherit_cache = False
    clickhouse: ClassVar[str]
    postgres: ClassVar[str]

    def in_clickhouse(self, parts: Sequence[str], bind: Callable[[str], str]) -> str:  # noqa: ARG002
        """Its SQL, of that of its arguments. ``bind`` binds a text."""
        return self.clickhouse.format(*parts)

    def in_postgres(self, parts: Sequence[str], bind: Callable[[str], str], dialect: sa.Dialect) -> str:  # noqa: ARG002
        return self.postgres.format(*parts)


@compiles(Written, CLICKHOUSE)
def _(element: Written, compiler: SQLCompiler, **kw: Any) -> str:
    return element.in_clickhouse(_parts(element, compiler, kw), _binder(compiler, kw))


@compiles(Written, POSTGRES)
def _(element: Written, compiler: SQLCompiler, **kw: Any) -> str:
    return element.in_postgres(_parts(element, compiler, kw), _binder(compiler, kw), compiler.dialect)


def _parts(element: Written, compiler: SQLCompiler, kw: dict[str, Any]) -> list[str]:
    return [str(compiler.process(part, **kw)) for part in element.clauses]


def _binder(compiler: SQLCompiler, kw: dict[str, Any]) -> Callable[[str], str]:
    return lambda value: str(compiler.process(sa.bindparam(None, value, sa.String()), **kw))


class Instant(sa.ColumnElement[Any]):
    """An instant that we computed, ms since 1970, in the type of the tables' time columns."""

    type = sa.DateTime()
    inherit_cache = False

    def __init__(self, ms: int) -> None:
        self.ms = ms

    @property
    def text(self) -> str:
        return (datetime(1970, 1, 1) + timedelta(milliseconds=self.ms)).isoformat(" ", "milliseconds")


@compiles(Instant, CLICKHOUSE)
def _(element: Instant, _compiler: SQLCompiler, **_kw: Any) -> str:
    return f"toDateTime64('{element.text}', 3, 'UTC')"


@compiles(Instant, POSTGRES)
def _(element: Instant, _compiler: SQLCompiler, **_kw: Any) -> str:
    return f"timestamp '{element.text}'"


# ---- times ----------------------------------------------------------------------------------------------------------


class EpochMs(Written):
    """An instant as milliseconds since 1970."""

    type = sa.BigInteger()
    clickhouse = "toUnixTimestamp64Milli({0})"
    postgres = "floor(extract(epoch FROM {0}) * 1000)::bigint"


class DayMs(Written):
    """The UTC midnight of a date, ms since 1970."""

    type = sa.BigInteger()
    clickhouse = "(toInt64({0}) * 86400000)"
    postgres = "(({0} - date '1970-01-01')::bigint * 86400000)"


class Earlier(Written):
    """The first of two times, unless it is not set or more than 30 days before or a day after the second: then that."""

    type = sa.DateTime()
    clickhouse = postgres = (
        "(CASE WHEN {0} IS NOT NULL AND {0} >= {1} - INTERVAL '30' DAY AND {0} <= {1} + INTERVAL '1' DAY "
        "THEN {0} ELSE {1} END)"
    )


class BucketStart(Written):
    """The greatest of ``edges`` (ms, ascending) that is not above ``ms``; every ``ms`` is at least the first edge.

    Bounds of days, weeks and months in a zone are computed once, by us, so that both databases and every version of
    their time zone data agree.
    """

    type = sa.BigInteger()
    clickhouse = "roundDown({0}, CAST([{1}], 'Array(Int64)'))"
    postgres = "(ARRAY[{1}]::bigint[])[width_bucket({0}, ARRAY[{1}]::bigint[])]"

    def __init__(self, ms: sa.ColumnElement[int], edges: Sequence[int]) -> None:
        super().__init__(ms)
        self.edges = ", ".join(f"{edge:d}" for edge in edges)

    def in_clickhouse(self, parts: Sequence[str], bind: Callable[[str], str]) -> str:
        return super().in_clickhouse([*parts, self.edges], bind)

    def in_postgres(self, parts: Sequence[str], bind: Callable[[str], str], dialect: sa.Dialect) -> str:
        return super().in_postgres([*parts, self.edges], bind, dialect)


class HourOfDay(Written):
    """The hour, 0 to 23, of an instant and its distance from UTC, both in ms."""

    type = sa.Float()
    clickhouse = "toFloat64(modulo(intDiv({0} + {1}, 3600000), 24))"
    postgres = "mod(({0} + {1}) / 3600000, 24)::double precision"


class Weekday(Written):
    """The weekday, 1 (Monday) to 7, of an instant and its distance from UTC, both in ms. 1970 began on a Thursday."""

    type = sa.Float()
    clickhouse = "toFloat64(modulo(intDiv({0} + {1}, 86400000) + 3, 7) + 1)"
    postgres = "(mod(({0} + {1}) / 86400000 + 3, 7) + 1)::double precision"


# ---- numbers --------------------------------------------------------------------------------------------------------


class Number(Written):
    """Any number as a double, so that what comes from several tables has one type."""

    type = sa.Float()
    clickhouse = "toFloat64({0})"
    postgres = "({0})::double precision"


class Nothing(Written):
    """NULL where a number could be."""

    type = sa.Float()
    clickhouse = "CAST(NULL, 'Nullable(Float64)')"
    postgres = "NULL::double precision"


class NothingText(Written):
    """NULL where a text could be."""

    type = sa.String()
    clickhouse = "CAST(NULL, 'Nullable(String)')"
    postgres = "NULL::text"


class Mean(Written):
    """The mean of the values that are not NULL; NULL of none."""

    type = sa.Float()
    clickhouse = "avgOrNull(toFloat64({0}))"
    postgres = "avg(({0})::double precision)"


class Total(Written):
    """The sum of numbers; 0 of none. Money is added as decimals and handed over as a number."""

    type = sa.Float()
    clickhouse = "toFloat64(coalesce(sumOrNull({0}), 0))"
    postgres = "coalesce(sum({0}), 0)::double precision"


class Ratio(Written):
    """One double by another, ``times`` a number; NULL where that is 0."""

    type = sa.Float()
    clickhouse = postgres = "{2} * {0} / nullif({1}, 0)"

    def __init__(self, part: sa.ColumnElement[Any], whole: sa.ColumnElement[Any], *, times: int = 1) -> None:
        super().__init__(part, whole, sa.literal_column(str(times)))


class Quantile(Written):
    """The quantile of all values, interpolated between neighbours; values that are NULL do not count, of none: NULL."""

    type = sa.Float()
    clickhouse = "quantileExactInclusiveOrNull({1})(toFloat64({0}))"
    postgres = "percentile_cont({1}) WITHIN GROUP (ORDER BY ({0})::double precision)"

    def __init__(self, level: float, value: sa.ColumnElement[Any]) -> None:
        super().__init__(value, sa.literal_column(f"{level:g}"))


# ---- texts ----------------------------------------------------------------------------------------------------------


class Matches(Written):
    """Does a text match a pattern of the common subset (see ``patterns``) somewhere?"""

    type = sa.Boolean()
    clickhouse = "match({0}, {1})"
    postgres = "({0} ~ {1})"

    def __init__(self, text: sa.ColumnElement[str], pattern: str) -> None:
        super().__init__(text, sa.bindparam(None, pattern, sa.String()))


class Holds(Written):
    """Does a text hold another, anywhere? No character of it is special. ``fold``: the part is folded as the text has
    been."""

    type = sa.Boolean()
    clickhouse = "(position({0}, {1}) > 0)"
    postgres = "(strpos({0}, {1}) > 0)"

    def __init__(self, text: sa.ColumnElement[str], part: str, *, fold: bool = False) -> None:
        bound: sa.ColumnElement[str] = sa.bindparam(None, part, sa.String())
        super().__init__(text, Folded(bound) if fold else bound)


class Begins(Holds):
    """Does a text begin with another?"""

    clickhouse = "startsWith({0}, {1})"
    postgres = "starts_with({0}, {1})"


class Folded(Written):
    """A text in lower case."""

    type = sa.String()
    clickhouse = "lowerUTF8({0})"
    postgres = "lower(({0}){1})"

    def in_postgres(self, parts: Sequence[str], bind: Callable[[str], str], dialect: sa.Dialect) -> str:
        folding = dialect.folding if isinstance(dialect, FoldingDialect) else ""
        return super().in_postgres([*parts, folding], bind, dialect)


class Bytewise(Written):
    """A text as it is ordered and compared byte by byte, in any locale."""

    type = sa.String()
    clickhouse = "{0}"
    postgres = '({0}) COLLATE "C"'


class FirstFolder(Written):
    """A path down to its first folder: ``/blog/x`` and ``/blog`` are ``/blog``; ``/`` stays."""

    type = sa.String()
    clickhouse = "extract({0}, '^/?[^/]*')"
    postgres = "coalesce(substring({0} FROM '^/?[^/]*'), '')"


# ---- arrays: the values that one event has of a property ------------------------------------------------------------


class PropertyValues(Written):
    """The values of a property of one event, as an array of texts (see ``store.nested``)."""

    type = sa.ARRAY(sa.String)

    def __init__(self, column: NestedColumn, get: Callable[[str], sa.ColumnElement[Any]]) -> None:
        super().__init__(*(get(name) for name in ("contexts", "derived_contexts", "unstruct_event")))
        self.column = column

    def in_clickhouse(self, parts: Sequence[str], bind: Callable[[str], str]) -> str:  # noqa: ARG002
        from snowgauge.store.clickhouse.nested import nested_texts

        return f"arrayDistinct({nested_texts(self.column, lambda value, _kind: bind(value))})"

    def in_postgres(self, parts: Sequence[str], bind: Callable[[str], str], dialect: sa.Dialect) -> str:  # noqa: ARG002
        from snowgauge.store.postgres.nested import nested_rows

        row = next(one.table for one in self.clauses if isinstance(one, sa.Column)).name
        return f"ARRAY({nested_rows(self.column, str(row), lambda value, _kind: bind(value))})"


class Spread(Written):
    """One row for each text of an array, and one with ``''`` for an empty one. In the list of a SELECT only."""

    type = sa.String()
    clickhouse = "arrayJoin(if(empty({0}), [''], {0}))"
    postgres = "unnest(CASE WHEN cardinality({0}) = 0 THEN ARRAY[''] ELSE {0} END)"


class AnyOf(Written):
    """Does one text of an array meet a condition on ``ONE``?"""

    type = sa.Boolean()
    clickhouse = "arrayExists(one -> {1}, {0})"
    postgres = "EXISTS (SELECT 1 FROM unnest({0}) AS many(one) WHERE {1})"


ONE: sa.ColumnElement[str] = sa.literal_column("one", sa.String())
"""A text of the array that ``AnyOf`` looks through."""


class HasValues(Written):
    """Is there anything in an array?"""

    type = sa.Boolean()
    clickhouse = "notEmpty({0})"
    postgres = "(cardinality({0}) > 0)"


class FirstValue(Written):
    """The first text of an array; ``''`` of an empty one."""

    type = sa.String()
    clickhouse = "arrayElement({0}, 1)"
    postgres = "coalesce(({0})[1], '')"

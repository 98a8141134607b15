"""What the two databases write differently, each once: an expression here is rendered for either of them.

Everything else is SQLAlchemy's own. Values are bound parameters; what is written into the text is made here, of
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from snowgauge.store.nested import NestedColumn
from snowgauge.store.postgres.figures import FoldingDialect

CLICKHOUSE = "clickhousedb"
POSTGRES = "postgresql"


def _written(element: FunctionElement[Any], compiler: SQLCompiler, kw: dict[str, Any]) -> str:
    """The arguments, with commas between."""
    return str(compiler.process(element.clauses, **kw))


class EpochMs(FunctionElement[int]):
    """An instant as milliseconds since 1970."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(EpochMs, CLICKHOUSE)
def _(element: EpochMs, compiler: SQLCompiler, **kw: Any) -> str:
    return f"toUnixTimestamp64Milli({_written(element, compiler, kw)})"


@compiles(EpochMs, POSTGRES)
def _(element: EpochMs, compiler: SQLCompiler, **kw: Any) -> str:
    return f"floor(extract(epoch FROM {_written(element, compiler, kw)}) * 1000)::bigint"


class Instant(sa.ColumnElement[Any]):
    """An instant that we computed, ms since 1970, in the type of the tables' time columns."""

    type = sa.DateTime()
    inherit_cache = False

    def __init__(self, ms: int) -> None:
        self.ms = ms


@compiles(Instant, CLICKHOUSE)
def _(element: Instant, _compiler: SQLCompiler, **_kw: Any) -> str:
    return f"toDateTime64('{_moment(element.ms)}', 3, 'UTC')"


@compiles(Instant, POSTGRES)
def _(element: Instant, _compiler: SQLCompiler, **_kw: Any) -> str:
    return f"timestamp '{_moment(element.ms)}'"


def _moment(ms: int) -> str:
    moment = datetime(1970, 1, 1) + timedelta(milliseconds=ms)
    return moment.isoformat(" ", "milliseconds")


class BucketStart(FunctionElement[int]):
    """The greatest of ``edges`` (ms, ascending) that is not above ``ms``; every ``ms`` is at least the first edge.

    Bounds of days, weeks and months in a zone are computed once, by us, so that both databases and every version of
    their time zone data agree.
    """

    type = sa.BigInteger()
    inherit_cache = False

    def __init__(self, ms: sa.ColumnElement[int], edges: Sequence[int]) -> None:
        super().__init__(ms)
        self.edges = tuple(edges)


@compiles(BucketStart, CLICKHOUSE)
def _(element: BucketStart, compiler: SQLCompiler, **kw: Any) -> str:
    edges = ", ".join(f"{edge:d}" for edge in element.edges)
    return f"roundDown({_written(element, compiler, kw)}, CAST([{edges}], 'Array(Int64)'))"


@compiles(BucketStart, POSTGRES)
def _(element: BucketStart, compiler: SQLCompiler, **kw: Any) -> str:
    edges = f"ARRAY[{', '.join(f'{edge:d}' for edge in element.edges)}]::bigint[]"
    return f"({edges})[width_bucket({_written(element, compiler, kw)}, {edges})]"


class Quantile(FunctionElement[float]):
    """The quantile of all values, interpolated between neighbours; values that are NULL do not count, of none: NULL."""

    type = sa.Float()
    inherit_cache = False

    def __init__(self, level: float, value: sa.ColumnElement[Any]) -> None:
        super().__init__(value)
        self.level = level


@compiles(Quantile, CLICKHOUSE)
def _(element: Quantile, compiler: SQLCompiler, **kw: Any) -> str:
    return f"quantileExactInclusiveOrNull({element.level:g})(toFloat64({_written(element, compiler, kw)}))"


@compiles(Quantile, POSTGRES)
def _(element: Quantile, compiler: SQLCompiler, **kw: Any) -> str:
    value = f"({_written(element, compiler, kw)})::double precision"
    return f"percentile_cont({element.level:g}) WITHIN GROUP (ORDER BY {value})"


class Mean(FunctionElement[float]):
    """The mean of the values that are not NULL; NULL of none."""

    type = sa.Float()
    inherit_cache = True


@compiles(Mean, CLICKHOUSE)
def _(element: Mean, compiler: SQLCompiler, **kw: Any) -> str:
    return f"avgOrNull(toFloat64({_written(element, compiler, kw)}))"


@compiles(Mean, POSTGRES)
def _(element: Mean, compiler: SQLCompiler, **kw: Any) -> str:
    return f"avg(({_written(element, compiler, kw)})::double precision)"


class Total(FunctionElement[float]):
    """The sum of numbers; 0 of none. Money is added as decimals and handed over as a number."""

    type = sa.Float()
    inherit_cache = True


@compiles(Total, CLICKHOUSE)
def _(element: Total, compiler: SQLCompiler, **kw: Any) -> str:
    return f"toFloat64(coalesce(sumOrNull({_written(element, compiler, kw)}), 0))"


@compiles(Total, POSTGRES)
def _(element: Total, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(sum({_written(element, compiler, kw)}), 0)::double precision"


class Matches(FunctionElement[bool]):
    """Does a text match a pattern of the common subset (see ``patterns``) somewhere?"""

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, text: sa.ColumnElement[str], pattern: str) -> None:
        super().__init__(text, sa.bindparam(None, pattern, sa.String()))


@compiles(Matches, CLICKHOUSE)
def _(element: Matches, compiler: SQLCompiler, **kw: Any) -> str:
    return f"match({_written(element, compiler, kw)})"


@compiles(Matches, POSTGRES)
def _(element: Matches, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = (compiler.process(part, **kw) for part in element.clauses)
    return f"({text} ~ {pattern})"


class Holds(FunctionElement[bool]):
    """Does a text hold another, anywhere or (``at_start``) at its beginning? No character of it is special.

    ``fold``: the part is folded as the text has been.
    """

    type = sa.Boolean()
    inherit_cache = False

    def __init__(self, text: sa.ColumnElement[str], part: str, *, at_start: bool = False, fold: bool = False) -> None:
        bound: sa.ColumnElement[str] = sa.bindparam(None, part, sa.String())
        super().__init__(text, Folded(bound) if fold else bound)
        self.at_start = at_start


@compiles(Holds, CLICKHOUSE)
def _(element: Holds, compiler: SQLCompiler, **kw: Any) -> str:
    both = _written(element, compiler, kw)
    return f"startsWith({both})" if element.at_start else f"(position({both}) > 0)"


@compiles(Holds, POSTGRES)
def _(element: Holds, compiler: SQLCompiler, **kw: Any) -> str:
    both = _written(element, compiler, kw)
    return f"starts_with({both})" if element.at_start else f"(strpos({both}) > 0)"


class Folded(FunctionElement[str]):
    """A text in lower case."""

    type = sa.String()
    inherit_cache = True


@compiles(Folded, CLICKHOUSE)
def _(element: Folded, compiler: SQLCompiler, **kw: Any) -> str:
    return f"lowerUTF8({_written(element, compiler, kw)})"


@compiles(Folded, POSTGRES)
def _(element: Folded, compiler: SQLCompiler, **kw: Any) -> str:
    text = _written(element, compiler, kw)
    folding = compiler.dialect.folding if isinstance(compiler.dialect, FoldingDialect) else ""
    return f"lower(({text}){folding})"


class Bytewise(FunctionElement[str]):
    """A text as it is ordered and compared byte by byte, in any locale."""

    type = sa.String()
    inherit_cache = True


@compiles(Bytewise, CLICKHOUSE)
def _(element: Bytewise, compiler: SQLCompiler, **kw: Any) -> str:
    return _written(element, compiler, kw)


@compiles(Bytewise, POSTGRES)
def _(element: Bytewise, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({_written(element, compiler, kw)}) COLLATE "C"'


class Ratio(FunctionElement[float]):
    """One double by another, ``times`` a number; NULL where that is 0."""

    type = sa.Float()
    inherit_cache = False

    def __init__(self, part: sa.ColumnElement[Any], whole: sa.ColumnElement[Any], *, times: int = 1) -> None:
        super().__init__(part, whole)
        self.times = times


@compiles(Ratio, CLICKHOUSE)
@compiles(Ratio, POSTGRES)
def _(element: Ratio, compiler: SQLCompiler, **kw: Any) -> str:
    part, whole = (compiler.process(one, **kw) for one in element.clauses)
    return f"{element.times:d} * {part} / nullif({whole}, 0)"


class Number(FunctionElement[float]):
    """Any number as a double, so that what comes from several tables has one type."""

    type = sa.Float()
    inherit_cache = True


@compiles(Number, CLICKHOUSE)
def _(element: Number, compiler: SQLCompiler, **kw: Any) -> str:
    return f"toFloat64({_written(element, compiler, kw)})"


@compiles(Number, POSTGRES)
def _(element: Number, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({_written(element, compiler, kw)})::double precision"


class Nothing(FunctionElement[float]):
    """NULL where a number could be."""

    type = sa.Float()
    inherit_cache = True


@compiles(Nothing, CLICKHOUSE)
def _(_element: Nothing, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "CAST(NULL, 'Nullable(Float64)')"


@compiles(Nothing, POSTGRES)
def _(_element: Nothing, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "NULL::double precision"


class PropertyValues(FunctionElement[Any]):
    """The values of a property of one event, as an array of texts (see ``store.nested``)."""

    type = sa.ARRAY(sa.String)
    inherit_cache = False

    def __init__(self, column: NestedColumn, get: Callable[[str], sa.ColumnElement[Any]]) -> None:
        super().__init__(*(get(name) for name in ("contexts", "derived_contexts", "unstruct_event")))
        self.column = column


@compiles(PropertyValues, CLICKHOUSE)
def _(element: PropertyValues, compiler: SQLCompiler, **kw: Any) -> str:
    from snowgauge.store.clickhouse.nested import nested_texts

    return f"arrayDistinct({nested_texts(element.column, _binder(compiler, kw))})"


@compiles(PropertyValues, POSTGRES)
def _(element: PropertyValues, compiler: SQLCompiler, **kw: Any) -> str:
    from snowgauge.store.postgres.nested import nested_rows

    row = next(one.table for one in element.clauses if isinstance(one, sa.Column)).name
    found = nested_rows(element.column, str(row), _binder(compiler, kw))
    return f"ARRAY({found})"


def _binder(compiler: SQLCompiler, kw: dict[str, Any]) -> Callable[[str, str], str]:
    """Binds a text; both stores ask for nothing else here."""
    return lambda value, _kind: str(compiler.process(sa.bindparam(None, value, sa.String()), **kw))


class Spread(FunctionElement[str]):
    """One row for each text of an array, and one with ``''`` for an empty one. In the list of a SELECT only."""

    type = sa.String()
    inherit_cache = True


@compiles(Spread, CLICKHOUSE)
def _(element: Spread, compiler: SQLCompiler, **kw: Any) -> str:
    values = _written(element, compiler, kw)
    return f"arrayJoin(if(empty({values}), [''], {values}))"


@compiles(Spread, POSTGRES)
def _(element: Spread, compiler: SQLCompiler, **kw: Any) -> str:
    values = _written(element, compiler, kw)
    return f"unnest(CASE WHEN cardinality({values}) = 0 THEN ARRAY[''] ELSE {values} END)"


class AnyOf(FunctionElement[bool]):
    """Does one text of an array meet a condition on ``ONE``?"""

    type = sa.Boolean()
    inherit_cache = False

    def __init__(self, values: sa.ColumnElement[Any], condition: sa.ColumnElement[bool]) -> None:
        super().__init__(values, condition)


ONE: sa.ColumnElement[str] = sa.literal_column("one", sa.String())
"""A text of the array that ``AnyOf`` looks through."""


@compiles(AnyOf, CLICKHOUSE)
def _(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    values, condition = (compiler.process(part, **kw) for part in element.clauses)
    return f"arrayExists(one -> {condition}, {values})"


@compiles(AnyOf, POSTGRES)
def _(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    values, condition = (compiler.process(part, **kw) for part in element.clauses)
    return f"EXISTS (SELECT 1 FROM unnest({values}) AS many(one) WHERE {condition})"  # noqa: S608 - compiled parts


class FirstValue(FunctionElement[str]):
    """The first text of an array; ``''`` of an empty one."""

    type = sa.String()
    inherit_cache = True


@compiles(FirstValue, CLICKHOUSE)
def _(element: FirstValue, compiler: SQLCompiler, **kw: Any) -> str:
    return f"arrayElement({_written(element, compiler, kw)}, 1)"


@compiles(FirstValue, POSTGRES)
def _(element: FirstValue, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(({_written(element, compiler, kw)})[1], '')"


class Earlier(FunctionElement[Any]):
    """The first of two times, unless it is not set or more than 30 days before or a day after the second: then that."""

    type = sa.DateTime()
    inherit_cache = True


@compiles(Earlier, CLICKHOUSE)
@compiles(Earlier, POSTGRES)
def _(element: Earlier, compiler: SQLCompiler, **kw: Any) -> str:
    first, second = (compiler.process(part, **kw) for part in element.clauses)
    near = f"{first} >= {second} - INTERVAL '30' DAY AND {first} <= {second} + INTERVAL '1' DAY"
    return f"(CASE WHEN {first} IS NOT NULL AND {near} THEN {first} ELSE {second} END)"


class NothingText(FunctionElement[str]):
    """NULL where a text could be."""

    type = sa.String()
    inherit_cache = True


@compiles(NothingText, CLICKHOUSE)
def _(_element: NothingText, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "CAST(NULL, 'Nullable(String)')"


@compiles(NothingText, POSTGRES)
def _(_element: NothingText, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "NULL::text"


class HasValues(FunctionElement[bool]):
    """Is there anything in an array?"""

    type = sa.Boolean()
    inherit_cache = True


@compiles(HasValues, CLICKHOUSE)
def _(element: HasValues, compiler: SQLCompiler, **kw: Any) -> str:
    return f"notEmpty({_written(element, compiler, kw)})"


@compiles(HasValues, POSTGRES)
def _(element: HasValues, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(cardinality({_written(element, compiler, kw)}) > 0)"


class ClockPart(FunctionElement[float]):
    """The hour (0 to 23), or the weekday (1 is Monday), of an instant and its distance from UTC, both in ms."""

    type = sa.Float()
    inherit_cache = False

    def __init__(self, ms: sa.ColumnElement[int], offset: sa.ColumnElement[int], weekday: bool) -> None:
        super().__init__(ms, offset)
        self.weekday = weekday

    def formula(self, days_or_hours: Callable[[str, int], str], local: str) -> str:
        """``days_or_hours`` divides, leaving out the rest."""
        if self.weekday:
            # 1 January 1970 was a Thursday
            return f"mod({days_or_hours(local, 86_400_000)} + 3, 7) + 1"
        return f"mod({days_or_hours(local, 3_600_000)}, 24)"


@compiles(ClockPart, CLICKHOUSE)
def _(element: ClockPart, compiler: SQLCompiler, **kw: Any) -> str:
    ms, offset = (compiler.process(part, **kw) for part in element.clauses)
    return f"toFloat64({element.formula(lambda a, b: f'intDiv({a}, {b})', f'{ms} + {offset}')})"


@compiles(ClockPart, POSTGRES)
def _(element: ClockPart, compiler: SQLCompiler, **kw: Any) -> str:
    ms, offset = (compiler.process(part, **kw) for part in element.clauses)
    return f"({element.formula(lambda a, b: f'(({a}) / {b})', f'{ms} + {offset}')})::double precision"


class FirstFolder(FunctionElement[str]):
    """A path down to its first folder: ``/blog/x`` and ``/blog`` are ``/blog``; ``/`` stays."""

    type = sa.String()
    inherit_cache = True


@compiles(FirstFolder, CLICKHOUSE)
def _(element: FirstFolder, compiler: SQLCompiler, **kw: Any) -> str:
    return f"extract({_written(element, compiler, kw)}, '^/?[^/]*')"


@compiles(FirstFolder, POSTGRES)
def _(element: FirstFolder, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(substring({_written(element, compiler, kw)} FROM '^/?[^/]*'), '')"

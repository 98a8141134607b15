"""Moments and what follows them, as the two databases write it: an event's time (ms) and its id, in this order.

In ClickHouse a moment is a tuple, in PostgreSQL a text that is ordered byte by byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from snowgauge.analytics.sql.expressions import CLICKHOUSE, POSTGRES

_DIGITS = 13
"""Of a time in ms between 2001 and 2286; earlier ones are filled up with zeros."""


def _one(element: FunctionElement[Any], compiler: SQLCompiler, kw: dict[str, Any]) -> str:
    return str(compiler.process(element.clauses, **kw))


def _parts(element: FunctionElement[Any], compiler: SQLCompiler, kw: dict[str, Any]) -> list[str]:
    return [str(compiler.process(part, **kw)) for part in element.clauses]


class Whole(FunctionElement[int]):
    """A number as a 64-bit integer that is never NULL."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(Whole, CLICKHOUSE)
def _(element: Whole, compiler: SQLCompiler, **kw: Any) -> str:
    return f"assumeNotNull(toInt64({_one(element, compiler, kw)}))"


@compiles(Whole, POSTGRES)
def _(element: Whole, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({_one(element, compiler, kw)})::bigint"


class Plain(FunctionElement[str]):
    """Anything as a text that is never NULL, compared byte by byte."""

    type = sa.String()
    inherit_cache = True


@compiles(Plain, CLICKHOUSE)
def _(element: Plain, compiler: SQLCompiler, **kw: Any) -> str:
    return f"ifNull(toString({_one(element, compiler, kw)}), '')"


@compiles(Plain, POSTGRES)
def _(element: Plain, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(({_one(element, compiler, kw)})::text, '') COLLATE \"C\""


class Moments(FunctionElement[Any]):
    """An aggregate: the moments of the rows for which a flag is 1, ascending."""

    type = sa.types.NullType()
    inherit_cache = True

    def __init__(self, ms: sa.ColumnElement[Any], event_id: sa.ColumnElement[Any], flag: sa.ColumnElement[Any]) -> None:
        super().__init__(ms, event_id, flag)


@compiles(Moments, CLICKHOUSE)
def _(element: Moments, compiler: SQLCompiler, **kw: Any) -> str:
    ms, event_id, flag = _parts(element, compiler, kw)
    return f"arraySort(groupArrayIf(({ms}, {event_id}), {flag} = 1))"


@compiles(Moments, POSTGRES)
def _(element: Moments, compiler: SQLCompiler, **kw: Any) -> str:
    ms, event_id, flag = _parts(element, compiler, kw)
    moment = f"(lpad({ms}::text, {_DIGITS}, '0') || {event_id}) COLLATE \"C\""
    return f"coalesce(array_agg({moment} ORDER BY {moment}) FILTER (WHERE {flag} = 1), '{{}}')"


class BestTry(FunctionElement[Any]):
    """Of arrays of moments, one per step: the times (ms) at which the steps were reached by the attempt that got
    furthest, of equal ones the first; 0 for steps that it did not reach.

    An attempt begins with a moment of the first array, goes on with the next moment of each further one, and lasts
    ``window`` ms.
    """

    type = sa.ARRAY(sa.BigInteger)
    inherit_cache = False

    def __init__(self, steps: Sequence[sa.ColumnElement[Any]], window: int) -> None:
        super().__init__(*steps)
        self.window = window


@compiles(BestTry, CLICKHOUSE)
def _(element: BestTry, compiler: SQLCompiler, **kw: Any) -> str:
    steps = _parts(element, compiler, kw)
    count = len(steps)
    # one attempt after another is carried on, step by step; what is found for no step is (0, '')
    chain = [f"({steps[0]} AS try_1)"]
    for at in range(1, count):
        following = f"arrayFirst(y -> y > x AND y.1 <= s.1 + {element.window:d}, {steps[at]})"
        chain.append(
            f"(arrayMap((x, s) -> if(x.1 = 0, (toInt64(0), ''), {following}), try_{at}, try_1) AS try_{at + 1})"
        )
    names = [f"x{at}" for at in range(1, count + 1)]
    depth = " + ".join(f"({name}.1 != 0)" for name in names)
    tries = ", ".join(chain)
    depths = f"arrayMap(({', '.join(names)}) -> {depth}, {tries})"
    best = f"(indexOf(({depths} AS depths), arrayMax(depths)) AS best_try)"
    places = [best, *["best_try"] * (count - 1)]
    return f"[{', '.join(f'try_{at}[{place}].1' for at, place in enumerate(places, 1))}]"


@compiles(BestTry, POSTGRES)
def _(element: BestTry, compiler: SQLCompiler, **kw: Any) -> str:
    steps = _parts(element, compiler, kw)
    count = len(steps)
    joins = [f"unnest({steps[0]}) WITH ORDINALITY AS tries(x1, place)"]
    for at in range(2, count + 1):
        # the array's first element after x: bounds are sorted, and width_bucket counts those that are not above it
        following = f"({steps[at - 1]})[width_bucket(x{at - 1}, {steps[at - 1]}) + 1]"
        joins.append(f"LATERAL (SELECT {following} AS y{at}) AS next_{at}")
        near = f"left(y{at}, {_DIGITS})::bigint <= left(x1, {_DIGITS})::bigint + {element.window:d}"
        joins.append(f"LATERAL (SELECT CASE WHEN {near} THEN y{at} END AS x{at}) AS near_{at}")
    times = [f"coalesce(left(x{at}, {_DIGITS})::bigint, 0)" for at in range(1, count + 1)]
    depth = " + ".join(f"(x{at} IS NOT NULL)::int" for at in range(1, count + 1))
    return f"(SELECT ARRAY[{', '.join(times)}] FROM {' CROSS JOIN '.join(joins)} ORDER BY {depth} DESC, place LIMIT 1)"  # noqa: S608


class Element(FunctionElement[Any]):
    """The element of an array with a number, from 1."""

    type = sa.BigInteger()
    inherit_cache = False

    def __init__(self, values: sa.ColumnElement[Any], number: int) -> None:
        super().__init__(values)
        self.number = number


@compiles(Element, CLICKHOUSE)
@compiles(Element, POSTGRES)
def _(element: Element, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({_one(element, compiler, kw)})[{element.number:d}]"


class FirstText(FunctionElement[str]):
    """An aggregate: the text of the row with the first moment among those for which a flag is 1; ``''`` of none."""

    type = sa.String()
    inherit_cache = True

    def __init__(
        self,
        text: sa.ColumnElement[Any],
        ms: sa.ColumnElement[Any],
        event_id: sa.ColumnElement[Any],
        flag: sa.ColumnElement[Any],
    ) -> None:
        super().__init__(text, ms, event_id, flag)


@compiles(FirstText, CLICKHOUSE)
def _(element: FirstText, compiler: SQLCompiler, **kw: Any) -> str:
    text, ms, event_id, flag = _parts(element, compiler, kw)
    return f"argMinIf({text}, ({ms}, {event_id}), {flag} = 1)"


@compiles(FirstText, POSTGRES)
def _(element: FirstText, compiler: SQLCompiler, **kw: Any) -> str:
    text, ms, event_id, flag = _parts(element, compiler, kw)
    return f"coalesce((array_agg({text} ORDER BY {ms}, {event_id}) FILTER (WHERE {flag} = 1))[1], '')"


class Sorted(FunctionElement[Any]):
    """Some times (ms) as an array, ascending, those that are 0 at its end."""

    type = sa.ARRAY(sa.BigInteger)
    inherit_cache = True

    def __init__(self, times: Sequence[sa.ColumnElement[Any]]) -> None:
        super().__init__(*times)


@compiles(Sorted, CLICKHOUSE)
def _(element: Sorted, compiler: SQLCompiler, **kw: Any) -> str:
    return f"arraySort(x -> (x = 0, x), [{_one(element, compiler, kw)}])"


@compiles(Sorted, POSTGRES)
def _(element: Sorted, compiler: SQLCompiler, **kw: Any) -> str:
    return f"ARRAY(SELECT x FROM unnest(ARRAY[{_one(element, compiler, kw)}]) AS times(x) ORDER BY x = 0, x)"  # noqa: S608


class Decimal(FunctionElement[float]):
    """The number that a text is; NULL of any other text."""

    type = sa.Float()
    inherit_cache = True


@compiles(Decimal, CLICKHOUSE)
def _(element: Decimal, compiler: SQLCompiler, **kw: Any) -> str:
    text = _one(element, compiler, kw)
    return f"if(match({text}, '{_NUMBER}'), toFloat64OrNull({text}), NULL)"


@compiles(Decimal, POSTGRES)
def _(element: Decimal, compiler: SQLCompiler, **kw: Any) -> str:
    text = _one(element, compiler, kw)
    return f"(CASE WHEN {text} ~ '{_NUMBER}' THEN ({text})::double precision END)"


_NUMBER = "^-?[0-9]{1,100}([.][0-9]{1,100})?([eE][-+]?[0-9]{1,2})?$"

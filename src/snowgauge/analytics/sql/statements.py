"""A question as one statement.

Parts of measures that come from the same base are taken in one pass over its rows. Passes are laid one under the other
and folded into one row per group, so that a row has all measures, whichever tables they are from.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.buckets import offsets
from snowgauge.analytics.conditions import Both, Filter, conditions
from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.measures import CURRENCIES, Measure, Part
from snowgauge.analytics.question import Along, Order, Question
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.sql.bases import BASES, VIEWS, VISITS, Base, Home
from snowgauge.analytics.sql.expressions import (
    BucketStart,
    Bytewise,
    EpochMs,
    HasValues,
    HourOfDay,
    Nothing,
    NothingText,
    Number,
    PropertyValues,
    Spread,
    Weekday,
)
from snowgauge.analytics.sql.filters import Filters, carries
from snowgauge.analytics.sql.imported import Counted, with_imported
from snowgauge.analytics.sql.rows import Columns, Selected, rows
from snowgauge.store.figures import Figures
from snowgauge.store.nested import NestedColumn

Key = tuple[str | float | None, ...]
"""The values of a row's dimensions."""


@dataclass(frozen=True)
class Pass:
    """Parts that are taken of the rows of one base together, divided by ``dimensions`` (their numbers)."""

    base: Base
    dimensions: tuple[int, ...]
    filters: tuple[Filter, ...]
    over: tuple[str, ...]
    parts: tuple[Part, ...]
    reference: bool


@dataclass(frozen=True)
class Statement:
    """``sql``'s columns: ``d0``…, ``m0``… as the question has dimensions and measures, then currencies, with imported
    days ``i0``… as there are measures, and ``n``, the number of all rows. ``currencies`` counts those columns.
    ``apart``: see ``Filters``."""

    sql: sa.Select[Any]
    currencies: int
    apart: tuple[str, ...]


def statement(
    question: Question, figures: Figures, *, only: Sequence[Key] | None = None, imported: Counted | None = None
) -> Statement:
    """``only``: just the groups of these keys, where none of the dimensions is of time. ``imported``: what to add of
    imported days. Raises ``QuestionRefused``."""
    parts = _parts(question)
    passes = _passes(question, parts)
    apart: list[str] = []
    grouped = [one for one in passes if not one.reference]
    selects = [_taken(question, one, figures, apart) for one in grouped]
    groups = _folded(question, grouped, selects)
    source: sa.FromClause = groups
    values: dict[str, sa.ColumnElement[Any]] = {
        part.name: groups.c[f"p_{part.name}"] for one in grouped for part in one.parts
    }
    for number, one in enumerate(one for one in passes if one.reference):
        taken = _taken(question, one, figures, apart).subquery(f"reference{number}")
        if one.dimensions:
            same = [groups.c[f"d{at}"].is_not_distinct_from(taken.c[f"d{at}"]) for at in one.dimensions]
            source = source.join(taken, sa.and_(*same), isouter=True)
        for part in one.parts:
            column = taken.c[f"p_{part.name}"]
            value = column if one.dimensions else sa.select(column).scalar_subquery()
            values[part.name] = sa.func.coalesce(value, 0) if part.counts else value
    dimensions = [groups.c[f"d{index}"] for index in range(len(question.dimensions))]
    measures = [_measure(one, values).label(f"m{at}") for at, one in enumerate(question.measures)]
    currencies = [values[part.name] for kind in _currencies(question) for part in CURRENCIES[kind]]
    named = [column.label(f"c{at}") for at, column in enumerate(currencies)]
    total = sa.func.count().over().label("n")
    found = sa.select(*dimensions, *measures, *named).select_from(source)
    ordered: Sequence[sa.ColumnElement[Any]] = measures
    divided: Sequence[sa.ColumnElement[Any]] = dimensions
    if imported is not None:
        found, ordered = with_imported(question, found, imported, figures)
        divided = [found.selected_columns[f"d{index}"] for index in range(len(question.dimensions))]
    found = found.add_columns(total)
    if only is not None:
        found = found.where(_among(divided, only))
    for order in question.order:
        found = found.order_by(_ordered(question, order, divided, ordered))
    for place, dimension in zip(divided, question.dimensions, strict=True):
        found = found.order_by(_plain_order(place, dimension))
    found = found.limit(question.limit).offset(question.offset) if divided else found
    return Statement(found, len(named), tuple(dict.fromkeys(apart)))


def _parts(question: Question) -> list[Part]:
    found = {part.name: part for measure in question.measures for part in measure.parts}
    found |= {part.name: part for kind in _currencies(question) for part in CURRENCIES[kind]}
    return list(found.values())


def _currencies(question: Question) -> list[str]:
    return list(dict.fromkeys(one.currency for one in question.measures if one.currency))


def _passes(question: Question, parts: Sequence[Part]) -> list[Pass]:
    gathered: dict[tuple[str, tuple[int, ...], str, tuple[str, ...]], list[Part]] = {}
    for part in parts:
        base, dimensions = _base_of(question, part)
        gathered.setdefault((base.name, dimensions, part.reference, tuple(part.over)), []).append(part)
    found = []
    for (base_name, dimensions, reference, over), taken in gathered.items():
        base = BASES[base_name]
        filters = tuple(_common(question.filters)) if reference else question.filters
        found.append(Pass(base, dimensions, filters, over, tuple(taken), bool(reference)))
    return found


def _base_of(question: Question, part: Part) -> tuple[Base, tuple[int, ...]]:
    """The base that the part is taken from, and the dimensions by which it is divided there."""
    every = tuple(range(len(question.dimensions)))
    if part.reference == "of all":
        return part.bases[0], tuple(at for at in every if isinstance(question.dimensions[at], Along))
    if part.reference == "of the group":
        wanted = tuple(at for at in every if _common_dimension(question.dimensions[at]))
    else:
        wanted = every
    fit = [base for base in part.bases if all(_divides(question.dimensions[at], base) for at in wanted)]
    if not fit:
        raise _indivisible(question, part)
    if fit[0].entry_pages and not _about_pages(question):
        # then entries are nothing but visits, and one pass over them is enough
        return VISITS, wanted
    if part.follows_filters:
        asked = next((base for base in fit if all(carries(base, one) for one in question.filters)), fit[0])
        return asked, wanted
    return fit[0], wanted


def _about_pages(question: Question) -> bool:
    """Does it say anything that means the page entered on, for a visit?"""
    asked = [condition.dimension for one in question.filters for condition in conditions(one)]
    asked += [one for one in question.dimensions if isinstance(one, Dimension)]
    return any(one.entry is not None for one in asked)


def _divides(dimension: Dimension | Along, base: Base) -> bool:
    return isinstance(dimension, Along) or dimension.place(base) is not None


def _indivisible(question: Question, part: Part) -> QuestionRefused:
    at = next(at for at, one in enumerate(question.measures) if part in one.parts or one.currency)
    measure = question.measures[at]
    strange = [
        one.name
        for one in question.dimensions
        if isinstance(one, Dimension) and not any(_divides(one, base) for base in part.bases)
    ]
    counted = " or ".join(dict.fromkeys(base.words for base in part.bases))
    if strange:
        reason = f"it is made of {counted}, and these have no {' and no '.join(strange)}"
    else:
        named = " and ".join(one.name for one in question.dimensions if isinstance(one, Dimension))
        reason = f"it is made of {counted}, and none of them has {named} together"
    return QuestionRefused(f"metrics[{at}]", f"{measure.name} cannot be divided like this: {reason}")


def _common_dimension(dimension: Dimension | Along) -> bool:
    """Has a visit or a page it, whatever happened there?"""
    return isinstance(dimension, Along) or _divides(dimension, VISITS) or _divides(dimension, VIEWS)


def _common(filters: Sequence[Filter]) -> list[Filter]:
    """Filters without what they say about goals and other events than page views."""
    found: list[Filter] = []
    for one in filters:
        if all(_common_dimension(condition.dimension) for condition in conditions(one)):
            found.append(one)
        elif isinstance(one, Both) and one.kind != "or" and (parts := _common(one.parts)):
            found.append(Both(one.kind, tuple(parts), one.where))
    return found


def _taken(question: Question, one: Pass, figures: Figures, apart: list[str]) -> sa.Select[Any]:
    """The rows ``d…`` and ``p_…`` of one pass."""
    filters = Filters(one.base, question.span, figures)
    names = [f"d{at}" for at in one.dimensions]
    nested = any(isinstance(dimension, Dimension) and dimension.nested for dimension in _of(question, one))

    def build(columns: Columns) -> Selected:
        get = _getter(one.base, columns)
        met = filters.met(one.filters, columns)
        divided = [
            _dimension(question, at, one.base, columns).label(name)
            for at, name in zip(one.dimensions, names, strict=True)
        ]
        if nested:
            raw = [get(column).label(f"r_{column}") for column in _OF_AN_EVENT]
            has = [_has_property(dimension, columns) for dimension in _of(question, one)]
            return Selected([*divided, *raw], sa.and_(met, *has))
        if one.over:
            groups = [make(get).label(f"k_{name}") for name, make in one.parts[0].over.items()]
            inner = {name: make for part in one.parts for name, make in part.inner.items()}
            values = [make(get).label(f"i_{name}") for name, make in inner.items()]
            return Selected([*divided, *groups, *values], met)
        return Selected([*divided, *(_aggregate(part, get) for part in one.parts)], met)

    found = rows(one.base, question.span, figures, build)
    apart += filters.apart
    if not nested and not one.over:
        return found.group_by(*map(sa.literal_column, names))
    prefix = "r_" if nested else "i_"
    if one.over:
        keys = [*names, *(f"k_{name}" for name in one.over)]
        found = found.group_by(*map(sa.literal_column, keys))
    level = found.subquery("inner_rows")
    outer = [level.c[name] for name in names]
    parts = [_aggregate(part, lambda name: level.c[f"{prefix}{name}"]) for part in one.parts]
    return sa.select(*outer, *parts).group_by(*outer)


_OF_AN_EVENT = ("event_id", "session_id", "person_id")


def _of(question: Question, one: Pass) -> list[Dimension | Along]:
    return [question.dimensions[at] for at in one.dimensions]


def _getter(base: Base, columns: Columns) -> Callable[[str], sa.ColumnElement[Any]]:
    def get(name: str) -> sa.ColumnElement[Any]:
        home: Home = base.home
        if name == "person_id":
            home, name = base.person
        return columns(home, name)

    return get


def _aggregate(part: Part, get: Callable[[str], sa.ColumnElement[Any]]) -> sa.Label[Any]:
    found = part.aggregate(get)
    return (found if part.is_text else Number(found)).label(f"p_{part.name}")


def _dimension(question: Question, at: int, base: Base, columns: Columns) -> sa.ColumnElement[Any]:
    one = question.dimensions[at]
    if isinstance(one, Along):
        ms = EpochMs(columns(base.home, base.time))
        if one.dimension.clock is None:
            return BucketStart(ms, [bucket.start for bucket in one.buckets])
        return _on_the_clock(ms, one, question)
    found = one.place(base)
    assert found is not None
    home, place = found
    value = place(lambda name: columns(home, name))
    if one.nested is not None:
        return Spread(value)
    return Number(value) if one.kind == "number" else value


def _on_the_clock(ms: sa.ColumnElement[int], one: Along, question: Question) -> sa.ColumnElement[Any]:
    changes = offsets(question.period)
    offset: sa.ColumnElement[int] = sa.literal_column(str(changes[-1][1]), sa.BigInteger())
    if len(changes) > 1:
        later = [
            (ms < sa.literal_column(str(until), sa.BigInteger()), sa.literal_column(str(ms_from_utc), sa.BigInteger()))
            for (_, ms_from_utc), (until, _) in itertools.pairwise(changes)
        ]
        offset = sa.case(*later, else_=offset)
    return Weekday(ms, offset) if one.dimension.clock == "weekday" else HourOfDay(ms, offset)


def _has_property(dimension: Dimension | Along, columns: Columns) -> sa.ColumnElement[bool]:
    """The event has what the property is of."""
    if not isinstance(dimension, Dimension) or dimension.nested is None:
        return sa.true()
    nested = dimension.nested
    if not nested.entity:
        return sa.and_(
            columns("events", "event_vendor") == nested.vendor, columns("events", "event_name") == nested.name
        )
    version = NestedColumn(True, nested.vendor, nested.name, nested.model, ())
    return HasValues(PropertyValues(version, lambda name: columns("events", name)))


def _folded(question: Question, passes: Sequence[Pass], selects: Sequence[sa.Select[Any]]) -> sa.Subquery:
    """One row per group with the parts of all passes."""
    if len(passes) == 1:
        return selects[0].subquery("groups")
    names = [f"d{at}" for at in range(len(question.dimensions))]
    parts = [part for one in passes for part in one.parts]
    laid: list[sa.Select[Any]] = []
    for one, select in zip(passes, selects, strict=True):
        rows_of = select.subquery(f"of_{one.base.name}_{len(laid)}")
        columns = [rows_of.c[name] for name in names]
        for part in parts:
            nothing = NothingText() if part.is_text else Nothing()
            taken = rows_of.c[f"p_{part.name}"] if part in one.parts else nothing
            columns.append(taken.label(f"p_{part.name}"))
        laid.append(sa.select(*columns))
    every = sa.union_all(*laid).subquery("every")
    keys = [every.c[name] for name in names]
    folded = []
    for part in parts:
        value = sa.func.max(every.c[f"p_{part.name}"])
        folded.append((sa.func.coalesce(value, 0) if part.counts else value).label(f"p_{part.name}"))
    return sa.select(*keys, *folded).group_by(*keys).subquery("groups")


def _measure(one: Measure, values: dict[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    found = one.combine(*(values[part.name] for part in one.parts))
    if not one.currency:
        return found
    first, last = (values[part.name] for part in CURRENCIES[one.currency])
    return sa.case((sa.or_(first.is_(None), first == last), found))


def _among(dimensions: Sequence[sa.ColumnElement[Any]], keys: Sequence[Key]) -> sa.ColumnElement[bool]:
    """Is the group one of these?"""
    if not keys:
        return sa.false()
    if len(dimensions) == 1:
        return dimensions[0].in_([_bound(key[0]) for key in keys])
    return sa.or_(
        *(sa.and_(*(column == _bound(value) for column, value in zip(dimensions, key, strict=True))) for key in keys)
    )


def _bound(value: str | float | None) -> sa.ColumnElement[Any]:
    if isinstance(value, int | float):
        return sa.bindparam(None, float(value), sa.Float())
    return sa.bindparam(None, value or "", sa.String())


def _ordered(
    question: Question,
    order: Order,
    dimensions: Sequence[sa.ColumnElement[Any]],
    measures: Sequence[sa.ColumnElement[Any]],
) -> sa.ColumnElement[Any]:
    names = [one.name for one in question.measures]
    if order.name in names:
        column = measures[names.index(order.name)]
    else:
        at = [one.name for one in question.dimensions].index(order.name)
        column = _plain_order(dimensions[at], question.dimensions[at])
    return (column.desc() if order.descending else column.asc()).nulls_last()


def _plain_order(column: sa.ColumnElement[Any], dimension: Dimension | Along) -> sa.ColumnElement[Any]:
    return Bytewise(column) if isinstance(dimension, Dimension) and dimension.kind == "text" else column

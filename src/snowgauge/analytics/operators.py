"""How a value is compared: one entry per operator, with its words for people and the condition it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.patterns import PatternRefused, common, wildcard
from snowgauge.analytics.sql.expressions import Begins, Folded, Holds, Matches

Kind = Literal["text", "number", "flag"]
"""What a dimension's values are. Of texts, ``None`` stands for one that is not set."""

Value = str | float | bool | None
Compare = Callable[[sa.ColumnElement[Any], Value, bool], sa.ColumnElement[bool]]
_TEXT: tuple[Kind, ...] = ("text",)
_ANY: tuple[Kind, ...] = ("text", "number", "flag")
_NUMBER: tuple[Kind, ...] = ("number",)


@dataclass(frozen=True)
class Operator:
    """``compare`` builds the condition for one value; of several, one must hold. ``negates``: none may, then.

    ``values``: how many are given. A text is compared as it is written unless ``case_sensitive`` is off.
    """

    name: str
    label: str
    kinds: tuple[Kind, ...]
    compare: Compare
    values: Literal["some", "one", "none"] = "some"
    negates: bool = False
    folds: bool = False
    check: Callable[[str], object] | None = None

    def condition(
        self, column: sa.ColumnElement[Any], values: Sequence[Value], *, case_sensitive: bool
    ) -> sa.ColumnElement[bool]:
        met = self._met(column, values, case_sensitive=case_sensitive)
        return sa.not_(met) if self.negates else met

    def of_many(
        self,
        any_of: Callable[[Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]], sa.ColumnElement[bool]],
        values: Sequence[Value],
        *,
        case_sensitive: bool,
    ) -> sa.ColumnElement[bool]:
        """The condition on something that has several values: one of them meets it, or (negated) none does. What has no
        value is an empty text. ``any_of`` builds the condition that one value meets a test."""
        one_meets = any_of(lambda one: self._met(one, values, case_sensitive=case_sensitive))
        has_none = sa.not_(any_of(lambda one: one != _text("")))
        found = sa.or_(one_meets, sa.and_(has_none, self._met(_text(""), values, case_sensitive=case_sensitive)))
        return sa.not_(found) if self.negates else found

    def _met(
        self, column: sa.ColumnElement[Any], values: Sequence[Value], *, case_sensitive: bool
    ) -> sa.ColumnElement[bool]:
        fold = self.folds and not case_sensitive
        left = Folded(column) if fold else column
        given: Sequence[Value] = (None,) if self.values == "none" else values
        tests = [self.compare(left, value, fold) for value in given]
        return sa.or_(*tests) if tests else sa.false()


def _is(column: sa.ColumnElement[Any], value: Value, fold: bool) -> sa.ColumnElement[bool]:
    if isinstance(value, bool):
        return column if value else sa.not_(column)
    if isinstance(value, int | float):
        return sa.func.coalesce(column == _number(value), sa.false())
    text = "" if value is None else value
    return column == (Folded(_text(text)) if fold else _text(text))


def _contains(column: sa.ColumnElement[Any], value: Value, fold: bool) -> sa.ColumnElement[bool]:
    return Holds(column, _as_text(value), fold=fold)


def _starts(column: sa.ColumnElement[Any], value: Value, fold: bool) -> sa.ColumnElement[bool]:
    return Begins(column, _as_text(value), fold=fold)


def _matches(column: sa.ColumnElement[Any], value: Value, _fold: bool) -> sa.ColumnElement[bool]:
    return Matches(column, common(_as_text(value)))


def _wildcard(column: sa.ColumnElement[Any], value: Value, _fold: bool) -> sa.ColumnElement[bool]:
    return Matches(column, wildcard(_as_text(value)))


def _set(column: sa.ColumnElement[Any], _value: Value, _fold: bool) -> sa.ColumnElement[bool]:
    return column.is_not(None) if isinstance(column.type, sa.BigInteger | sa.Float) else column != _text("")


def _ordered(sign: Callable[[Any, Any], Any]) -> Compare:
    def compare(column: sa.ColumnElement[Any], value: Value, _fold: bool) -> sa.ColumnElement[bool]:
        assert isinstance(value, int | float)
        found: sa.ColumnElement[bool] = sa.func.coalesce(sign(column, _number(value)), sa.false())
        return found

    return compare


def _number(value: float) -> sa.ColumnElement[Any]:
    return sa.bindparam(None, float(value), sa.Float())


def _text(value: str) -> sa.ColumnElement[Any]:
    return sa.bindparam(None, value, sa.String())


def _as_text(value: Value) -> str:
    return "" if value is None else str(value)


_ALL = (
    Operator("is", "is", _ANY, _is, folds=True),
    Operator("is_not", "is not", _ANY, _is, negates=True, folds=True),
    Operator("contains", "contains", _TEXT, _contains, folds=True),
    Operator("contains_not", "does not contain", _TEXT, _contains, negates=True, folds=True),
    Operator("starts_with", "starts with", _TEXT, _starts, folds=True),
    Operator("starts_with_not", "does not start with", _TEXT, _starts, negates=True, folds=True),
    Operator("matches_wildcard", "matches, with * for any characters but / and ** for any", _TEXT, _wildcard,
             check=wildcard),
    Operator("matches_wildcard_not", "does not match, with * and **", _TEXT, _wildcard, negates=True, check=wildcard),
    Operator("matches", "matches the regular expression", _TEXT, _matches, check=common),
    Operator("matches_not", "does not match the regular expression", _TEXT, _matches, negates=True, check=common),
    Operator("is_set", "is set", ("text", "number"), _set, values="none"),
    Operator("is_not_set", "is not set", ("text", "number"), _set, values="none", negates=True),
    Operator("greater", "is greater than", _NUMBER, _ordered(lambda a, b: a > b), values="one"),
    Operator("at_least", "is at least", _NUMBER, _ordered(lambda a, b: a >= b), values="one"),
    Operator("less", "is less than", _NUMBER, _ordered(lambda a, b: a < b), values="one"),
    Operator("at_most", "is at most", _NUMBER, _ordered(lambda a, b: a <= b), values="one"),
)  # fmt: skip

OPERATORS: dict[str, Operator] = {one.name: one for one in _ALL}
"""Every operator by its name."""

GROUPS: dict[str, str] = {
    "and": "all of these",
    "or": "at least one of these",
    "not": "not this",
    "same_event": "all of these, of one and the same event",
    "same_visit": "all of these, each of any event of the visit",
    "has_done": "the visit has an event like this",
    "has_not_done": "the visit has no event like this",
}
"""What joins conditions, in words."""

__all__ = ["GROUPS", "OPERATORS", "Kind", "Operator", "PatternRefused", "Value"]

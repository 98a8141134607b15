"""Formulas of series: ``A / B * 100``, each letter the series at its place."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from snowgauge.analytics.answer import Figure
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.asked import shown

LONGEST = 200
_TWO: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_WORDS = "write letters of series, numbers, + - * / and parentheses, such as A / B * 100"


def letter(number: int) -> str:
    """The name of a series in formulas, by its number from 0."""
    return chr(ord("A") + number)


@dataclass(frozen=True)
class Formula:
    """``label``: what the answer calls it."""

    text: str
    label: str
    _tree: ast.expr

    def of(self, values: Mapping[str, Figure]) -> Figure:
        """Its value, given those of the letters; ``None`` where one of them has none, or where nothing divides."""
        found = _worked_out(self._tree, values)
        return None if found is None or not math.isfinite(found) else round(found, 6)


def read_formula(text: str, label: str, series: int, where: str) -> Formula:
    """A formula over so many series. Raises ``QuestionRefused``."""
    if len(text) > LONGEST:
        raise QuestionRefused(where, f"a formula has at most {LONGEST} characters, found {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise QuestionRefused(where, f"{shown(text)} is no formula: {_WORDS}") from None
    letters = [letter(number) for number in range(series)]
    _check(tree, letters, where, text)
    return Formula(text.strip(), label or text.strip(), tree)


def _check(tree: ast.expr, letters: list[str], where: str, text: str) -> None:
    match tree:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _TWO:
            _check(left, letters, where, text)
            _check(right, letters, where, text)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, letters, where, text)
        case ast.Constant(value=bool() | complex()):
            raise QuestionRefused(where, f"{shown(text)} is no formula: {_WORDS}")
        case ast.Constant(value=int() | float() as value) if abs(value) <= 1e15:
            pass
        case ast.Name(id=name) if name in letters:
            pass
        case ast.Name(id=name):
            raise QuestionRefused(where, f"there is no series {shown(name)} (there are {', '.join(letters)})")
        case _:
            raise QuestionRefused(where, f"{shown(text)} is no formula: {_WORDS}")


def _worked_out(tree: ast.expr, values: Mapping[str, Figure]) -> float | None:
    match tree:
        case ast.BinOp(left=left, op=op, right=right):
            first, second = _worked_out(left, values), _worked_out(right, values)
            if first is None or second is None or (isinstance(op, ast.Div) and second == 0):
                return None
            return _TWO[type(op)](first, second)
        case ast.UnaryOp(op=op, operand=operand):
            found = _worked_out(operand, values)
            return None if found is None else -found if isinstance(op, ast.USub) else found
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            found = values.get(name)
            return None if found is None else float(found)
    return None

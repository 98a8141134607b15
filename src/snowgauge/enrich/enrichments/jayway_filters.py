"""Filters of Jayway's JSONPath: the reader of what stands inside ``[?( )]``, and what its operators mean."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import msgspec

Predicate = Callable[[Any, Any], bool]
"""Takes the root and the value that the filter looks at."""
Operand = Callable[[Any, Any], Any]

MISSING: Any = object()
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[^.\[(\s)\]&|=!<>,]+")
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/([a-zA-Z]*)")
_OPERATOR = re.compile(r"===?|!==?|<=|>=|<|>|=~|(?:in|nin|subsetof|anyof|noneof|contains|size|empty)\b", re.IGNORECASE)
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.UNICODE}


class FilterParser:
    """Reads a text from left to right. Subclasses say what a path is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0

    def wrong(self, wanted: str) -> ValueError:
        found = repr(self.text[self.pos]) if self.pos < len(self.text) else "the end"
        return ValueError(f"JSONPath {self.text!r}: expected {wanted} at character {self.pos + 1}, found {found}")

    def blanks(self) -> None:
        while self.pos < len(self.text) and self.text[self.pos].isspace():
            self.pos += 1

    def peek(self) -> str:
        self.blanks()
        return self.text[self.pos : self.pos + 1]

    def take(self, literal: str) -> bool:
        self.blanks()
        if self.text.startswith(literal, self.pos):
            self.pos += len(literal)
            return True
        return False

    def expect(self, literal: str) -> None:
        if not self.take(literal):
            raise self.wrong(f"{literal!r}")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.blanks()
        found = pattern.match(self.text, self.pos)
        if found:
            self.pos = found.end()
        return found

    def name(self) -> str:
        found = _NAME.match(self.text, self.pos)
        if found is None:
            raise self.wrong("a name")
        self.pos = found.end()
        return found[0]

    def integer(self) -> int | None:
        found = self.match(_INTEGER)
        return int(found[0]) if found else None

    def quoted(self) -> str:
        quote = self.peek()
        if quote not in ("'", '"'):
            raise self.wrong("a text in quotes")
        out = []
        self.pos += 1
        while self.pos < len(self.text) and self.text[self.pos] != quote:
            if self.text[self.pos] == "\\":
                self.pos += 1
            out.append(self.text[self.pos : self.pos + 1])
            self.pos += 1
        self.expect(quote)
        return "".join(out)

    def path_values(self) -> Callable[[Any, Any], list[Any]]:
        """The path whose ``@`` or ``$`` was just read."""
        raise NotImplementedError

    def either(self) -> Predicate:
        tests = [self._both()]
        while self.take("||"):
            tests.append(self._both())
        return lambda root, node: any(test(root, node) for test in tests)

    def _both(self) -> Predicate:
        tests = [self._one()]
        while self.take("&&"):
            tests.append(self._one())
        return lambda root, node: all(test(root, node) for test in tests)

    def _one(self) -> Predicate:
        if self.take("!"):
            test = self._one()
            return lambda root, node: not test(root, node)
        if self.take("("):
            test = self.either()
            self.expect(")")
            return test
        left, is_path = self._operand()
        symbol = self.match(_OPERATOR)
        if symbol is None:
            if not is_path:
                raise self.wrong("an operator")
            return lambda root, node: left(root, node) is not MISSING
        right, _ = self._operand()
        compare = _OPERATORS[symbol[0].lower()]
        return lambda root, node: compare(left(root, node), right(root, node))

    def _operand(self) -> tuple[Operand, bool]:
        if self.take("@") or self.take("$"):
            values = self.path_values()

            def first(root: Any, node: Any) -> Any:
                found = values(root, node)
                return found[0] if len(found) == 1 else found or MISSING

            return first, True
        value = self._literal()
        return lambda root, node: value, False  # noqa: ARG005

    def _literal(self) -> Any:
        following = self.peek()
        if following in ("'", '"'):
            return self.quoted()
        if following == "/":
            return self._regex()
        if following == "[":
            self.pos += 1
            items = []
            while not self.take("]"):
                items.append(self._literal())
                if not self.take(",") and self.peek() != "]":
                    raise self.wrong("',' or ']'")
            return items
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.take(word):
                return value
        number = self.match(_NUMBER)
        if number is None:
            raise self.wrong("a value")
        return msgspec.json.decode(number[0])

    def _regex(self) -> re.Pattern[str]:
        found = self.match(_REGEX)
        if found is None:
            raise self.wrong("a regular expression between slashes")
        flags = 0
        for letter in found[2]:
            flags |= _FLAGS.get(letter.lower(), 0)
        try:
            return re.compile(found[1], flags)
        except re.error as error:
            raise ValueError(f"JSONPath {self.text!r}: {found[0]} is no regular expression ({error})") from None


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _equal(left: Any, right: Any) -> bool:
    return _kind(left) is _kind(right) and bool(left == right)


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    return lambda left, right: (
        _kind(left) in (float, str) and _kind(left) is _kind(right) and bool(compare(left, right))
    )


def _within(left: Any, right: Any) -> bool:
    return isinstance(right, list) and any(_equal(left, item) for item in right)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _within(right, left)


def _lists(test: Callable[[list[Any], list[Any]], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: isinstance(left, list) and isinstance(right, list) and test(left, right)


def _matches(left: Any, right: Any) -> bool:
    """The whole text has to match, on either side of the operator."""
    if isinstance(left, re.Pattern):
        left, right = right, left
    return isinstance(left, str) and isinstance(right, re.Pattern) and right.fullmatch(left) is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "===": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "!==": lambda left, right: not _equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "=~": _matches,
    "in": _within,
    "nin": lambda left, right: not _within(left, right),
    "contains": _contains,
    "subsetof": _lists(lambda left, right: all(_within(item, right) for item in left)),
    "anyof": _lists(lambda left, right: any(_within(item, right) for item in left)),
    "noneof": _lists(lambda left, right: not any(_within(item, right) for item in left)),
    "size": lambda left, right: isinstance(left, str | list) and len(left) == right,
    "empty": lambda left, right: isinstance(left, str | list | dict) and (not left) is right,
}

"""JSONPath in the dialect of Gatling's library 0.6, which Snowplow's SQL and API enrichments use.

A path is ``$`` and any of ``.name``, ``..name``, ``.*``, ``..*``, ``['a','b']``, ``['*']``, ``[0,-1]``, ``[a:b:c]``,
``[*]``, ``[?(filter)]``, ``..[?(filter)]``; blanks between the pieces are skipped. A filter compares ``@`` or ``$``
paths and literals with ``== != < <= > >=``, joined by ``&&`` and ``||``; no functions, no parentheses. What differs
from other dialects: ``$.['a']`` is an error, a filter on an object tests the object itself, and a name that is not
there gives nothing instead of an error.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any, Any], Iterable[Any]]
"""Takes the root and one value, gives the values that the step leads to."""
Test = Callable[[Any, Any], bool]
"""Takes the root and the value that a filter looks at."""

_FIELD = re.compile(r"[^*.\[\]()=!<>\s]+")
_NUMBER = re.compile(r"-?\d+")
_LITERAL_NUMBER = re.compile(r"-?\d+(?:\.\d*(?:[eE][+-]?\d+)?)?")
_QUOTED = {"'": re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL), '"': re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)}
_BLANK = re.compile(r"\s*")
_OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
_MISSING = object()


class JsonPathError(ValueError):
    """A path that is none, with the text of Gatling's parser."""


class Path:
    """A compiled path."""

    def __init__(self, text: str, steps: list[Step]) -> None:
        self.text = text
        self._steps = steps

    def find(self, root: Any) -> list[Any]:
        """Every value that the path leads to, in document order."""
        return list(_walk(self._steps, root, root))

    def fold(self, root: Any) -> Any:
        """One value as it is, several or none as an array."""
        found = self.find(root)
        return found[0] if len(found) == 1 else found


@lru_cache(maxsize=1024)
def compile_path(text: str) -> Path:
    """Compile a path. Raises :class:`JsonPathError`."""
    parser = _Parser(text)
    if not parser.take("$"):
        raise parser.error()
    steps = parser.steps()
    parser.skip()
    if parser.pos < len(text):
        raise parser.error()
    return Path(text, steps)


def _walk(steps: list[Step], root: Any, node: Any) -> Iterable[Any]:
    nodes: Iterable[Any] = (node,)
    for step in steps:
        nodes = [found for one in nodes for found in step(root, one)]
    return nodes


class _Parser:
    """Recursive descent. ``error`` is about the furthest place that anything failed at, and the last try there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self._failed_at = -1
        self._wanted = ""

    def error(self) -> JsonPathError:
        at = self._failed_at
        found = f"'{self.text[at]}'" if at < len(self.text) else "end of source"
        return JsonPathError(f"{self._wanted} expected but {found} found")

    def skip(self) -> None:
        found = _BLANK.match(self.text, self.pos)
        assert found is not None
        self.pos = found.end()

    def _fail(self, wanted: str) -> None:
        if self.pos >= self._failed_at:
            self._failed_at, self._wanted = self.pos, wanted

    def take(self, literal: str) -> bool:
        start = self.pos
        self.skip()
        if self.text.startswith(literal, self.pos):
            self.pos += len(literal)
            return True
        self._fail(f"'{literal}'")
        self.pos = start
        return False

    def match(self, pattern: re.Pattern[str]) -> str | None:
        start = self.pos
        self.skip()
        found = pattern.match(self.text, self.pos)
        if found:
            self.pos = found.end()
            return found[0]
        self._fail(f"string matching regex '{pattern.pattern}'")
        self.pos = start
        return None

    def steps(self) -> list[Step]:
        found = []
        while (step := self.step()) is not None:
            found.append(step)
        return found

    def step(self) -> Step | None:
        start = self.pos
        if self.take(".."):
            if self.take("*"):
                return _descendants
            if (test := self.filter_()) is not None:
                return _recursive_filter(test)
            if (name := self.match(_FIELD)) is not None:
                return _recursive_field(name)
        elif self.take("."):
            if self.take("*"):
                return _children
            if (name := self.match(_FIELD)) is not None:
                return _field(name)
        else:
            if (test := self.filter_()) is not None:
                return _filter(test)
            if self.take("[") and (step := self.bracket()) is not None and self.take("]"):
                return step
        self.pos = start
        return None

    def bracket(self) -> Step | None:
        """What stands between ``[`` and ``]``."""
        names = self.quoted_list()
        if names is not None:
            return _children if names == ["*"] else _fields(names)
        if self.take("*"):
            return _slice(None, None, None)
        start = self.pos
        first = self.match(_NUMBER)
        if first is not None:
            indices = [int(first)]
            while self.take(","):
                more = self.match(_NUMBER)
                if more is None:
                    return None
                indices.append(int(more))
            before = self.pos
            if self.take("]"):
                self.pos = before
                return _indices(indices)
            self.pos = start
            first = self.match(_NUMBER)
        if not self.take(":"):
            return None
        end = self.match(_NUMBER)
        stride = self.match(_NUMBER) if self.take(":") else None
        return _slice(*(None if piece is None else int(piece) for piece in (first, end, stride)))

    def quoted_list(self) -> list[str] | None:
        names = []
        while (name := self.quoted()) is not None:
            names.append(name)
            if not self.take(","):
                return names
        return None

    def quoted(self) -> str | None:
        start = self.pos
        for quote, pattern in _QUOTED.items():
            if self.take(quote):
                found = pattern.match(self.text, self.pos)
                assert found is not None
                self.pos = found.end()
                if self.text.startswith(quote, self.pos):
                    self.pos += 1
                    return re.sub(r"\\(.)", r"\1", found[0], flags=re.DOTALL)
                self._fail(f"'{quote}'")
                self.pos = start
        return None

    def filter_(self) -> Test | None:
        """``[?(...)]``"""
        start = self.pos
        if self.take("[") and self.take("?") and self.take("("):
            test = self.either()
            if test is not None and self.take(")") and self.take("]"):
                return test
        self.pos = start
        return None

    def either(self) -> Test | None:
        tests = self.joined(self.both, "||")
        return None if tests is None else lambda root, node: any(test(root, node) for test in tests)

    def both(self) -> Test | None:
        tests = self.joined(self.comparison, "&&")
        return None if tests is None else lambda root, node: all(test(root, node) for test in tests)

    def joined(self, part: Callable[[], Test | None], separator: str) -> list[Test] | None:
        tests = []
        while (test := part()) is not None:
            tests.append(test)
            if not self.take(separator):
                return tests
        return None

    def comparison(self) -> Test | None:
        path = self.subpath()
        left = path
        if path is not None:
            symbol = next((symbol for symbol in _OPERATORS if self.take(symbol)), None)
            if symbol is None:
                return lambda root, node: path(root, node) is not _MISSING
            right = self.subpath() or self.literal()
        else:
            left = self.literal()
            symbol = next((symbol for symbol in _OPERATORS if self.take(symbol)), None)
            right = self.subpath()
        if left is None or symbol is None or right is None:
            return None
        return _comparison(left, _COMPARE[symbol], right)

    def subpath(self) -> Callable[[Any, Any], Any] | None:
        for sign in "@$":
            if self.take(sign):
                steps = self.steps()
                at_root = sign == "$"
                return lambda root, node: next(iter(_walk(steps, root, root if at_root else node)), _MISSING)
        return None

    def literal(self) -> Callable[[Any, Any], Any] | None:
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.take(word):
                return lambda root, node, value=value: value  # type: ignore[misc]  # noqa: ARG005
        text = self.quoted()
        if text is not None:
            return lambda root, node: text  # noqa: ARG005
        number = self.match(_LITERAL_NUMBER)
        if number is None:
            return None
        parsed = float(number) if "." in number else int(number)
        return lambda root, node: parsed  # noqa: ARG005


def _comparison(
    left: Callable[[Any, Any], Any], compare: Callable[[Any, Any], bool], right: Callable[[Any, Any], Any]
) -> Test:
    def test(root: Any, node: Any) -> bool:
        one, other = left(root, node), right(root, node)
        return one is not _MISSING and other is not _MISSING and compare(one, other)

    return test


def _kind(value: Any) -> type:
    if isinstance(value, bool) or value is None:
        return type(value)
    return float if isinstance(value, int | float) else type(value)


def _equal(one: Any, other: Any) -> bool:
    return _kind(one) is _kind(other) and bool(one == other)


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    def test(one: Any, other: Any) -> bool:
        kind = _kind(one)
        return kind in (float, str, bool) and kind is _kind(other) and bool(compare(one, other))

    return test


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}


def _field(name: str) -> Step:
    return lambda root, node: (node[name],) if isinstance(node, dict) and name in node else ()  # noqa: ARG005


def _fields(names: list[str]) -> Step:
    return lambda root, node: [node[name] for name in names if name in node] if isinstance(node, dict) else ()  # noqa: ARG005


def _children(root: Any, node: Any) -> Iterable[Any]:  # noqa: ARG001
    return node.values() if isinstance(node, dict) else ()


def _inner(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _descendants(root: Any, node: Any) -> Iterator[Any]:  # noqa: ARG001
    waiting = [iter(_inner(node))]
    while waiting:
        for child in waiting[-1]:
            yield child
            waiting.append(iter(_inner(child)))
            break
        else:
            waiting.pop()


def _recursive_field(name: str) -> Step:
    def step(root: Any, node: Any) -> Iterator[Any]:
        for one in (node, *_descendants(root, node)):
            if isinstance(one, dict) and name in one:
                yield one[name]

    return step


def _indices(indices: list[int]) -> Step:
    def step(root: Any, node: Any) -> Iterable[Any]:  # noqa: ARG001
        if not isinstance(node, list):
            return ()
        return [node[index] for index in indices if -len(node) <= index < len(node)]

    return step


def _slice(start: int | None, stop: int | None, stride: int | None) -> Step:
    piece = slice(start, stop, stride or None)
    return lambda root, node: node[piece] if isinstance(node, list) else ()  # noqa: ARG005


def _filter(test: Test) -> Step:
    def step(root: Any, node: Any) -> Iterable[Any]:
        if isinstance(node, dict):
            return (node,) if test(root, node) else ()
        return [item for item in node if test(root, item)] if isinstance(node, list) else ()

    return step


def _recursive_filter(test: Test) -> Step:
    return lambda root, node: [
        one for one in (node, *_descendants(root, node)) if isinstance(one, dict) and test(root, one)
    ]

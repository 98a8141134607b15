"""JSONPath in the dialect of Jayway's library 2.10, which Snowplow's PII enrichment uses, for replacing values.

A path is ``$`` and any of ``.name``, ``['a','b']``, ``.['a']``, ``.*``, ``[*]``, ``[0,-1]``, ``[a:b]``,
``[?(filter)]``, each also after ``..``, which applies it at every depth. Names after a dot reach to the next ``.`` or
``[``, so ``$.a-b`` is one name. Filters know ``== != < <= > >= =~ in nin subsetof anyof noneof contains size empty``,
``&& || !`` and parentheses.

A path that finds nothing gives nothing. Functions (``.length()``) lead to no place that could be replaced and are
refused, as is what cannot be read: a path for personal data must not fail in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from snowgauge.enrich.enrichments.jayway_filters import FilterParser, Predicate

Place = tuple[Any, Any]
"""A container and the key or index in it."""
Step = Callable[[Any, Any], Iterable[Place]]
"""Takes the root and a value, gives the places that one step leads to."""


class Path:
    """A compiled path."""

    def __init__(self, text: str, steps: list[Step]) -> None:
        self.text = text
        self._steps = steps

    def places(self, holder: list[Any]) -> list[Place]:
        """Every place that the path leads to in the document ``holder[0]``, in document order."""
        places: list[Place] = [(holder, 0)]
        for step in self._steps:
            places = [found for container, key in places for found in step(holder[0], container[key])]
        return places

    def values(self, root: Any) -> list[Any]:
        return [container[key] for container, key in self.places([root])]


@lru_cache(maxsize=1024)
def compile_path(text: str) -> Path:
    """Compile a path. Raises ``ValueError`` that names the path and the place in it."""
    parser = _PathParser(text)
    if not parser.take("$"):
        raise parser.wrong("'$'")
    steps = parser.steps()
    parser.blanks()
    if parser.pos < len(text):
        raise parser.wrong("'.', '[' or the end")
    return Path(text, steps)


class _PathParser(FilterParser):
    def path_values(self) -> Callable[[Any, Any], list[Any]]:
        at_root = self.text[self.pos - 1] == "$"
        steps = self.steps()

        def values(root: Any, node: Any) -> list[Any]:
            holder = [root if at_root else node]
            places: list[Place] = [(holder, 0)]
            for step in steps:
                places = [found for container, key in places for found in step(root, container[key])]
            return [container[key] for container, key in places]

        return values

    def steps(self) -> list[Step]:
        found = []
        while (step := self._step()) is not None:
            found.append(step)
        return found

    def _step(self) -> Step | None:
        if self.text.startswith("..", self.pos):
            self.pos += 2
            return _at_every_depth(self._child(deep=True))
        if self.text.startswith(".", self.pos):
            self.pos += 1
            return self._child()
        return self._bracket() if self.text.startswith("[", self.pos) else None

    def _child(self, *, deep: bool = False) -> Step:
        if self.text.startswith("[", self.pos):
            return self._bracket(deep=deep)
        if self.text.startswith("*", self.pos):
            self.pos += 1
            return _children
        name = self.name()
        if self.text.startswith("(", self.pos):
            raise self.wrong("a name; functions lead to nothing that can be replaced")
        return _named([name])

    def _bracket(self, *, deep: bool = False) -> Step:
        self.expect("[")
        if self.take("*"):
            step: Step = _children
        elif self.take("?"):
            self.expect("(")
            test = self.either()
            step = _filtered_object(test) if deep else _filtered(test)
            self.expect(")")
        elif self.peek() in ("'", '"'):
            names = [self.quoted()]
            while self.take(","):
                names.append(self.quoted())
            step = _named(names)
        else:
            step = self._indices()
        self.expect("]")
        return step

    def _indices(self) -> Step:
        first = self.integer()
        if self.take(":"):
            return _sliced(slice(first, self.integer()))
        if first is None:
            raise self.wrong("a name in quotes, an index, '*' or '?('")
        indices = [first]
        while self.take(","):
            more = self.integer()
            if more is None:
                raise self.wrong("an index")
            indices.append(more)
        return _indexed(indices)


def _children(root: Any, node: Any) -> Iterable[Place]:  # noqa: ARG001
    if isinstance(node, dict):
        return [(node, key) for key in node]
    return [(node, index) for index in range(len(node))] if isinstance(node, list) else ()


def _named(names: list[str]) -> Step:
    return lambda root, node: [(node, name) for name in names if name in node] if isinstance(node, dict) else ()  # noqa: ARG005


def _indexed(indices: list[int]) -> Step:
    def step(root: Any, node: Any) -> Iterable[Place]:  # noqa: ARG001
        if not isinstance(node, list):
            return ()
        return [(node, index) for index in indices if -len(node) <= index < len(node)]

    return step


def _sliced(piece: slice) -> Step:
    def step(root: Any, node: Any) -> Iterable[Place]:  # noqa: ARG001
        return [(node, index) for index in range(len(node))[piece]] if isinstance(node, list) else ()

    return step


def _filtered_object(test: Predicate) -> Step:
    """An object that passes; what it holds is not tested."""
    return lambda root, node: [([node], 0)] if isinstance(node, dict) and test(root, node) else ()


def _filtered(test: Predicate) -> Step:
    """Elements of an array that pass; an object is tested itself."""
    itself = _filtered_object(test)

    def step(root: Any, node: Any) -> Iterable[Place]:
        if isinstance(node, list):
            return [(node, index) for index, item in enumerate(node) if test(root, item)]
        return itself(root, node)

    return step


def _at_every_depth(inner: Step) -> Step:
    def step(root: Any, node: Any) -> Iterator[Place]:
        waiting = [node]
        while waiting:
            one = waiting.pop()
            yield from inner(root, one)
            below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
            waiting.extend(reversed([value for value in below if isinstance(value, dict | list)]))

    return step

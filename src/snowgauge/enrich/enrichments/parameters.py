"""Reads the ``parameters`` of an enrichment's configuration, and says what is wrong with them in one sentence.

The configuration was checked against its schema before; these checks hold for defaults, for programs that build an
enrichment themselves, and for what a schema cannot say. Each raises ``ValueError`` with the parameter's name, the
value seen and what is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_SHOWN = 80


class Parameters:
    """A mapping that knows where it came from: ``Parameters(p)["api"]["http"].text("uri")``."""

    def __init__(self, values: Any, path: str = "parameters") -> None:
        if not isinstance(values, Mapping):
            raise ValueError(f"{path}: expected an object, found {shown(values)}")
        self.values = values
        self.path = path

    def wrong(self, name: str, expected: str) -> ValueError:
        """The error about one parameter."""
        found = shown(self.values[name]) if name in self.values else "nothing"
        return ValueError(f"{self.path}.{name}: expected {expected}, found {found}")

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def __getitem__(self, name: str) -> Parameters:
        if name not in self.values:
            raise self.wrong(name, "an object")
        return Parameters(self.values[name], f"{self.path}.{name}")

    def items(self, name: str) -> list[Parameters]:
        """The objects of an array."""
        values = self.values.get(name)
        if not isinstance(values, list):
            raise self.wrong(name, "an array of objects")
        return [Parameters(value, f"{self.path}.{name}[{i}]") for i, value in enumerate(values)]

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not (value or empty):
            raise self.wrong(name, "a string")
        return value

    def texts(self, name: str) -> list[str]:
        values = self.values.get(name)
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise self.wrong(name, "an array of strings")
        return list(values)

    def choice(self, name: str, allowed: Collection[str]) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(name, f"one of {', '.join(allowed)}")
        return value

    def integer(self, name: str, low: int, high: int | None = None, *, default: int | None = None) -> int:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
            raise self.wrong(name, f"a whole number from {low} to {high}" if high else f"a whole number from {low} up")
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value


def shown(value: Any) -> str:
    """A value as an error message shows it: shortened."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

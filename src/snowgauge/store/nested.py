"""Columns inside of self-describing data: a property of one kind of entity, or of one kind of self-describing event.

Written ``contexts/<vendor>/<name>/<model>/<property>`` and ``unstruct_event/<vendor>/<name>/<model>/<property>``, with
further parts for properties of inner objects; parts are percent-encoded. All versions of the model are meant. Without a
property the column's value is the schema's version, such as ``1-0-2``: an event has one where it has the kind.

An event has the values of all its entities of the kind, each once. Values are texts: strings as they are, numbers in
their shortest form, ``true`` and ``false``; a list gives those that it holds. Empty strings, ``null`` and objects are
no values. Values that are numbers, as strings too, are compared by their order as numbers; others have none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from snowgauge.errors import QueryRefused
from snowgauge.store.base import EventKind, Filter

_LONGEST = 1000
_DEEPEST = 8
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_EXPONENT = re.compile(r"e\+?(-?)0*")
NUMBER = r"^-?[0-9]{1,40}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,3})?$"
"""Texts that count as numbers, for each store's own regular expressions. The lengths are such that no store fails on
what a sender made up."""
_NUMBER = re.compile(NUMBER.replace("$", r"\Z"))


class NestedColumn(msgspec.Struct, frozen=True):
    """``entity``: of entities, the tracker's and those of enrichments; else of the event's own data. An empty ``path``
    is that of the schema's version."""

    entity: bool
    vendor: str
    name: str
    model: int
    path: tuple[str, ...]

    @property
    def schema_prefix(self) -> str:
        """How the URI of every schema that is meant begins."""
        return f"iglu:{self.vendor}/{self.name}/jsonschema/{self.model}-"

    def __str__(self) -> str:
        parts = ("contexts" if self.entity else "unstruct_event", self.vendor, self.name, str(self.model), *self.path)
        return "/".join(quote(part, safe="") for part in parts)


@lru_cache(maxsize=2_000)
def nested_column(text: str) -> NestedColumn | None:
    """The column of this name; ``None`` for any other name."""
    kind, *parts = text.split("/") if len(text) <= _LONGEST else ("",)
    if kind not in ("contexts", "unstruct_event") or not 3 <= len(parts) <= 3 + _DEEPEST:
        return None
    vendor, name, model, *path = (unquote(part) for part in parts)
    if not _NAME.fullmatch(vendor) or not _NAME.fullmatch(name) or not re.fullmatch("[1-9][0-9]{0,8}", model):
        return None
    return NestedColumn(kind == "contexts", vendor, name, int(model), tuple(path)) if all(path) else None


def nested_of(kind: EventKind, column: str) -> NestedColumn | None:
    """The nested column of this name; failed events have none."""
    return None if kind == "failed" else nested_column(column)


def found_in(event: dict[str, Any], column: NestedColumn) -> list[Any]:
    """What a canonical event has at the column's place, whatever it is: one for each entity, in their order."""
    if column.entity:
        items = [item for name in ("contexts", "derived_contexts") for item in (event[name] or {}).get("data", ())]
    else:
        items = [event["unstruct_event"]["data"]] if event["unstruct_event"] else []
    found = []
    for item in items:
        schema = str(item.get("schema", ""))
        if schema.startswith(column.schema_prefix):
            value = item.get("data") if column.path else schema.rpartition("/")[2]
            for part in column.path:
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                found.append(value)
    return found


def texts(values: Sequence[Any]) -> list[str]:
    """Their texts, each once."""
    return list(dict.fromkeys(text for value in values for text in _texts(value)))


def _texts(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, bool):
            yield "true" if item else "false"
        elif isinstance(item, float):
            yield str(int(item)) if item.is_integer() and abs(item) < 1e15 else _EXPONENT.sub(r"e\1", repr(float(item)))
        elif isinstance(item, int):
            yield str(int(item))
        elif isinstance(item, str) and item:
            yield item


def nested_values(one: Filter) -> list[str]:
    """The texts that a filter on a nested column compares with."""
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in one.values]


def nested_bound(one: Filter) -> float:
    """The number that a filter by order compares with. Raises ``QueryRefused``."""
    if len(one.values) != 1:
        raise QueryRefused(f"filter {one.column} {one.op} takes one value, found {len(one.values)}")
    try:
        bound = float(one.values[0])
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise QueryRefused(f"filter {one.column} {one.op}: {str(one.values[0])[:100]!r} is not a number")
    return bound


def number_in(text: str) -> float | None:
    """The number that a value is, if it is one."""
    return float(text) if _NUMBER.match(text) else None

"""What a JSON Schema says about data, as far as the types of programming languages can say it.

A validator checks more than a type can: lengths, formats, ranges and conditions are not part of a shape. What a type
cannot tell for sure (``oneOf``, ``$ref``, several types) is any JSON value, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Plain = Literal["text", "whole", "number", "flag", "any"]
_PLAIN: Mapping[str, Plain] = {"string": "text", "integer": "whole", "number": "number", "boolean": "flag"}
MOST_FIELDS = 200
"""Fields of one object that become fields of a type: languages have limits. An object with more is a map."""
_DEEPEST = 20


@dataclass(frozen=True)
class Of:
    """A value of a plain type."""

    kind: Plain


@dataclass(frozen=True)
class Choice:
    """One of some texts."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class ListOf:
    items: Shape
    nullable: bool


@dataclass(frozen=True)
class MapOf:
    """Any names, values of one shape."""

    values: Shape
    nullable: bool


@dataclass(frozen=True)
class Field:
    """``nullable``: null is a value of it. ``required``: it must be there."""

    name: str
    shape: Shape
    nullable: bool
    required: bool
    description: str


@dataclass(frozen=True)
class Record:
    """An object with known fields."""

    fields: tuple[Field, ...]
    description: str


Shape = Of | Choice | ListOf | MapOf | Record


def shape_of(schema: Mapping[str, Any]) -> Record | MapOf:
    """The shape of a schema's data: a map where it names no properties."""
    found, _ = _shape({**schema, "type": "object"}, 0)
    return found if isinstance(found, Record | MapOf) else _ANY_MAP


def _shape(schema: Any, depth: int) -> tuple[Shape, bool]:
    """And whether null is one of its values."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return Of("any"), False
    alternatives = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(alternatives, list) and "type" not in schema and len(alternatives) == 2:
        rest = [one for one in alternatives if one != {"type": "null"}]
        if len(rest) == 1:
            return _shape(rest[0], depth + 1)[0], True
    # at the top conditions on properties say what must be there together, and the properties are what they are
    if depth and any(name in schema for name in ("anyOf", "oneOf", "allOf", "$ref", "not", "if")):
        return Of("any"), False
    enum = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(enum, list) and enum and depth:
        return _of_values(enum)
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else [one for one in kinds or () if isinstance(one, str)]
    nullable = "null" in names
    rest_of = [name for name in names if name != "null"]
    if not names and isinstance(schema.get("properties"), Mapping):
        rest_of = ["object"]
    if sorted(rest_of) == ["integer", "number"]:
        rest_of = ["number"]
    if len(rest_of) != 1:
        return Of("any"), nullable
    return _of_type(rest_of[0], schema, depth), nullable


def _of_type(name: str, schema: Mapping[str, Any], depth: int) -> Shape:
    if name == "array":
        items, nullable = _shape(schema.get("items"), depth + 1)
        return ListOf(items, nullable)
    if name == "object":
        return _object(schema, depth)
    return Of(_PLAIN.get(name, "any"))


_ANY_MAP = MapOf(Of("any"), nullable=False)


def _object(schema: Mapping[str, Any], depth: int) -> Shape:
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    if not 1 <= len(known) <= MOST_FIELDS:
        more = schema.get("additionalProperties")
        if known or not isinstance(more, Mapping):
            return _ANY_MAP
        values, nullable = _shape(more, depth + 1)
        return MapOf(values, nullable)
    required = schema.get("required")
    needed = {one for one in required if isinstance(one, str)} if isinstance(required, list) else set()
    fields = []
    for field, of in known.items():
        found, nullable = _shape(of, depth + 1)
        words = _text(of.get("description")) if isinstance(of, Mapping) else ""
        fields.append(Field(field, found, nullable, field in needed, words))
    return Record(tuple(fields), _text(schema.get("description")))


def _of_values(values: Sequence[Any]) -> tuple[Shape, bool]:
    rest = [one for one in values if one is not None]
    nullable = len(rest) < len(values)
    if rest and all(isinstance(one, str) for one in rest):
        return Choice(tuple(dict.fromkeys(rest))), nullable
    if rest and all(isinstance(one, bool) for one in rest):
        return Of("flag"), nullable
    if rest and all(isinstance(one, int | float) and not isinstance(one, bool) for one in rest):
        return Of("whole" if all(isinstance(one, int) for one in rest) else "number"), nullable
    return Of("any"), nullable


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""

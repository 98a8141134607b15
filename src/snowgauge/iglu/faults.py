"""What keeps a schema, though valid by the meta-schema, from being published: it contradicts itself.

``lint`` and the report of the Iglu Server API say it in one voice, so that no door takes what another refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_RANGES = (("minLength", "maxLength"), ("minimum", "maximum"), ("minItems", "maxItems"),
           ("minProperties", "maxProperties"))  # fmt: skip


class Fault(NamedTuple):
    """``pointer``: JSON pointer of the object at fault, empty for the whole document."""

    pointer: str
    message: str


def faults(schema: dict[str, Any], pointer: str = "") -> Iterator[Fault]:
    """Of a schema that the meta-schema admits, and of everything below it."""
    if "$ref" in schema:
        return
    for low, high in _RANGES:
        if low in schema and high in schema and schema[low] > schema[high]:
            yield Fault(pointer, f"{low} {schema[low]} is above {high} {schema[high]}")
    properties = schema.get("properties")
    if isinstance(properties, dict) and "patternProperties" not in schema:
        missing = [name for name in schema.get("required", ()) if name not in properties]
        if missing:
            text = f"Elements specified as required [{','.join(missing)}] don't exist in schema properties"
            yield Fault(pointer, text)
    for place, inner in inside(schema):
        yield from faults(inner, pointer + place)


def inside(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas right below one, each with its place."""
    for keyword, value in schema.items():
        if keyword in ("properties", "patternProperties", "definitions", "dependencies") and isinstance(value, dict):
            for name, each in value.items():
                if isinstance(each, dict):
                    yield f"/{keyword}/{escape(name)}", each
        elif keyword in ("allOf", "anyOf", "oneOf") or (keyword == "items" and isinstance(value, list)):
            for i, each in enumerate(value):
                yield f"/{keyword}/{i}", each
        elif keyword in ("items", "additionalItems", "additionalProperties", "not") and isinstance(value, dict):
            yield f"/{keyword}", value


def escape(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")

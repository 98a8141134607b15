"""The meta-schema that a schema has to satisfy: JSON Schema draft 04 as Iglu uses it.

Iglu leaves out the URI format of ``id`` and ``$schema`` and says that ``format`` is a string (iglu-scala-core).
"""

from __future__ import annotations

from typing import Any

IGLU_META_SCHEMA = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"

_SELF: dict[str, Any] = {"$ref": "#"}
_MAP: dict[str, Any] = {"type": "object", "additionalProperties": _SELF}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
_TYPE: dict[str, Any] = {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}
_LIST: dict[str, Any] = {"type": "array", "minItems": 1, "items": _SELF}

META_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "$schema": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "multipleOf": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "maximum": {"type": "number"},
        "exclusiveMaximum": {"type": "boolean"},
        "minimum": {"type": "number"},
        "exclusiveMinimum": {"type": "boolean"},
        "maxLength": _COUNT,
        "minLength": _COUNT,
        "pattern": {"type": "string"},
        "format": {"type": "string"},
        "additionalItems": {"anyOf": [{"type": "boolean"}, _SELF]},
        "items": {"anyOf": [_SELF, _LIST]},
        "maxItems": _COUNT,
        "minItems": _COUNT,
        "uniqueItems": {"type": "boolean"},
        "maxProperties": _COUNT,
        "minProperties": _COUNT,
        "required": _NAMES,
        "additionalProperties": {"anyOf": [{"type": "boolean"}, _SELF]},
        "definitions": _MAP,
        "properties": _MAP,
        "patternProperties": _MAP,
        "dependencies": {"type": "object", "additionalProperties": {"anyOf": [_SELF, _NAMES]}},
        "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
        "type": {"anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1, "uniqueItems": True}]},
        "allOf": _LIST,
        "anyOf": _LIST,
        "oneOf": _LIST,
        "not": _SELF,
    },
    "dependencies": {"exclusiveMaximum": ["maximum"], "exclusiveMinimum": ["minimum"]},
}

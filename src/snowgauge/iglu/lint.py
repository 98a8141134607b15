"""Looks over a schema before it is published: errors that would fail every event, warnings about likely mistakes.

The warnings follow Snowplow's igluctl: a column of a warehouse is made of each property, so texts need a length and
numbers a range.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.compiled import CompiledSchema, SchemaIssues, meta_schema_issues
from snowgauge.iglu.depth import depth_exceeds
from snowgauge.iglu.faults import escape, faults, inside
from snowgauge.iglu.formats import FORMATS
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA
from snowgauge.iglu.registries.base import leads_out

Level = Literal["error", "warning"]

_KNOWN = frozenset(
    {"$schema", "$ref", "self", "id", "title", "description", "default", "definitions", "type", "nullable", "enum",
     "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
     "multipleOf", "items", "additionalItems", "minItems", "maxItems", "uniqueItems", "properties",
     "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties", "dependencies",
     "allOf", "anyOf", "oneOf", "not", "$supersededBy", "$supersedes", "$comment", "examples"}
)  # fmt: skip
_OWNERS = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "multipleOf"),
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "object": ("properties", "required", "minProperties", "maxProperties", "patternProperties"),
}
_WHOLE_FORMATS = frozenset({"date-time", "date", "time", "uuid", "ipv4", "ipv6", "email"})  # texts of limited length


class Finding(msgspec.Struct, frozen=True):
    """One remark; ``pointer`` is the JSON pointer of the place, ``""`` for the whole document."""

    level: Level
    pointer: str
    message: str


def lint(schema: Any, expected: SchemaKey | None = None) -> list[Finding]:
    """All findings, errors first. ``expected`` is the key that the place of the document stands for, if any."""
    if not isinstance(schema, dict):
        return [Finding("error", "", "a schema must be a JSON object")]
    if depth_exceeds(schema, 200):
        return [Finding("error", "", "the document is nested too deeply")]
    found = list(_identity(schema, expected))
    issues = meta_schema_issues(schema)
    if not issues:
        try:
            CompiledSchema(schema)
        except SchemaIssues as refused:
            issues = refused.issues
    found += [Finding("error", _pointer_of(issue.path), issue.message) for issue in issues]
    if not issues:
        found += [Finding("error", fault.pointer, fault.message) for fault in faults(schema)]
        found += _warnings(schema, "")
    return sorted(found, key=lambda finding: finding.level != "error")


def _identity(schema: dict[str, Any], expected: SchemaKey | None) -> Iterator[Finding]:
    if "$schema" not in schema:
        yield Finding("error", "", f"$schema is missing; it must be {IGLU_META_SCHEMA}")
    own = schema.get("self")
    if not isinstance(own, dict):
        yield Finding("error", "", "the block self with vendor, name, format and version is missing")
        return
    missing = [part for part in ("vendor", "name", "format", "version") if not isinstance(own.get(part), str)]
    if missing:
        yield Finding("error", "/self", f"self must hold {', '.join(missing)} as text")
        return
    uri = f"iglu:{own['vendor']}/{own['name']}/{own['format']}/{own['version']}"
    try:
        key = SchemaKey.parse(uri)
    except SelfDescribingError as error:
        yield Finding("error", "/self", f"{uri} is not a schema URI ({error.code})")
        return
    if leads_out(key.vendor):
        yield Finding("error", "/self/vendor", f"the vendor {key.vendor!r} would leave the folder of schemas")
    if key.format != "jsonschema":
        yield Finding("error", "/self/format", f"the format must be jsonschema, found {key.format}")
    if expected is not None and key != expected:
        yield Finding("error", "/self", f"self says {key}, its place says {expected}")
    newer = schema.get("$supersededBy")
    if newer is not None:
        try:
            usable = SchemaKey.parse(f"iglu:{key.vendor}/{key.name}/{key.format}/{newer}") > key
        except SelfDescribingError:
            usable = False
        if not usable:
            yield Finding("error", "/$supersededBy", f"must be a version above {key.version}, found {newer!r}")


def _types(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _warnings(schema: dict[str, Any], pointer: str) -> Iterator[Finding]:
    def warn(message: str, keyword: str | None = None) -> Finding:
        return Finding("warning", f"{pointer}/{escape(keyword)}" if keyword else pointer, message)

    if "$ref" in schema:
        if str(schema["$ref"]).startswith("http"):
            yield warn("a reference to the web is never fetched and accepts anything", "$ref")
        return
    kinds = _types(schema)
    for keyword in schema:
        if keyword not in _KNOWN:
            yield warn(f"the keyword {keyword} is not known to JSON Schema draft 04 and has no effect", keyword)
    for owner, keywords in _OWNERS.items():
        meant = {owner, "integer"} if owner == "number" else {owner}
        unused = [keyword for keyword in keywords if keyword in schema]
        if kinds and unused and not meant & set(kinds):
            yield warn(f"{', '.join(unused)} has no effect on the type {' or '.join(kinds)}")
    if schema.get("format") is not None and schema["format"] not in FORMATS:
        yield warn(f"the format {schema['format']} is not checked", "format")
    if "string" in kinds and not {"enum", "maxLength"} & schema.keys() and schema.get("format") not in _WHOLE_FORMATS:
        yield warn("a string needs maxLength: warehouses make a column of that width")
    if {"integer", "number"} & set(kinds) and not {"minimum", "maximum"} <= schema.keys() and "enum" not in schema:
        yield warn("a number needs minimum and maximum: warehouses choose the column's type by them")
    if "null" not in kinds and isinstance(schema.get("enum"), list) and kinds and None in schema["enum"]:
        yield warn("null in enum can never occur, since type does not allow it", "enum")
    if "object" in kinds and "properties" in schema and "additionalProperties" not in schema:
        yield warn("additionalProperties is not set: misspelt properties pass unseen")
    for place, inner in inside(schema):
        yield from _warnings(inner, pointer + place)


def _pointer_of(path: str) -> str:
    """A report's path as a JSON pointer; a key that holds dots or brackets cannot be told from nesting there."""
    return "".join("/" + escape(a or b) for a, b in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path))

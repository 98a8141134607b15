"""What Iglu Server 0.14 says about a schema: entries with a level and a place. Errors keep it from being published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.compiled import CompiledSchema, Issue, SchemaIssues, meta_schema_issues
from snowgauge.iglu.depth import depth_exceeds
from snowgauge.iglu.faults import escape, faults
from snowgauge.iglu.registries.base import leads_out

Level = Literal["ERROR", "WARNING", "INFO"]

_NAME = re.compile(r"[a-zA-Z0-9\-_]+")
_VENDOR = re.compile(r"[a-zA-Z0-9\-_.]+")
_KEYWORDS = frozenset(
    {"$ref", "id", "title", "description", "default", "definitions", "type", "enum", "format", "pattern", "minLength",
     "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "items",
     "additionalItems", "minItems", "maxItems", "uniqueItems", "properties", "patternProperties",
     "additionalProperties", "required", "minProperties", "maxProperties", "dependencies", "allOf", "anyOf", "oneOf",
     "not", "$comment", "examples"}
)  # fmt: skip


class ReportEntry(msgspec.Struct, frozen=True):
    """``pointer`` is a JSON pointer; ``/`` is the whole document."""

    message: str
    level: Level
    pointer: str


def report(schema: dict[str, Any], *, max_depth: int = 40) -> list[ReportEntry]:
    """Everything there is to say; empty for a schema without fault. The depth counts containers and scalars."""
    if depth_exceeds(schema, max_depth):
        return [ReportEntry("Maximum allowed JSON depth exceeded", "ERROR", "/")]
    found = list(_identity(schema))
    issues = meta_schema_issues(schema)
    if not issues:
        try:
            CompiledSchema(schema)
        except SchemaIssues as refused:
            issues = refused.issues
    found += [ReportEntry(issue.message, "ERROR", _pointer(issue)) for issue in issues]
    if not issues:
        if not (schema.get("type") == "object" and "properties" in schema):
            found.append(
                ReportEntry(
                    'At the root level, the schema should have a "type" property set to "object" and have a '
                    '"properties" property',
                    "WARNING",
                    "/",
                )
            )
        if "description" not in schema:
            found.append(ReportEntry('The schema is missing the "description" property', "INFO", "/"))
        found += [ReportEntry(fault.message, "ERROR", fault.pointer or "/") for fault in faults(schema)]
        found += _below(schema, "")
    return found


def blocks(entries: list[ReportEntry]) -> bool:
    """Is anything among them that keeps the schema from being published?"""
    return any(entry.level == "ERROR" for entry in entries)


def _identity(schema: dict[str, Any]) -> Iterator[ReportEntry]:
    if "$schema" not in schema:
        yield ReportEntry("No $schema field in top-level of schema", "ERROR", "/")
    own = schema.get("self")
    parts = [own.get(part) if isinstance(own, dict) else None for part in ("vendor", "name", "format", "version")]
    if not all(isinstance(part, str) for part in parts):
        yield ReportEntry("The schema is not self-describing", "ERROR", "/")
        return
    vendor, name, fmt, version = map(str, parts)
    if not _NAME.fullmatch(name):
        yield ReportEntry(f"ECMA 262 regex \"^[a-zA-Z0-9-_]+$\" does not match input string \"{name}\"", "ERROR",
                          "/self/name")  # fmt: skip
    if not _VENDOR.fullmatch(vendor) or leads_out(vendor):
        yield ReportEntry(f"ECMA 262 regex \"^[a-zA-Z0-9-_.]+$\" does not match input string \"{vendor}\"", "ERROR",
                          "/self/vendor")  # fmt: skip
    if fmt != "jsonschema":
        yield ReportEntry(f'The format must be "jsonschema", found "{fmt}"', "ERROR", "/self/format")
    try:
        SchemaKey.parse(f"iglu:com.acme/name/jsonschema/{version}")
    except SelfDescribingError:
        yield ReportEntry(f'"{version}" is not a schema version', "ERROR", "/self/version")


def _below(schema: dict[str, Any], pointer: str) -> Iterator[ReportEntry]:
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name, inner in properties.items():
            if isinstance(inner, dict):
                at = f"{pointer}/properties/{escape(name)}"
                for keyword in inner:
                    if keyword not in _KEYWORDS:
                        yield ReportEntry(f"The keyword {keyword} is not known", "WARNING", at)
                yield from _below(inner, at)
    items = schema.get("items")
    if isinstance(items, dict):
        yield from _below(items, f"{pointer}/items")


def _pointer(issue: Issue) -> str:
    found = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", issue.path)
    return "".join("/" + escape(name or index) for name, index in found) or "/"

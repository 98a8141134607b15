"""Turns a schema document into something that checks data fast: Iglu's dialect expressed in plain draft 04.

The document is copied into one that jsonschema-rs reads without surprise: Java patterns rewritten, ``nullable`` spelt
out, formats and keywords that Iglu does not know left out, references to the web made to accept anything. The copy
remembers for each of its places the original, whose words the error reports use.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import msgspec

from snowgauge.iglu.depth import depth_exceeds
from snowgauge.iglu.formats import CALLBACKS, FORMATS
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA, META_SCHEMA
from snowgauge.iglu.patterns import PatternError, translate
from snowgauge.iglu.reports import Origins, Report, reports

TOO_DEEP = "Maximum allowed JSON depth exceeded"
JAVA_PATTERN = "javaPattern"  # our keyword for patterns that only Python's engine can run

_KEPT = frozenset(
    {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "maxItems",
     "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum", "type"}
)  # fmt: skip
_MAPS = frozenset({"definitions", "properties", "patternProperties"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf"})


class Issue(msgspec.Struct, frozen=True):
    """Something that makes a schema unusable."""

    path: str
    message: str


class SchemaIssues(ValueError):
    """A schema that cannot be used; carries every issue that was seen."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(f"{issue.path}: {issue.message}" for issue in issues))
        self.issues = issues


class CompiledSchema:
    """A schema ready for use by any number of threads."""

    __slots__ = ("_origins", "_rules", "is_valid")

    def __init__(self, schema: dict[str, Any]) -> None:
        """Compile without the meta-schema check. Raises :class:`SchemaIssues`."""
        copy, self._origins = _Rewrite(schema).run()
        try:
            self._rules = jsonschema_rs.Draft4Validator(
                copy,
                formats=CALLBACKS,
                validate_formats=True,
                keywords={JAVA_PATTERN: _JavaPattern},
                offline=True,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaIssues([Issue("$", str(getattr(error, "message", error)))]) from None
        self.is_valid = self._rules.is_valid

    def reports(self, data: Any) -> list[Report]:
        """Every violation; empty for valid data."""
        return reports(self._rules.iter_errors(data), self._origins)


def compile_schema(schema: Any, max_depth: int) -> CompiledSchema:
    """Accept or refuse a resolved schema (depth, meta-schema, compilation). Raises :class:`SchemaIssues`."""
    if depth_exceeds(schema, max_depth):
        raise SchemaIssues([Issue("/", TOO_DEEP)])
    problems = meta_schema_issues(schema)
    if problems:
        raise SchemaIssues(problems)
    return CompiledSchema(schema)


def meta_schema_issues(schema: Any) -> list[Issue]:
    """What the meta-schema has against a schema; the depth must have been checked."""
    rules = _meta_schema()
    if not rules.is_valid(schema):
        return [Issue(report.path, report.message) for report in rules.reports(schema)]
    named = schema.get("$schema")
    if named is not None and named != IGLU_META_SCHEMA:
        return [Issue("$", f"Unknown meta-schema: {named}")]
    return []


@lru_cache(maxsize=1)
def _meta_schema() -> CompiledSchema:
    return CompiledSchema(META_SCHEMA)


class _JavaPattern:
    """A pattern that runs in Python."""

    def __init__(self, _parent: dict[str, Any], value: Any, _path: list[str | int]) -> None:
        self._search = re.compile(value).search

    def validate(self, instance: Any) -> None:
        if isinstance(instance, str) and self._search(instance) is None:
            raise ValueError("does not match")


class _Rewrite:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.origins: Origins = {}
        self.issues: list[Issue] = []
        self.targets: set[tuple[str, ...]] = set()

    def run(self) -> tuple[dict[str, Any], Origins]:
        self._find_references(self.document)
        copy = self._schema(self.document, ())
        if self.issues:
            raise SchemaIssues(self.issues)
        return copy, self.origins

    def _find_references(self, value: Any) -> None:
        """Note where references point to: a schema may lie under a keyword that means nothing otherwise."""
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                reference = each.get("$ref")
                if isinstance(reference, str) and reference.startswith("#/"):
                    self.targets.add(_pointer(reference))
                waiting.extend(each.values())
            elif isinstance(each, list):
                waiting.extend(each)

    def _problem(self, path: tuple[str | int, ...], message: str) -> None:
        where = "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
        self.issues.append(Issue(where, message))

    def _schema(self, schema: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        self.origins[path] = schema
        copy: dict[str, Any] = {}
        if "$ref" in schema:
            # what stands beside a reference says nothing, but other references may point into it
            for keyword, value in schema.items():
                here = (*path, keyword)
                if isinstance(value, dict) and any(target[: len(here)] == here for target in self.targets):
                    copy[keyword] = self._elsewhere(value, here)
            return {**copy, **self._reference(schema["$ref"], path)}
        for keyword, value in schema.items():
            here = (*path, keyword)
            if keyword in _KEPT:
                copy[keyword] = value
            elif keyword in _MAPS and isinstance(value, dict):
                copy[keyword] = self._map(keyword, value, here)
            elif keyword in _LISTS and isinstance(value, list):
                copy[keyword] = [self._schema(each, (*here, i)) for i, each in enumerate(value)]
            elif keyword in ("items", "additionalItems", "additionalProperties", "not"):
                if isinstance(value, list):
                    copy[keyword] = [self._schema(each, (*here, i)) for i, each in enumerate(value)]
                else:
                    copy[keyword] = self._schema(value, here) if isinstance(value, dict) else value
            elif keyword == "dependencies" and isinstance(value, dict):
                copy[keyword] = {
                    name: self._schema(each, (*here, name)) if isinstance(each, dict) else each
                    for name, each in value.items()
                }
            elif keyword == "pattern":
                self._pattern(copy, value, here)
            elif keyword == "format":
                if value in FORMATS:
                    copy[keyword] = value
            elif isinstance(value, dict) and any(target[: len(here)] == here for target in self.targets):
                copy[keyword] = self._elsewhere(value, here)
        if copy.get("additionalProperties") is False:
            copy.setdefault("properties", {})  # without it jsonschema-rs reports one property and no name
        if schema.get("nullable") is True and "type" in schema:
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            copy["type"] = kinds if "null" in kinds else [*kinds, "null"]
        return copy

    def _elsewhere(self, value: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        """A part of the document that is a schema, or leads to one, only because a reference says so."""
        if path in self.targets:
            return self._schema(value, path)
        return {name: self._elsewhere(each, (*path, name)) for name, each in value.items() if isinstance(each, dict)}

    def _map(self, keyword: str, value: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for name, each in value.items():
            key = name
            if keyword == "patternProperties":
                try:
                    pattern = translate(name)
                except PatternError as error:
                    self._problem(path, str(error))
                    continue
                if pattern.engine == "python":
                    self._problem(path, f"patternProperties cannot use the pattern {name!r} here")
                    continue
                key = pattern.text
                while key in copy:  # two spellings of one pattern
                    key += "(?:)"
            copy[key] = self._schema(each, (*path, key))
        return copy

    def _pattern(self, copy: dict[str, Any], value: str, path: tuple[str | int, ...]) -> None:
        try:
            pattern = translate(value)
        except PatternError as error:
            self._problem(path, str(error))
            return
        copy["pattern" if pattern.engine == "rust" else JAVA_PATTERN] = pattern.text

    def _reference(self, reference: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        if isinstance(reference, str):
            if reference.startswith(("http://", "https://")):
                return {}  # never fetched, accepts anything (iglu-scala-client's fetcher)
            if reference == "#":
                return {"$ref": "#"}
            if reference.startswith("#/"):
                target: Any = self.document
                for part in _pointer(reference):
                    if isinstance(target, list) and part.isdigit() and int(part) < len(target):
                        target = target[int(part)]
                    elif isinstance(target, dict) and part in target:
                        target = target[part]
                    else:
                        target = None
                        break
                if isinstance(target, dict):
                    return {"$ref": reference}
        self._problem(path, f"Reference {reference} cannot be resolved")
        return {}


def _pointer(reference: str) -> tuple[str, ...]:
    return tuple(unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))

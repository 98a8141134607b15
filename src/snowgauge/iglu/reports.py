"""Validation errors in the words of the validator that Snowplow uses (networknt 1.0, draft 04).

Bad rows carry these texts, and people search and alert on them, so they are the same to the letter where its words are
known; the patterns shown for formats are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema_rs
import msgspec

from snowgauge.iglu.formats import FORMATS

Origins = dict[tuple[str | int, ...], dict[str, Any]]
"""For each schema inside a rewritten document, by its path there, the schema it was made of."""

_Kind = jsonschema_rs.ValidationErrorKind


class Report(msgspec.Struct, frozen=True):
    """One violation, as in ``dataReports``."""

    message: str
    path: str
    keyword: str | None
    targets: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"message": self.message, "path": self.path, "keyword": self.keyword, "targets": list(self.targets)}


def reports(errors: Iterable[jsonschema_rs.ValidationError], origins: Origins) -> list[Report]:
    """Reports of all errors, each once."""
    found: dict[Report, None] = {}
    for error in errors:
        for report in _of(error, origins):
            found[report] = None
    return list(found)


_TEXTS = {
    "minLength": "must be at least {} characters long",
    "maxLength": "may only be {} characters long",
    "minimum": "must have a minimum value of {}",
    "maximum": "must have a maximum value of {}",
    "multipleOf": "must be multiple of {}",
    "minItems": "there must be a minimum of {} items in the array",
    "maxItems": "there must be a maximum of {} items in the array",
    "minProperties": "should have a minimum of {} properties",
    "maxProperties": "may only have a maximum of {} properties",
    "pattern": "does not match the regex pattern {}",
    "enum": "does not have a value in the enumeration {}",
}
_SAME = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum", "javaPattern": "pattern"}


def _of(error: jsonschema_rs.ValidationError, origins: Origins) -> Iterable[Report]:
    kind = error.kind
    path = json_path(error.instance_path)
    place = tuple(error.schema_path)
    keyword = str(place[-1]) if place else kind.name
    origin = origins.get(place[:-1], {})
    if isinstance(kind, _Kind.AnyOf | _Kind.OneOfNotValid):
        for branch in kind.context:
            for each in branch:
                yield from _of(each, origins)
        return
    if isinstance(kind, _Kind.Required):
        if keyword == "dependencies":
            text = java_text({k: v for k, v in origin.get("dependencies", {}).items() if isinstance(v, list)})
            yield Report(f"{path}: has an error with dependencies {text}", path, keyword, (text,))
            return
        name = kind.property
        yield Report(f"{path}.{name}: is missing but it is required", path, "required", (name,))
        return
    if isinstance(kind, _Kind.AdditionalProperties):
        for name in kind.unexpected:
            text = f"{path}.{name}: is not defined in the schema and the schema does not allow additional properties"
            yield Report(text, path, "additionalProperties", (name,))
        return
    if isinstance(kind, _Kind.AdditionalItems):
        for i in range(kind.limit, len(error.instance) if isinstance(error.instance, list) else kind.limit + 1):
            yield Report(f"{path}[{i}]: no validator found at this index", path, "items", (str(i),))
        return
    if isinstance(kind, _Kind.Type):
        found = type_name(error.instance)
        expected = origin.get("type", kind.types)
        if isinstance(expected, str):
            yield Report(f"{path}: {found} found, {expected} expected", path, "type", (found, expected))
        else:
            text = java_text(expected)
            yield Report(f"{path}: {found} found, but {text} is required", path, "unionType", (found, text))
        return
    if isinstance(kind, _Kind.UniqueItems):
        yield Report(f"{path}: the items in the array must be unique", path, "uniqueItems", ())
        return
    if isinstance(kind, _Kind.OneOfMultipleValid):
        text = json_text(origin.get("oneOf", []))
        message = f"{path}: should be valid to one and only one of schema, but more than one are valid: {text}"
        yield Report(message, path, "oneOf", (text,))
        return
    if isinstance(kind, _Kind.Not):
        text = f'"not" : {json_text(origin.get("not", {}))}'
        yield Report(f"{path}: should not be valid to the schema {text}", path, "not", (text,))
        return
    if isinstance(kind, _Kind.Format):
        yield _format(path, kind.format, error.instance)
        return
    keyword = _SAME.get(keyword, keyword)
    if keyword in _TEXTS and keyword in origin:
        text = java_text(origin[keyword])
        yield Report(f"{path}: {_TEXTS[keyword].format(text)}", path, keyword, (text,))
        return
    # what no draft-04 keyword says, such as an engine that gave up on a pattern
    yield Report(f"{path}: {error.message}", path, keyword, ())


def _format(path: str, name: str, value: Any) -> Report:
    text = str(value)
    known = FORMATS[name]
    if known.report in ("dateTime", "uuid"):
        return Report(f"{path}: {text} is an invalid {name}", path, known.report, (text, name))
    if known.report == "value":
        return Report(f"{path}: does not match the {text} pattern {name}", path, "format", (text, name))
    return Report(f"{path}: does not match the {name} pattern {known.shown}", path, "format", (name, known.shown))


def json_path(parts: Iterable[str | int]) -> str:
    """``$.a.b[1]``; keys stand as they are."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def type_name(value: Any) -> str:
    """The JSON type of a value, telling integers from other numbers by how they were written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    return "number"


def json_text(value: Any) -> str:
    """Compact JSON."""
    import json

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def java_text(value: Any) -> str:
    """A value as Java prints it in messages: ``[a, b]``, ``{a=[b]}``, ``null``, ``true``."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(java_text(each) if not isinstance(each, dict) else json_text(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={java_text(each)}" for name, each in value.items()) + "}"
    return json_text(value)

"""Validation errors in the words of enrich 6.10: networknt 1.5.8 for draft 04, whose arguments iglu-scala-client 4.2
puts into the message templates of networknt 1.0.76.

Bad rows carry these texts, and people search and alert on them, so they are the same to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
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
    """Reports of all errors; of the same report by one keyword, the first."""
    found: dict[tuple[tuple[str | int, ...], Report], Report] = {}
    for error in errors:
        for each in _with_branches(error):
            for report in _of(each, origins):
                found.setdefault((tuple(each.evaluation_path), report), report)
    return list(found.values())


def _with_branches(error: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """The error, and below an ``anyOf`` or ``oneOf`` that nothing matches what each branch had against the data."""
    yield error
    if isinstance(error.kind, _Kind.AnyOf | _Kind.OneOfNotValid):
        for branch in error.kind.context:
            for each in branch:
                yield from _with_branches(each)


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
_MANY = "should be valid to one and only one of schema, but more than one are valid: {}"
"""Also what is said when none is valid, with a 0 for the schemas."""
_COUNTED = ("minItems", "maxItems")
"""Keywords whose targets also say how many items there are."""
_SAME = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum", "javaPattern": "pattern"}


def _of(error: jsonschema_rs.ValidationError, origins: Origins) -> Iterable[Report]:
    kind = error.kind
    path = json_path(error.instance_path)
    place = tuple(error.schema_path)
    keyword = str(place[-1]) if place else kind.name
    origin = origins.get(place[:-1], {})
    if isinstance(kind, _Kind.AnyOf):
        return  # its branches speak for it
    if isinstance(kind, _Kind.OneOfNotValid):
        yield Report(f"{path}: {_MANY.format(0)}", path, "oneOf", ("0", ""))
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
            yield Report(f"{path}[{i}]: no validator found at this index", path, "additionalItems", (str(i),))
        return
    if isinstance(kind, _Kind.Type):
        found = type_name(error.instance)
        expected = java_text(origin.get("type", kind.types))
        yield Report(f"{path}: {found} found, {expected} expected", path, "type", (found, expected))
        return
    if isinstance(kind, _Kind.UniqueItems):
        yield Report(f"{path}: the items in the array must be unique", path, "uniqueItems", ())
        return
    if isinstance(kind, _Kind.OneOfMultipleValid):
        valid = [at for at, branch in enumerate(kind.context) if not branch]
        text = "".join([json_text(origin["oneOf"][at]) for at in valid[:2]])  # it looks no further
        yield Report(f"{path}: {_MANY.format(text)}", path, "oneOf", (text,))
        return
    if isinstance(kind, _Kind.Not):
        where = json_path(error.evaluation_path)
        text = f'"{"not" if where == "$.not" else where}" : {json_text(origin.get("not", {}))}'
        yield Report(f"{path}: should not be valid to the schema {text}", path, "not", (text,))
        return
    if isinstance(kind, _Kind.Format):
        shown = FORMATS[kind.format].shown
        text = f"{path}: does not match the {kind.format} pattern {shown}"
        yield Report(text, path, "format", (kind.format, shown))
        return
    keyword = _SAME.get(keyword, keyword)
    if keyword in _TEXTS and keyword in origin:
        limit = origin[keyword]
        text = java_text(float(limit) if keyword == "multipleOf" else limit)
        seen = (str(len(error.instance)),) if isinstance(error.instance, list) and keyword in _COUNTED else ()
        yield Report(f"{path}: {_TEXTS[keyword].format(text)}", path, keyword, (text, *seen))
        return
    # what no draft-04 keyword says, such as an engine that gave up on a pattern
    yield Report(f"{path}: {error.message}", path, keyword, ())


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
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def java_text(value: Any) -> str:
    """A value as Java prints it in messages: ``[a, b]``, ``{a=[b]}``, ``null``, ``true``."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(Decimal(repr(value)))  # prints exponents as a BigDecimal does
    if isinstance(value, list):
        return f"[{', '.join(json_text(each) if isinstance(each, dict | list) else java_text(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={java_text(each)}" for name, each in value.items()) + "}"
    return json_text(value)

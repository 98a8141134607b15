"""What is wrong in one sentence for people. It holds for every failure of a cause, so it names no value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from snowgauge.actions.failed.diagnosis import Fault

_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "object": "an object", "array": "a list", "null": "null",
}  # fmt: skip
_FOUND = re.compile(r": (\w+) found, ")
_DATA = re.compile(r"^(?:event|contexts\[[^\]]*\]|payload\.body)\.data\.?")
_PARSE = (
    ("BigDecimal", "is not a number"),
    ("java.lang.Integer", "is not a whole number"),
    ("Boolean-like", "is neither 1 nor 0"),
    ("valid UUID", "is not a UUID"),
    ("event type", "is not an event type"),
    ("platform", "is not a platform"),
    ("ms since epoch", "is not a time in milliseconds"),
    ("Redshift", "is a time that cannot be stored"),
    ("(\\d+)x(\\d+)", "is not a size such as 1024x768"),
    ("base64", "is not Base64"),
)
_BOUNDS = {
    "maximum": "is above the maximum of {limit}", "minimum": "is below the minimum of {limit}",
    "maxLength": "is longer than {limit} characters", "minLength": "is shorter than {limit} characters",
    "maxItems": "has more than {limit} elements", "minItems": "has fewer than {limit} elements",
    "enum": "is not one of the values that {schema} allows", "pattern": "does not match the required pattern",
    "format": "is not in the format {limit}", "multipleOf": "is not a multiple of {limit}",
    "uniqueItems": "has the same element twice",
}  # fmt: skip
_CRITERIA = {"unstruct_event": "the self-describing event", "contexts": "the entities", "payload_data": "the request"}


def headline(fault: Fault) -> str:
    """Never empty; without a full stop."""
    schema = schema_name(fault.schema)
    match fault.kind:
        case "invalid":
            return _invalid(fault, schema)
        case "atomic":
            return _atomic(fault)
        case "resolution":
            return f"No registry has the schema {schema}"
        case "broken schema":
            return f"The schema {schema} is itself not valid"
        case "criterion":
            wanted = _CRITERIA.get(schema_name(str(fault.rule)).split(" ")[0], "this place")
            return f"{schema} is not a schema that {wanted} can have"
        case "not json":
            return f"{_json_source(fault.path)} is not JSON"
        case "not self-describing":
            return "Data was sent without a valid schema beside it"
        case "enrichment":
            return f"The enrichment {_enrichment(schema)} failed"
        case _:
            return _request(fault)


def schema_name(uri: str | None) -> str:
    """``cart 1-0-0`` of its URI; what is no URI stays as it is."""
    if uri is None:
        return "the schema"
    parts = uri.removeprefix("iglu:").split("/")
    return f"{parts[1]} {parts[3]}" if len(parts) == 4 else uri


def subject(fault: Fault) -> str:
    """The property at fault as its own path in the data, without numbers of elements."""
    text = _DATA.sub("", fault.place) if fault.place else str(fault.path or "$").removeprefix("$").removeprefix(".")
    return re.sub(r"\[\d+\]", "[*]", text)


def _invalid(fault: Fault, schema: str) -> str:
    name = subject(fault) or "The data"
    if fault.keyword == "type":
        found = _FOUND.search(fault.message)
        was = f"is {_TYPES.get(found[1], found[1])}" if found else "has another type"
        return f"{name} {was}; {schema} expects {_wanted(fault.rule)}"
    if fault.keyword == "required":
        return f"{name} is missing; {schema} requires it"
    if fault.keyword == "additionalProperties":
        return f"{name} is not a property of {schema}"
    text = _BOUNDS.get(str(fault.keyword), "is not what {schema} allows")
    limit = fault.rule.get(fault.keyword) if isinstance(fault.rule, Mapping) else None
    if "{limit}" in text and limit is None:
        text = "is not what {schema} allows"
    return f"{name} {text.format(limit=limit, schema=schema)}"


def _wanted(rule: Any) -> str:
    types = rule.get("type") if isinstance(rule, Mapping) else None
    names = [_TYPES.get(str(each), str(each)) for each in (types if isinstance(types, list) else [types]) if each]
    return " or ".join(names) if names else "another type"


def _atomic(fault: Fault) -> str:
    if fault.keyword == "atomic_field_length_exceeded":
        return f"The column {fault.path} is longer than allowed"
    what = next((text for part, text in _PARSE if part in fault.message), "cannot be read")
    return f"The tracker parameter {fault.path} {what}"


def _json_source(field: str | None) -> str:
    names = {"unstruct": "The self-describing event", "contexts": "The text with the entities", "body": "The body"}
    return names.get(str(field), f"The field {field}")


def _enrichment(schema: str) -> str:
    return (
        schema.split(" ", maxsplit=1)[0].removesuffix("_config").replace("_", " ") if schema != "the schema" else "step"
    )


_REQUESTS = {
    "path": "The path of the request is not a tracking path",
    "querystring": "The query string has characters that are not allowed",
    "size": "The request is larger than the collector allows",
    "size kept": "The event is larger than allowed after enrichment",
    "loader": "The database refused the finished event",
}


def _request(fault: Fault) -> str:
    if fault.kind == "unsupported":
        return f"No adapter takes requests to /{fault.value}" if fault.value else "No adapter takes this path"
    known = _REQUESTS.get(fault.kind)
    if known:
        return known
    text = fault.message.strip().removesuffix(".")
    where = f"{fault.path}: " if fault.path and fault.path not in text else ""
    return (where + text)[:200] or "The event could not be processed"

"""What exactly is wrong with a failed event: each fault with its place, the value found there, and the rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from snowgauge.actions.failed.document import Document
from snowgauge.actions.failed.row import FailedRow
from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.contract import Invalid, Resolver, Validator

_REPORT_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING = object()


class Fault(msgspec.Struct):
    """``path`` is the reason's own path inside of the data (``$.quantity``), ``place`` the path that edits take.

    ``value`` is what is there (absent: nothing is); ``rule`` the part of the schema that forbids it; ``beside`` are the
    names of the object in which something is missing or too much.
    """

    kind: str
    message: str
    schema: str | None = None
    keyword: str | None = None
    path: str | None = None
    place: str | None = None
    value: Any = None
    absent: bool = True
    rule: Any = None
    beside: list[str] = []


def faults_of(
    row: FailedRow, document: Document | None, resolver: Resolver, validator: Validator | None = None
) -> list[Fault]:
    """At least one."""
    look = _Look(document or {}, resolver, validator)
    found = [fault for message in row.messages for fault in _faults(message, row, look)]
    return found or [Fault(_other_kind(row), row.message or "", schema=row.schema)]


def vendor_of(uri: str | None) -> str | None:
    """The vendor of a schema's URI; ``None`` for what is no such URI."""
    try:
        return None if uri is None else SchemaKey.parse(uri).vendor
    except SelfDescribingError:
        return None


def _other_kind(row: FailedRow) -> str:
    if row.failure_type == "size_violation":
        return "size" if row.record is None else "size kept"
    return "loader" if row.failure_type.startswith("loader_") else "other"


class _Look:
    """Finds the data that a reason is about. Reasons come in the order of the data; each datum has one."""

    def __init__(self, document: Document, resolver: Resolver, validator: Validator | None) -> None:
        self.document = document
        self.resolver = resolver
        self._validator = validator
        self._told: set[str] = set()

    def instance(self, schema: str) -> tuple[str | None, Any]:
        """The next datum of a schema that is not valid, with its place."""
        found = list(_instances(schema, self.document))
        bad = [one for one in found if self._invalid(schema, one[1])] or found
        chosen = next((one for one in bad if one[0] not in self._told), bad[0] if bad else None)
        if chosen is None:
            return None, _MISSING
        self._told.add(chosen[0])
        return chosen

    def _invalid(self, schema: str, data: Any) -> bool:
        if self._validator is None:
            return False
        try:
            return isinstance(self._validator.check(SelfDescribing(SchemaKey.parse(schema), data)), Invalid)
        except (SchemaResolutionError, SelfDescribingError):
            return True


def _faults(message: Mapping[str, Any], row: FailedRow, look: _Look) -> Iterator[Fault]:
    error, schema = message.get("error"), message.get("schemaKey")
    if isinstance(error, Mapping):
        yield from _iglu_faults(str(schema), error, look)
    elif "schemaCriterion" in message:
        text = f"{schema} does not match {message['schemaCriterion']}"
        yield Fault("criterion", text, schema=schema, rule=message["schemaCriterion"])
    elif "enrichment" in message:
        inner = message.get("message") or {}
        named = (message["enrichment"] or {}).get("schemaKey")
        text = str(inner.get("error") or inner.get("expectation"))
        yield Fault("enrichment", text, schema=named, path=inner.get("field"), value=inner.get("value"),
                    absent="value" not in inner)  # fmt: skip
    elif "json" in message:
        yield Fault("not self-describing", str(error), value=message["json"], absent=False,
                    place=_json_place(message["json"], look.document))  # fmt: skip
    elif "field" in message and isinstance(error, str):
        yield Fault("not json", error, path=message["field"], place=_text_place(message, look.document),
                    value=message.get("value"), absent=False)  # fmt: skip
    else:
        yield _input_fault(message, row)


_PARAMETERS = {"unstruct": ("ue_px", "ue_pr"), "contexts": ("cx", "co")}


def _text_place(message: Mapping[str, Any], document: Document) -> str | None:
    """Text that is no JSON stays in the parameter that it came in."""
    field = str(message.get("field"))
    if field == "body":
        return "payload.body"
    sent = document.get("parameters") or {}
    name = next((name for name in _PARAMETERS.get(field, (field,)) if name in sent), None)
    return None if name is None else f"parameters.{name}"


def _json_place(bad: Any, document: Document) -> str | None:
    """Where the JSON that is not self-describing is found in the event."""
    if document.get("event") == bad and bad is not None:
        return "event"
    entities = document.get("contexts")
    for at, entity in enumerate(entities if isinstance(entities, list) else ()):
        if entity == bad:
            return f"contexts[{at}]"
    body = (document.get("payload") or {}).get("body")
    if body == bad and bad is not None:
        return "payload.body"
    return next((f"parameters.{name}" for name, text in (document.get("parameters") or {}).items()
                 if name in ("ue_px", "ue_pr", "cx", "co") and text), None)  # fmt: skip


def _input_fault(message: Mapping[str, Any], row: FailedRow) -> Fault:
    field = message.get("field") or message.get("payloadField")
    text = str(message.get("expectation") or message.get("error") or row.message)
    kind = "adapter"
    if field == "vendor/version":
        kind = "unsupported"
    elif message.get("payloadField") in ("path", "querystring"):
        kind = str(field)
    place = f"payload.{field}" if field in ("body", "querystring", "path", "contentType", "networkUserId") else None
    value = message.get("value", message.get("actual"))
    return Fault(kind, text, path=field, place=place, value=value, absent=value is None,
                 rule=message.get("expectedMapping"))  # fmt: skip


def _iglu_faults(schema: str, error: Mapping[str, Any], look: _Look) -> Iterator[Fault]:
    if error.get("error") == "ResolutionError":
        history = error.get("lookupHistory") or []
        names = ", ".join(str(one.get("repository")) for one in history)
        place, data = look.instance(schema)
        yield Fault("resolution", f"not found in {names or 'any registry'}", schema=schema, place=place,
                    value=None if data is _MISSING else data, absent=data is _MISSING, rule=history)  # fmt: skip
        return
    for issue in error.get("schemaIssues") or ():
        yield Fault("broken schema", str(issue.get("message")), schema=schema, path=issue.get("path"))
    rules = _schema(schema, look.resolver)
    place, data = look.instance(schema)
    for report in error.get("dataReports") or ():
        keyword = report.get("keyword")
        if str(keyword).startswith("atomic_"):
            yield _atomic(report, schema, look.document)
            continue
        yield _data_fault(report, schema, rules, place, data)


def _atomic(report: Mapping[str, Any], schema: str, document: Document) -> Fault:
    name = str(report.get("path"))
    parameters = document.get("parameters") or {}
    return Fault("atomic", str(report.get("message")), schema, report.get("keyword"), name, f"parameters.{name}",
                 parameters.get(name), name not in parameters)  # fmt: skip


def _data_fault(report: Mapping[str, Any], schema: str, rules: Any, place: str | None, data: Any) -> Fault:
    path, keyword = str(report.get("path") or "$"), report.get("keyword")
    steps: list[str | int] = [name or int(index) for name, index in _REPORT_STEP.findall(path)]
    targets = list(report.get("targets") or ())
    inner = [*steps, *targets[:1]] if keyword in ("additionalProperties", "required") else steps
    value = _value(data, inner)
    holder = _value(data, steps)
    return Fault(
        "invalid",
        str(report.get("message")),
        schema,
        keyword,
        path,
        None if place is None else place + "".join(_path_step(step) for step in inner),
        None if value is _MISSING else value,
        value is _MISSING,
        _rule(rules, steps, keyword),
        sorted(map(str, holder)) if inner != steps and isinstance(holder, Mapping) else [],
    )


def _path_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[^.\[\]\"=]+", step) else f"[{msgspec.json.encode(step).decode()}]"


def _instances(schema: str, document: Document) -> Iterator[tuple[str, Any]]:
    event, contexts = document.get("event"), document.get("contexts")
    if schema.startswith("iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/") and contexts is not None:
        yield "contexts", contexts  # the document has the entities without their wrapper
    if isinstance(event, Mapping) and event.get("schema") == schema:
        yield "event.data", event.get("data")
    for at, entity in enumerate(contexts if isinstance(contexts, list) else ()):
        if isinstance(entity, Mapping) and entity.get("schema") == schema:
            yield f"contexts[{at}].data", entity.get("data")
    body = (document.get("payload") or {}).get("body")
    if isinstance(body, Mapping) and body.get("schema") == schema:
        yield "payload.body.data", body.get("data")


def _value(data: Any, steps: list[str | int]) -> Any:
    for step in steps:
        in_list = isinstance(step, int) and isinstance(data, list) and step < len(data)
        if not in_list and not (isinstance(data, Mapping) and step in data):
            return _MISSING
        data = data[step]
    return data


def _schema(uri: str, resolver: Resolver) -> Any:
    try:
        return resolver.schema(SchemaKey.parse(uri))
    except (SchemaResolutionError, SelfDescribingError):
        return None


def _rule(schema: Any, steps: list[str | int], keyword: Any) -> Any:
    """The schema's own words about the place: the keyword that was broken, or all of its description."""
    for step in steps:
        if not isinstance(schema, Mapping):
            return None
        if isinstance(step, int):
            items = schema.get("items")
            schema = items[step] if isinstance(items, list) and step < len(items) else items
        else:
            schema = (schema.get("properties") or {}).get(step)
    if not isinstance(schema, Mapping):
        return None
    if keyword == "additionalProperties":
        return {"additionalProperties": schema.get(keyword), "properties": sorted(schema.get("properties") or {})}
    return {keyword: schema[keyword]} if keyword in schema else {k: v for k, v in schema.items() if k != "properties"}

"""The view of a failed event that is searched and edited: parsed JSON instead of text in text.

``event`` is the self-describing event and ``contexts`` the entities, both with ``schema`` and ``data``, without their
wrappers, and decoded where they came as Base64; ``parameters`` are the other tracker parameters; ``payload`` is the
request. A row that is a whole request has ``payload`` alone, with its querystring by name and a JSON body parsed.

Writing back changes only the texts whose value was changed, and keeps how numbers were written in those.
"""

from __future__ import annotations

import base64
import copy
from typing import Any

import msgspec

from snowgauge.actions.failed.subject import Subject, lenient_pairs, query_text
from snowgauge.enrich.transform.base64_text import decode_text
from snowgauge.events.json_text import BadJson, compact, read
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.tracker import TrackerEvent

ROOTS = ("event", "contexts", "parameters", "payload")
_DEPTH = 500
_SELF_DESCRIBING = {
    "event": ("ue_px", "ue_pr", "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"),
    "contexts": ("cx", "co", "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"),
}
_OF_EVENT = ("ipAddress", "timestamp", "encoding", "collector", "userAgent", "refererUri", "headers", "contentType",
             "hostname", "networkUserId")  # fmt: skip
_NAMES = {field.encode_name: field.name for field in msgspec.structs.fields(CollectorPayload)}
Document = dict[str, Any]


class Unwritable(ValueError):
    """An edit left something that no request can hold; the text names it."""


def document_of(subject: Subject) -> Document:
    return request_document(subject.payload) if subject.tracker is None else event_document(subject.tracker)


def event_document(tracker: TrackerEvent) -> Document:
    parameters = dict(tracker.parameters)
    found: Document = {}
    for part, (encoded, plain, _) in _SELF_DESCRIBING.items():
        name = encoded if parameters.get(encoded) is not None else plain
        wrapper = _wrapper(name, parameters.get(name))
        found[part] = None if wrapper is None else wrapper["data"]
        if wrapper is not None:
            parameters.pop(encoded, None)
            parameters.pop(plain, None)
    fields = _fields(tracker.payload)
    return {**found, "parameters": parameters, "payload": {name: fields[name] for name in _OF_EVENT}}


def _wrapper(name: str, text: str | None) -> dict[str, Any] | None:
    """The parsed value of a self-describing parameter; ``None`` for what is not one, which stays a parameter."""
    if text is None:
        return None
    try:
        value = read(decode_text(text) if name in ("cx", "ue_px") else text, _DEPTH)
    except BadJson:
        return None
    return value if isinstance(value, dict) and "data" in value else None


def request_document(payload: CollectorPayload) -> Document:
    fields = _fields(payload)
    fields["querystring"] = dict(lenient_pairs(payload.querystring or ""))
    fields["body"] = _body(payload.body)
    return {"payload": fields}


def _body(text: str | None) -> Any:
    try:
        return text if text is None else read(text, _DEPTH)
    except BadJson:
        return text


def _fields(payload: CollectorPayload) -> dict[str, Any]:
    return {name: copy.copy(getattr(payload, field)) for name, field in _NAMES.items() if name != "schema"}


def written(subject: Subject, before: Document, after: Document) -> Subject:
    """The subject as the changed document says. Raises :class:`Unwritable`."""
    if subject.tracker is None:
        return msgspec.structs.replace(subject, payload=_written_request(subject.payload, before, after))
    tracker = written_event(subject.tracker, before, after)
    return msgspec.structs.replace(subject, tracker=tracker, payload=tracker.payload)


def written_event(tracker: TrackerEvent, before: Document, after: Document) -> TrackerEvent:
    if _same(before, after):
        return tracker
    parameters = {str(name): _text(value) for name, value in (after.get("parameters") or {}).items()}
    for part, (encoded, plain, schema) in _SELF_DESCRIBING.items():
        names = [name for name in (encoded, plain) if name in tracker.parameters]
        if _same(before.get(part), after.get(part)):
            if before.get(part) is not None:
                parameters.update({name: tracker.parameters[name] for name in names})
            continue
        if after.get(part) is None:
            continue
        name = names[0] if names else plain
        wrapper = _wrapper(name, tracker.parameters.get(name)) or {"schema": schema}
        text = compact_checked({**wrapper, "data": after[part]}, part)
        if name == encoded:
            text = base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")
        parameters[name] = text
    changed = _changed_fields(before.get("payload") or {}, after.get("payload") or {})
    payload = msgspec.structs.replace(tracker.payload, **changed) if changed else tracker.payload
    return msgspec.structs.replace(tracker, parameters=parameters, payload=payload)


def _written_request(payload: CollectorPayload, before: Document, after: Document) -> CollectorPayload:
    old, new = before["payload"], after.get("payload") or {}
    changed = _changed_fields(old, {name: value for name, value in new.items() if name not in ("querystring", "body")})
    if not _same(old["querystring"], new.get("querystring")):
        given = new.get("querystring") or {}
        if isinstance(given, str):
            changed["querystring"] = given
        elif isinstance(given, dict):
            changed["querystring"] = query_text([(str(name), _text(value)) for name, value in given.items()]) or None
        else:
            raise Unwritable(f"payload.querystring must be names with values, found {given!r}")
    if not _same(old["body"], new.get("body")):
        body = new.get("body")
        changed["body"] = body if body is None or isinstance(body, str) else compact_checked(body, "payload.body")
    return msgspec.structs.replace(payload, **changed)


def _changed_fields(old: Document, new: Document) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in new.items():
        if name not in _NAMES:
            raise Unwritable(f"payload has no field {name!r}: use one of {', '.join(sorted(_NAMES))}")
        if not _same(old.get(name), value):
            changed[_NAMES[name]] = _field(name, value)
    for name in old:
        if name not in new and name not in ("querystring", "body"):
            changed[_NAMES[name]] = _field(name, 0 if name == "timestamp" else None)
    return changed


def _field(name: str, value: Any) -> Any:
    if name == "timestamp":
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise Unwritable(f"payload.timestamp must be milliseconds since 1970, found {value!r}")
        return int(value)
    if name == "headers":
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
            raise Unwritable(f"payload.headers must be a list of texts, found {value!r}")
        return list(value)
    return _text(value)


def _text(value: Any) -> str | None:
    """Parameters and fields are text: what an edit set as another value is written as its JSON."""
    return value if value is None or isinstance(value, str) else compact_checked(value, "a value")


def compact_checked(value: Any, what: str) -> str:
    """JSON text; raises :class:`Unwritable` for what JSON cannot say."""
    try:
        return compact(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise Unwritable(f"{what} cannot be written as JSON: {error}") from None


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and true differ, and so do 1 and 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, float) != isinstance(other, float):
        return one is other
    return bool(one == other)

"""Bad rows of another pipeline as failed events that can be recovered here.

Recovery replays a request, so where a bad row holds one, whole or in parts, its Thrift record is put together again:
as it was (format violations), from its parts (adapter and protocol failures), or from the parameters of the one event
that failed (schema violations and enrichment failures), sent by GET. Of the other kinds nothing can be replayed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from snowgauge.errors import PayloadRecordError
from snowgauge.events import payload_record
from snowgauge.events.bad_row import one_line
from snowgauge.events.failed import BAD_ROW_VERSIONS, FailedEvent
from snowgauge.events.json_text import BadJson, stored
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.timestamps import parse_ms

_SCHEMA = re.compile(r"iglu:com\.snowplowanalytics\.snowplow\.badrows/([a-z_]+)/jsonschema/\d+-\d+-\d+")


class NotBadRow(ValueError):
    """JSON that is no bad row; the text says why."""


def failure_type(schema: str) -> str | None:
    """The kind of a bad row by its schema; ``None`` for a schema that is none of Snowplow's."""
    found = _SCHEMA.fullmatch(schema)
    return found[1] if found and found[1] in BAD_ROW_VERSIONS else None


def failed_event(line: bytes, failed_id: str, now: int) -> FailedEvent:
    """Read one bad row. Raises :class:`NotBadRow`."""
    try:
        row = stored(line)
    except BadJson as error:
        raise NotBadRow(f"not JSON: {error}") from None
    except UnicodeDecodeError as error:
        raise NotBadRow(f"not UTF-8: {error}") from None
    if not isinstance(row, dict) or not isinstance(row.get("schema"), str) or not isinstance(row.get("data"), dict):
        raise NotBadRow("expected an object with schema and data")
    kind = failure_type(row["schema"])
    if kind is None:
        raise NotBadRow(f"schema {row['schema'][:120]!r} is not a bad row's")
    data: dict[str, Any] = row["data"]
    failure = _object(data.get("failure"))
    payload = data.get("payload")
    parts = _object(payload)
    event, raw = _object(parts.get("enriched")), _object(parts.get("raw"))
    given = _pairs(raw.get("parameters") or parts.get("querystring"))
    messages = _messages(data.get("failure"))
    make = _RECORDS.get(kind)
    try:
        record = make(payload) if make is not None else None
    except (ValueError, TypeError, KeyError, OverflowError):
        record = None  # parts are missing or odd: the bad row is kept, as what it is
    return FailedEvent(
        id=failed_id,
        failure_type=kind,
        failed_at=_time(failure.get("timestamp"), now),
        data=data,
        app_id=_some(event.get("app_id") or given.get("aid")),
        platform=_some(event.get("platform") or given.get("p")),
        event_id=_some(event.get("event_id") or given.get("eid")),
        event_name=_some(event.get("event_name")),
        tracker=_some(event.get("v_tracker") or given.get("tv")),
        collector_tstamp=_time(raw.get("timestamp") or parts.get("timestamp"), None),
        schema=_schema(messages),
        message=_reason(messages[0]),
        record=record,
        event_index=0 if record is not None and raw else None,
    )


def _whole(payload: Any) -> bytes | None:
    try:
        record = base64.b64decode(payload, validate=True)
        payload_record.decode(record)
    except (binascii.Error, PayloadRecordError):
        return None
    return record


def _of_parts(payload: Any) -> bytes:
    return _record(
        payload, f"/{payload['vendor']}/{payload['version']}", payload.get("querystring"), user="networkUserId"
    )


def _of_parameters(payload: Any) -> bytes:
    raw = payload["raw"]
    # an adapter's events carry tracker parameters: they go in again by the door of trackers
    old = (raw["vendor"], raw["version"]) == ("com.snowplowanalytics.snowplow", "tp1")
    path = "/i" if old else "/com.snowplowanalytics.snowplow/tp2"
    return _record({**raw, "body": None, "contentType": None}, path, raw["parameters"], user="userId")


def _of_inner(payload: Any) -> bytes | None:
    """A failed recovery of Snowplow's: what it tried to recover is inside."""
    make = _RECORDS.get(failure_type(payload["schema"]) or "")
    return make(payload["data"]["payload"]) if make is not None else None


_RECORDS: Mapping[str, Callable[[Any], bytes | None]] = {
    "collector_payload_format_violation": _whole,
    "adapter_failures": _of_parts,
    "tracker_protocol_violations": _of_parts,
    "schema_violations": _of_parameters,
    "enrichment_failures": _of_parameters,
    "recovery_error": _of_inner,
}


def _record(parts: Mapping[str, Any], path: str, query: Any, *, user: str) -> bytes:
    time = _time(parts.get("timestamp"), None)
    if time is None:
        raise ValueError("no collector time")
    payload = CollectorPayload(
        ip_address=parts.get("ipAddress"),
        timestamp=time,
        encoding=parts.get("encoding") or "UTF-8",
        collector=parts.get("collector") or parts.get("loaderName"),
        user_agent=parts.get("useragent"),
        referer_uri=parts.get("refererUri"),
        path=path,
        querystring="&".join(
            quote(name, safe="") + ("" if value is None else "=" + quote(value, safe=""))
            for name, value in _pairs(query).items()
        ),
        body=parts.get("body"),
        headers=parts.get("headers") or None,
        content_type=parts.get("contentType"),
        hostname=parts.get("hostname"),
        network_user_id=parts.get(user),
    )
    return payload_record.encode(msgspec.convert(msgspec.to_builtins(payload), CollectorPayload))


def _pairs(given: Any) -> dict[str, str | None]:
    """Parameters as lists of ``{"name", "value"}``, or as an object, as older versions of the schemas had them."""
    if isinstance(given, Mapping):
        return {str(name): _some(value) for name, value in given.items()}
    if isinstance(given, list):
        return {
            str(pair["name"]): _some(pair.get("value"))
            for pair in given
            if isinstance(pair, Mapping) and "name" in pair
        }
    return {}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _some(value: Any) -> str | None:
    return None if value is None else str(value)


def _time(text: Any, default: Any) -> Any:
    try:
        return parse_ms(text)
    except (ValueError, TypeError, AttributeError, OverflowError):
        return default


def _schema(messages: list[Any]) -> str | None:
    for message in messages:
        if isinstance(message, Mapping) and isinstance(message.get("schemaKey"), str):
            return str(message["schemaKey"])
    return None


def _messages(failure: Any) -> list[Any]:
    """Loaders write one text, or a list, where other failures are objects."""
    if isinstance(failure, Mapping):
        found = failure.get("messages") or failure.get("message") or failure
        failure = found if isinstance(found, Mapping | list) else failure
    return failure if isinstance(failure, list) and failure else [failure]


def _reason(message: Any) -> str:
    try:
        return one_line(message)
    except (KeyError, IndexError, TypeError, AttributeError):
        return " ".join(str(message).split())[:500]

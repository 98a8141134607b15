"""What is replayed of a failed event: one event that an adapter had made already, or a whole request.

A replay goes out from the record of the request that was kept with the failure, so that body, headers, cookies and
times are those of the first try. Rows without a record (bad rows of a Snowplow pipeline) are rebuilt from the bad row.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import msgspec

from snowgauge.actions.failed.row import FailedRow
from snowgauge.enrich import compressed, querystrings
from snowgauge.errors import PayloadRecordError
from snowgauge.events import payload_record
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.timestamps import parse_ms
from snowgauge.events.tracker import TrackerEvent

EVENT_TYPES = frozenset(["schema_violations", "enrichment_failures"])
"""Types whose rows are one event each; of the other types a row is a request, or one item of it."""
_REQUEST_TYPES = frozenset(["adapter_failures", "tracker_protocol_violations"])
_LOST = {
    "size_violation": "only the beginning of an oversized request is kept; raise the limits for the next ones",
    "loader_parsing_error": "it holds a line that is no event; the request is not in it",
    "loader_iglu_error": "it holds an event as a loader saw it; load it again from the enriched events",
    "loader_runtime_error": "the database refused the finished event; change its values and import it again",
}


class NotReplayable(Exception):
    """Nothing can be made of this row; the text says why."""


class Subject(msgspec.Struct):
    """``tracker`` is the event; ``None``: the adapter of the payload's path makes the events."""

    payload: CollectorPayload
    tracker: TrackerEvent | None = None
    note: str = ""


def subject_of(row: FailedRow) -> Subject:
    """Raises ``NotReplayable``."""
    return _subject(row.failure_type, row.data, row.record)


def _subject(failure_type: str, data: Mapping[str, Any], record: bytes | None) -> Subject:
    payload = data.get("payload")
    if failure_type in EVENT_TYPES and isinstance(payload, Mapping) and isinstance(payload.get("raw"), Mapping):
        return _event(payload["raw"], record)
    if failure_type in _REQUEST_TYPES and isinstance(payload, Mapping):
        return Subject(_decoded(record) if record is not None else request_of(payload))
    if failure_type == "collector_payload_format_violation":
        return _repaired(_decoded(record) if record is not None else _from_text(payload))
    if failure_type == "recovery_error" and isinstance(payload, Mapping) and isinstance(payload.get("data"), Mapping):
        inner = str(payload.get("schema")).partition("/jsonschema/")[0].rpartition("/")[2]
        if inner != "recovery_error":
            return _subject(inner, payload["data"], record)
    if record is not None:
        return Subject(_decoded(record))
    raise NotReplayable(_LOST.get(failure_type, f"a {failure_type} does not hold the request it came of"))


def _decoded(record: bytes) -> CollectorPayload:
    if compressed.kind_of(record) is not None:
        raise NotReplayable("it is a compressed record of several payloads: import the Base64 in it once more")
    try:
        return payload_record.decode(record)
    except PayloadRecordError as error:
        raise NotReplayable(f"the record is no payload: {error}") from None


def _event(raw: Mapping[str, Any], record: bytes | None) -> Subject:
    payload = _decoded(record) if record is not None else CollectorPayload(timestamp=_ms(raw.get("timestamp")))
    # the raw part knows what the enricher settled: the address behind proxies, the normal form of an id
    payload = msgspec.structs.replace(
        payload,
        ip_address=raw.get("ipAddress"),
        network_user_id=raw.get("userId"),
        collector=raw.get("loaderName"),
        encoding=raw.get("encoding"),
        hostname=raw.get("hostname"),
        user_agent=raw.get("useragent"),
        referer_uri=raw.get("refererUri"),
        headers=list(raw.get("headers") or []),
        content_type=raw.get("contentType"),
    )
    given = raw.get("parameters") or []
    parameters = dict(given) if isinstance(given, Mapping) else {str(p["name"]): p.get("value") for p in given}
    vendor, version = str(raw.get("vendor")), str(raw.get("version"))
    if payload.path is None:
        payload.path = f"/{vendor}/{version}"
    return Subject(payload, TrackerEvent(parameters, vendor, version, payload))


def request_of(fields: Mapping[str, Any]) -> CollectorPayload:
    """The request that a bad row of a whole payload tells of."""
    pairs = fields.get("querystring") or []
    return CollectorPayload(
        ip_address=fields.get("ipAddress"),
        timestamp=_ms(fields.get("timestamp")),
        encoding=fields.get("encoding"),
        collector=fields.get("collector"),
        user_agent=fields.get("useragent"),
        referer_uri=fields.get("refererUri"),
        path=f"/{fields.get('vendor')}/{fields.get('version')}",
        querystring=query_text([(str(pair["name"]), pair.get("value")) for pair in pairs]) or None,
        body=fields.get("body"),
        headers=list(fields.get("headers") or []),
        content_type=fields.get("contentType"),
        hostname=fields.get("hostname"),
        network_user_id=fields.get("networkUserId"),
    )


def _from_text(text: object) -> CollectorPayload:
    """Base64 of the record; older pipelines encoded it twice."""
    if not isinstance(text, str):
        raise NotReplayable("the bad row holds no record")
    record = text.encode()
    for _ in range(2):
        try:
            record = base64.b64decode(record, validate=True)
            return payload_record.decode(record)
        except (binascii.Error, ValueError):
            break
        except PayloadRecordError:
            continue
    raise NotReplayable("the bad row's payload is not the Base64 of a record")


def _repaired(payload: CollectorPayload) -> Subject:
    """A querystring with illegal characters is read leniently and rewritten, as Snowplow's recovery does."""
    try:
        querystrings.parse(payload.querystring, payload.encoding)
    except querystrings.BadQuery:
        text = query_text(lenient_pairs(payload.querystring or ""))
        return Subject(msgspec.structs.replace(payload, querystring=text), note="querystring rewritten")
    return Subject(payload)


def lenient_pairs(text: str) -> list[tuple[str, str | None]]:
    """Names and values of a querystring, whatever is in it."""
    pairs: list[tuple[str, str | None]] = []
    for token in text.replace(";", "&").split("&"):
        name, equals, value = token.partition("=")
        if name:
            pairs.append((unquote_plus(name), unquote_plus(value) if equals else None))
    return pairs


def query_text(pairs: list[tuple[str, str | None]]) -> str:
    """A legal querystring; a name without a value stays without."""
    quoted = ((quote_plus(n.encode("utf-8", "replace")), v) for n, v in pairs)
    return "&".join(n if v is None else f"{n}={quote_plus(v.encode('utf-8', 'replace'))}" for n, v in quoted)


def _ms(text: object) -> int:
    try:
        return parse_ms(str(text))
    except ValueError:
        return 0

"""Payloads that are too large for the log: split into several, or told of in size_violation bad rows.

Sizes, order of checks and texts are those of stream-collector 3.4. Differences: batches keep the order of their events
(the reference reverses it; order means nothing downstream), and numbers are kept as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from snowgauge.errors import SelfDescribingError
from snowgauge.events.bad_row import format_violation
from snowgauge.events.failed import Processor, bad_row_data, bad_row_schema
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.events.timestamps import instant_text

_MAX_EXPECTATION = 256  # maxLength in the schema of the bad row
_MAX_VALUE = 512
_TOKEN_OR_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)


class _Unsplittable(Exception):
    """Why a payload cannot be split, in the reference's words."""


class SizeLimits:
    """``entries`` turns one payload into what is to be kept of it, which is never nothing."""

    def __init__(self, *, max_bytes: int, max_payload_size: int, processor: Processor) -> None:
        self._max_bytes = max_bytes
        self._max_payload_size = max_payload_size
        self._processor = processor

    def entries(self, record: bytes, timestamp: int) -> list[LogEntry]:
        """One payload's record, or several with parts of its events, and a bad row for each thing that is too large."""
        size = len(record)
        if size < self._max_bytes:
            return [LogEntry(record, timestamp)]
        payload = decode(record)
        if size > self._max_payload_size:
            message = f"Payload exceeds max size of {self._max_payload_size}. Actual length: {size}"
            return [self._violation(payload, self._max_payload_size, size, message)]
        try:
            return self._split(payload, size)
        except _Unsplittable as reason:
            return [self._violation(payload, self._max_bytes, size, str(reason))]

    def damaged(self, record: bytes, field: str) -> list[LogEntry]:
        """A bad row in place of a payload with a field whose text cannot be told. The payload is in it, with a
        character for each byte of that field."""
        payload = decode(record)
        if len(record) >= self._max_bytes:
            return [
                self._violation(payload, self._max_bytes, len(record), f"{field} is damaged text, and cannot be split")
            ]
        message = {
            "payloadField": field,
            "value": getattr(payload, field)[:_MAX_VALUE],
            "expectation": "text in UTF-8 or in the charset that Content-Type names",
        }
        failed = format_violation(self._processor, payload.timestamp, "", message, record)
        return [LogEntry(failed.bad_row_json(), payload.timestamp, "bad_row")]

    def _split(self, payload: CollectorPayload, size: int) -> list[LogEntry]:
        schema, events = _events(payload.body)
        data_size = sum(map(len, events)) + max(0, len(events) - 1) + 2
        if size - data_size >= self._max_bytes:
            raise _Unsplittable('cannot split this POST request because event without "data" field is still too big')
        room = self._max_bytes - size + data_size
        batches: list[list[bytes]] = []
        batch: list[bytes] = []
        filled = 0
        refused: list[LogEntry] = []
        for event in events:
            if len(event) + 1 > room:
                refused.append(
                    self._violation(payload, self._max_bytes, len(event), "this POST request split is still too large")
                )
            elif batch and len(event) + filled + 1 > room:
                batches.append(batch)
                batch, filled = [event], len(event) + 1
            else:
                batch.append(event)
                filled += len(event) + 1
        if batch:
            batches.append(batch)
        head = b'{"schema":' + msgspec.json.encode(schema) + b',"data":['
        kept = []
        for events_of_one in batches:
            body = (head + b",".join(events_of_one) + b"]}").decode("utf-8")
            kept.append(LogEntry(encode(msgspec.structs.replace(payload, body=body)), payload.timestamp))
        return kept + refused

    def _violation(self, payload: CollectorPayload, maximum: int, actual: int, message: str) -> LogEntry:
        data = bad_row_data(
            self._processor,
            {
                "timestamp": instant_text(payload.timestamp),
                "maximumAllowedSizeBytes": maximum,
                "actualSizeBytes": actual,
                "expectation": f"oversized collector payload: {message}"[:_MAX_EXPECTATION],
            },
            _debug_text(payload)[: maximum // 10].encode("utf-8", "replace").decode("utf-8"),
        )
        row = msgspec.json.encode({"schema": bad_row_schema("size_violation"), "data": data})
        return LogEntry(row, payload.timestamp, "bad_row")


def _events(body: str | None) -> tuple[str, Sequence[bytes]]:
    """The schema and the events, as compact JSON, of a self-describing body."""
    if body is None:
        raise _Unsplittable("GET requests cannot be split")
    try:
        text = body.encode("utf-8", "replace")
        msgspec.json.decode(text, type=msgspec.Raw)  # all of it: the next line stops at the first thing of a wrong type
        whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        raise _not_self_describing("Invalid data payload: not an object", "INVALID_DATA_PAYLOAD") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _Unsplittable(f"cannot split POST requests which are not json {error}") from None
    try:
        schema = msgspec.json.decode(whole["schema"], type=str)
        data = whole["data"]
    except (KeyError, msgspec.MsgspecError):
        raise _not_self_describing("Invalid data payload: no schema or no data", "INVALID_DATA_PAYLOAD") from None
    try:
        SchemaKey.parse(schema)
    except SelfDescribingError as error:
        what = "Invalid Iglu URI" if error.code == "INVALID_IGLUURI" else "Invalid schema version"
        raise _not_self_describing(f"{what}: {schema}", error.code) from None
    try:
        # compact after parsing: taking the space out of "1 2" would make JSON of what is none
        events = msgspec.json.decode(_TOKEN_OR_SPACE.sub(rb"\1", bytes(data)), type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        raise _Unsplittable("cannot split POST requests which do not contain a data array") from None
    return schema, [bytes(event) for event in events]


def _not_self_describing(what: str, code: str) -> _Unsplittable:
    return _Unsplittable(f"cannot split POST requests which are not self-describing {what}, code: {code}")


def _debug_text(payload: CollectorPayload) -> str:
    """The record as Thrift's Java classes print it, which is what the bad row shows the beginning of."""
    fields = {
        "schema": payload.schema or "null",
        "ipAddress": payload.ip_address or "null",
        "timestamp": payload.timestamp,
        "encoding": payload.encoding or "null",
        "collector": payload.collector or "null",
        "userAgent": payload.user_agent,
        "refererUri": payload.referer_uri,
        "path": payload.path,
        "querystring": payload.querystring,
        "body": payload.body,
        "headers": None if payload.headers is None else f"[{', '.join(payload.headers)}]",
        "contentType": payload.content_type,
        "hostname": payload.hostname,
        "networkUserId": payload.network_user_id,
    }
    return f"CollectorPayload({', '.join(f'{name}:{value}' for name, value in fields.items() if value is not None)})"

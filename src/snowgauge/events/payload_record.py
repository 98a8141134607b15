"""CollectorPayload to and from the bytes that Snowplow's collector writes: Thrift's strict binary protocol.

Hand-written because it is on the hot path of both the collector and enrich and the struct never changes. Layout:
every field is one type byte, a big-endian i16 id and the value; a zero byte ends the struct. Writers use ascending
ids; readers take any order and skip what they do not know.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from snowgauge.errors import PayloadRecordError
from snowgauge.events.payload import PAYLOAD_SCHEMA, CollectorPayload

_STOP, _BOOL, _BYTE, _DOUBLE, _I16, _I32, _I64, _STRING, _STRUCT, _MAP, _SET, _LIST = (
    0,
    2,
    3,
    4,
    6,
    8,
    10,
    11,
    12,
    13,
    14,
    15,
)
_FIXED = {_BOOL: 1, _BYTE: 1, _DOUBLE: 8, _I16: 2, _I32: 4, _I64: 8}
_MAX_NESTING = 64

_STRING_FIELDS = {
    100: "ip_address",
    210: "encoding",
    220: "collector",
    300: "user_agent",
    310: "referer_uri",
    320: "path",
    330: "querystring",
    340: "body",
    360: "content_type",
    400: "hostname",
    410: "network_user_id",
    31337: "schema",
}
_HEADERS, _TIMESTAMP = 350, 200
_head = struct.Struct(">bhi").pack  # type, id, length of a string field
_int = struct.Struct(">i").pack
_timestamp = struct.Struct(">bhq").pack
_headers = struct.Struct(">bhbi").pack
_read_id = struct.Struct(">h").unpack_from
_read_int = struct.Struct(">i").unpack_from


def encode(payload: CollectorPayload) -> bytes:
    """The record of a payload. Lone surrogates, which UTF-8 cannot hold, become ``?``."""
    # written out field by field, in the order of their ids: a loop over names costs as much again
    out: list[bytes] = []
    put = out.append
    if (text := payload.ip_address) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 100, len(raw)), raw)
    put(_timestamp(_I64, _TIMESTAMP, payload.timestamp))
    if (text := payload.encoding) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 210, len(raw)), raw)
    if (text := payload.collector) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 220, len(raw)), raw)
    if (text := payload.user_agent) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 300, len(raw)), raw)
    if (text := payload.referer_uri) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 310, len(raw)), raw)
    if (text := payload.path) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 320, len(raw)), raw)
    if (text := payload.querystring) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 330, len(raw)), raw)
    if (text := payload.body) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 340, len(raw)), raw)
    if payload.headers is not None:
        put(_headers(_LIST, _HEADERS, _STRING, len(payload.headers)))
        for header in payload.headers:
            raw = header.encode("utf-8", "replace")
            out += (_int(len(raw)), raw)
    if (text := payload.content_type) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 360, len(raw)), raw)
    if (text := payload.hostname) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 400, len(raw)), raw)
    if (text := payload.network_user_id) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 410, len(raw)), raw)
    if (text := payload.schema) is not None:
        raw = text.encode("utf-8", "replace")
        out += (_head(_STRING, 31337, len(raw)), raw)
    put(b"\x00")
    return b"".join(out)


# The same in parts: the collector puts a record together from the bytes of a request, without a payload between.

END = b"\x00"
"""Behind the last field."""


def text_field(name: str) -> Callable[[bytes], bytes]:
    """A function from the UTF-8 of a payload's text field to the bytes of that field. Fields stand in a record in the
    order in which :func:`encode` writes them."""
    number = next(number for number, field in _STRING_FIELDS.items() if field == name)

    def field(raw: bytes) -> bytes:
        return _head(_STRING, number, len(raw)) + raw

    return field


def timestamp_field(milliseconds: int) -> bytes:
    return _timestamp(_I64, _TIMESTAMP, milliseconds)


def headers_field(count: int) -> bytes:
    """What stands in front of ``count`` headers."""
    return _headers(_LIST, _HEADERS, _STRING, count)


def header_item(raw: bytes) -> bytes:
    return _int(len(raw)) + raw


def decode(record: bytes) -> CollectorPayload:
    """Read a record. Raises :class:`PayloadRecordError` for anything that is not one (truncated, wrong schema)."""
    try:
        payload = _decode(record)
    except (struct.error, IndexError):
        raise PayloadRecordError(
            "error deserializing raw event: Reached end of bytes when parsing as thrift format"
        ) from None
    if payload.schema is not None and not payload.schema.startswith(PAYLOAD_SCHEMA[:-1]):
        raise PayloadRecordError(f"verifying record as {PAYLOAD_SCHEMA[:-1]}* failed: found {payload.schema}")
    return payload


def _decode(record: bytes) -> CollectorPayload:
    payload = CollectorPayload(schema=None, encoding=None)
    pos, size = 0, len(record)
    while True:
        kind = record[pos]
        if kind == _STOP:
            return payload
        (field_id,) = _read_id(record, pos + 1)
        pos += 3
        if kind == _STRING and (name := _STRING_FIELDS.get(field_id)) is not None:
            (length,) = _read_int(record, pos)
            pos += 4
            if length < 0:
                raise _negative(length)
            end = pos + length
            if end > size:
                raise IndexError
            setattr(payload, name, record[pos:end].decode("utf-8", "replace"))
            pos = end
        elif kind == _I64 and field_id == _TIMESTAMP:
            (payload.timestamp,) = struct.unpack_from(">q", record, pos)
            pos += 8
        elif kind == _LIST and field_id == _HEADERS and record[pos] == _STRING:
            (count,) = _read_int(record, pos + 1)
            pos += 5
            if count < 0:
                raise _negative(count)
            headers = []
            for _ in range(count):
                (length,) = _read_int(record, pos)
                pos += 4
                if length < 0:
                    raise _negative(length)
                end = pos + length
                if end > size:
                    raise IndexError
                headers.append(record[pos:end].decode("utf-8", "replace"))
                pos = end
            payload.headers = headers
        else:
            pos = _skip(record, pos, kind, 0)


def _negative(size: int) -> PayloadRecordError:
    return PayloadRecordError(f"error deserializing raw event: Negative size: {size}")


def _skip(record: bytes, pos: int, kind: int, depth: int) -> int:
    if depth > _MAX_NESTING:
        raise PayloadRecordError("error deserializing raw event: Maximum skip depth exceeded")
    if kind in _FIXED:
        end = pos + _FIXED[kind]
    elif kind == _STRING:
        length = struct.unpack_from(">i", record, pos)[0]
        if length < 0:
            raise _negative(length)
        end = pos + 4 + length
    elif kind == _STRUCT:
        while record[pos] != _STOP:
            pos = _skip(record, pos + 3, record[pos], depth + 1)
        return pos + 1
    elif kind in (_LIST, _SET):
        item, (count,) = record[pos], struct.unpack_from(">i", record, pos + 1)
        if count < 0:
            raise _negative(count)
        end = pos + 5
        for _ in range(count):
            end = _skip(record, end, item, depth + 1)
    elif kind == _MAP:
        key, value, (count,) = record[pos], record[pos + 1], struct.unpack_from(">i", record, pos + 2)
        if count < 0:
            raise _negative(count)
        end = pos + 6
        for _ in range(count):
            end = _skip(record, _skip(record, end, key, depth + 1), value, depth + 1)
    else:
        signed = kind - 256 if kind > 127 else kind  # a byte has a sign in Java
        raise PayloadRecordError(f"error deserializing raw event: Unrecognized type {signed}")
    if end > len(record):
        raise IndexError
    return end

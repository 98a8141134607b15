"""A request to its record: what is kept of it, and what anonymous tracking leaves out.

The record is that of :class:`CollectorPayload`, put together from bytes. Most headers of a request were sent before, by
the same kind of browser to the same site. Those are remembered as they stand in the record, in bounded tables; what
differs from visitor to visitor is not, since it would only push the others out.
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from typing import NamedTuple

from snowgauge.collector.content_types import parse_content_type
from snowgauge.collector.header_names import usual_spelling
from snowgauge.collector.request import Request
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import END, header_item, headers_field, text_field, timestamp_field

ANONYMOUS_NETWORK_USER_ID = "00000000-0000-0000-0000-000000000000"

_ADDRESS_HEADERS = frozenset(
    {
        # the three that stream-collector 3.4 leaves out
        b"x-forwarded-for",
        b"x-real-ip",
        b"cookie",
        # and those that would tell the visitor's address all the same
        b"forwarded",
        b"forwarded-for",
        b"x-forwarded",
        b"x-original-forwarded-for",
        b"cf-connecting-ip",
        b"cf-connecting-ipv6",
        b"cf-pseudo-ipv4",
        b"true-client-ip",
        b"fastly-client-ip",
        b"fly-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-envoy-external-address",
        b"x-appengine-user-ip",
        b"x-azure-clientip",
        b"x-azure-socketip",
        b"x-vercel-forwarded-for",
        b"x-nf-client-connection-ip",
        b"cloudfront-viewer-address",
        b"client-ip",
    }
)
"""Left out of the stored headers under SP-Anonymous."""

_COOKIE_OCTETS = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


def client_ip(request: Request) -> str:
    """The first address of ``X-Forwarded-For`` when the whole line is a list of bare addresses, else the peer's.

    Never raises: what is not known is ``unknown``, and so is everything under SP-Anonymous.
    """
    if request.anonymous:
        return "unknown"
    forwarded = request.first.get(b"x-forwarded-for")
    if forwarded is not None:
        elements = [_address(part.strip(" \t")) for part in forwarded.decode("latin-1").split(",")]
        if all(elements):
            return elements[0] or "unknown"
    return (_address(request.peer) if request.peer else None) or "unknown"


def _address(text: str) -> str | None:
    if text == "unknown":
        return text
    try:
        if ":" in text:
            return f"[{socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))}]"
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):  # ValueError: a zero byte or a character that is not ASCII
        return None
    return text


_LETTER_OF_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")


def as_sent(raw: bytes, codec: str = "utf-8") -> str | None:
    """The text that was sent, ``None`` where that cannot be told: never other text in its place.

    What is neither of the charset named nor UTF-8 is read as browsers read ISO-8859-1 (windows-1252), unless a part of
    it looks like a letter of UTF-8: then it is a damaged text, and no reading is right.
    """
    for named in dict.fromkeys((codec, "utf-8")):
        try:
            return raw.decode(named)
        except UnicodeError:
            continue
    if codec not in ("utf-8", "ascii") or _LETTER_OF_UTF8.search(raw):
        return None
    try:
        return raw.decode("cp1252")
    except UnicodeError:
        return None


def raw_query(query: bytes) -> str:
    """The query string as it came; where its text cannot be told, with a character for each byte."""
    text = as_sent(query)
    return query.decode("latin-1") if text is None else text


_ASCII_AS_IT_IS = frozenset({"utf-8", "ascii"})
"""Codecs in which ASCII stands for itself, as in the record."""

_OF_ONE_VISITOR = frozenset({b"referer", b"x-forwarded-for", b"forwarded", b"x-real-ip", b"content-length"})
"""Headers that are not worth a place among the remembered ones."""
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512
"""Bytes: of longer ones a hostile client could make the memory full."""

_ip_address = text_field("ip_address")
_user_agent = text_field("user_agent")
_referer_uri = text_field("referer_uri")
_path = text_field("path")
_querystring = text_field("querystring")
_body = text_field("body")
_content_type = text_field("content_type")
_network_user_id = text_field("network_user_id")


class Kept(NamedTuple):
    """``damaged``: which of ``querystring`` and ``body`` is no text, if any. It has a character for each byte."""

    record: bytes
    damaged: str | None


class Sent(NamedTuple):
    """What a request brought, beside its headers. ``body`` is ``None`` for GET and HEAD, which have no content type
    either; ``timestamp`` is milliseconds since the epoch."""

    path: str
    body: bytes | None
    network_user_id: str
    timestamp: int


class Records:
    """Makes the records of one collector."""

    def __init__(self, collector: str) -> None:
        plain = CollectorPayload()
        assert plain.schema is not None
        assert plain.encoding is not None
        self._collector = text_field("encoding")(plain.encoding.encode()) + text_field("collector")(
            collector.encode("utf-8", "replace")
        )
        self._end = text_field("schema")(plain.schema.encode()) + END

    def of(self, request: Request, sent: Sent) -> Kept:
        query, damaged = _utf8(request.query, "utf-8")
        damaged_field = "querystring" if damaged else None
        body, content_type, bare = b"", b"", b""
        if sent.body is not None:
            codec, content_type, bare = _content_type_parts(request.first.get(b"content-type"))
            raw, damaged = _utf8(sent.body, codec)
            body = _body(raw)
            if damaged and damaged_field is None:
                damaged_field = "body"
        agent, referer = request.first.get(b"user-agent"), request.first.get(b"referer")
        headers = stored_headers(request)
        if bare:
            headers.append(bare)
        record = b"".join(
            (
                _ip_address(client_ip(request).encode()),
                timestamp_field(sent.timestamp),
                self._collector,
                b"" if agent is None else _agent_part(agent),
                b"" if referer is None else _referer_uri(_latin1(referer)),
                _path_part(sent.path),
                _querystring(query),
                body,
                headers_field(len(headers)),
                *headers,
                content_type,
                _network_user_id(sent.network_user_id.encode("utf-8", "replace")),
                self._end,
            )
        )
        return Kept(record, damaged_field)


def stored_headers(request: Request) -> list[bytes]:
    """``Name: value`` per header in order of arrival, as items of the record."""
    anonymous = request.anonymous
    stored = []
    for name, value in request.headers:
        if anonymous and name in _ADDRESS_HEADERS:
            continue
        if name == b"cookie":
            cookies = _clean_cookies(value)
            if cookies:
                stored.append(header_item(b"Cookie: " + cookies))
        elif name == b"host" and not value:
            continue  # HTTP/1.0 without one: the server put in an empty header that nobody sent
        elif name in _OF_ONE_VISITOR or len(name) + len(value) > _LONGEST_REMEMBERED:
            stored.append(_header(name, value))
        else:
            stored.append(_remembered_header(name, value))
    return stored


def _header(name: bytes, value: bytes) -> bytes:
    return header_item(f"{usual_spelling(name)}: {value.decode('latin-1').strip()}".encode())


_remembered_header = lru_cache(maxsize=_MOST_REMEMBERED)(_header)


def _agent_part(agent: bytes) -> bytes:
    return _remembered_agent(agent) if len(agent) <= _LONGEST_REMEMBERED else _user_agent(_latin1(agent))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _remembered_agent(agent: bytes) -> bytes:
    return _user_agent(_latin1(agent))


def _path_part(path: str) -> bytes:
    return _remembered_path(path) if len(path) <= 128 else _path(path.encode("utf-8", "replace"))


@lru_cache(maxsize=1024)
def _remembered_path(path: str) -> bytes:
    return _path(path.encode("utf-8", "replace"))


def _content_type_parts(value: bytes | None) -> tuple[str, bytes, bytes]:
    """The codec of the body's text, the content type's field, and the header that repeats it bare at the end, as enrich
    expects."""
    if value is not None and len(value) <= 128:
        return _remembered_content_type(value)
    return _parsed_content_type(value)


def _parsed_content_type(value: bytes | None) -> tuple[str, bytes, bytes]:
    content_type, codec = parse_content_type(value)
    if content_type is None:
        return codec, b"", b""
    raw = content_type.encode("utf-8", "replace")
    return codec, _content_type(raw), header_item(raw)


_remembered_content_type = lru_cache(maxsize=1024)(_parsed_content_type)


def _latin1(raw: bytes) -> bytes:
    """Text of a header, ISO-8859-1, as UTF-8."""
    return raw if raw.isascii() else raw.decode("latin-1").encode()


def _clean_cookies(line: bytes) -> bytes:
    """Spaces out, pairs with characters that cookies may not have out, joined by a bare semicolon."""
    return b";".join([pair for pair in line.replace(b" ", b"").split(b";") if _COOKIE_OCTETS.fullmatch(pair)])


def _utf8(raw: bytes, codec: str) -> tuple[bytes, bool]:
    """The UTF-8 of a text, and whether it is damaged: then of a character for each byte."""
    if raw.isascii() and codec in _ASCII_AS_IT_IS:
        return raw, False
    text = as_sent(raw, codec)
    return (raw.decode("latin-1") if text is None else text).encode("utf-8", "replace"), text is None

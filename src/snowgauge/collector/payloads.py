"""Request to :class:`CollectorPayload`: what is kept of a request, and what anonymous tracking leaves out."""

from __future__ import annotations

import re
import socket

from snowgauge.collector.content_types import parse_content_type
from snowgauge.collector.header_names import usual_spelling
from snowgauge.collector.request import Request
from snowgauge.events.payload import CollectorPayload

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

_COOKIE_OCTETS = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


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


def stored_headers(request: Request, content_type: str | None) -> list[str]:
    """``Name: value`` per header in order of arrival; a content type is repeated bare at the end, as enrich expects."""
    anonymous = request.anonymous
    stored = []
    for name, value in request.headers:
        if anonymous and name in _ADDRESS_HEADERS:
            continue
        if name == b"cookie":
            kept = _clean_cookies(value)
            if kept:
                stored.append(f"Cookie: {kept}")
        elif name == b"host" and not value:
            continue  # HTTP/1.0 without one: the server put in an empty header that nobody sent
        else:
            stored.append(f"{usual_spelling(name)}: {value.decode('latin-1').strip()}")
    if content_type is not None:
        stored.append(content_type)
    return stored


def _clean_cookies(line: bytes) -> str:
    """Spaces out, pairs with characters that cookies may not have out, joined by a bare semicolon."""
    pairs = line.decode("latin-1").replace(" ", "").split(";")
    return ";".join(pair for pair in pairs if _COOKIE_OCTETS.fullmatch(pair))


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


def unreadable(request: Request, body: bytes | None) -> str | None:
    """Which of ``querystring`` and ``body`` is no text, if any."""
    if not request.query.isascii() and as_sent(request.query) is None:
        return "querystring"
    if body is None or body.isascii():
        return None
    _, codec = parse_content_type(request.first.get(b"content-type"))
    return "body" if as_sent(body, codec) is None else None


def build_payload(
    request: Request,
    *,
    path: str,
    body: bytes | None,
    ip_address: str,
    network_user_id: str,
    timestamp: int,
    collector: str,
) -> CollectorPayload:
    """``body`` is ``None`` for GET and HEAD, which have no content type either. One whose text cannot be told has a
    character for each byte."""
    content_type, text = None, None
    if body is not None:
        content_type, codec = parse_content_type(request.first.get(b"content-type"))
        text = as_sent(body, codec)
        if text is None:
            text = body.decode("latin-1")
    agent, referer = request.first.get(b"user-agent"), request.first.get(b"referer")
    return CollectorPayload(
        ip_address=ip_address,
        timestamp=timestamp,
        collector=collector,
        user_agent=None if agent is None else agent.decode("latin-1"),
        referer_uri=None if referer is None else referer.decode("latin-1"),
        path=path,
        querystring=raw_query(request.query),
        body=text,
        headers=stored_headers(request, content_type),
        content_type=content_type,
        network_user_id=network_user_id,
    )

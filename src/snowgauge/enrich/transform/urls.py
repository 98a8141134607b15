"""Page and referrer URLs, taken apart as enrich 6.10 does: strictly, and if that fails once more after re-encoding."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

import msgspec

from snowgauge.enrich import querystrings
from snowgauge.enrich.transform import java_uri
from snowgauge.enrich.transform.java_uri import BadUri

_PARTS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?"
    r"(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.DOTALL,
)

_PORT = re.compile(r"[0-9]{1,10}")
_MAX_PORT = 2**31 - 1
_LONGEST_CACHED = 1024
"""Longer texts are parsed again each time, so that a sender of endless new ones cannot fill the memory."""


class BadUrl(ValueError):
    """A URL that neither way of reading understands; the text is the failure's message."""


class Url(msgspec.Struct, frozen=True):
    """``text`` is the URL as it was understood; the others are its raw parts as the columns hold them.

    ``port`` is the scheme's where the URL names none: 443 of exactly ``https``, 80 of everything else (enrich 6.10).
    """

    text: str
    scheme: str | None
    host: str | None
    port: int
    path: str | None
    query: str | None
    fragment: str | None


def parse(text: str) -> Url:
    """Raises :class:`BadUrl`."""
    return _cached(text) if len(text) <= _LONGEST_CACHED else _parse(text)


def query_pairs(query: str | None, encoding: str | None) -> querystrings.Pairs:
    """The querystring of a parsed URL, decoded. The list is shared: read it only. Raises ``BadQuery``."""
    if query is not None and len(query) > _LONGEST_CACHED:
        return querystrings.parse(query, encoding)
    return _cached_pairs(query, encoding)


def _parse(text: str) -> Url:
    spaced = text.replace(" ", "%20")
    try:
        uri = java_uri.parse(spaced)
    except BadUri as strict:
        try:
            spaced = reencoded(text)
            uri = java_uri.parse(spaced)
        except ValueError as lenient:
            raise BadUrl(
                f"Provided URI [{text}] could not be parsed, neither by Java parsing (error: [{strict}]) "
                f"nor by Scala parsing (error: [{lenient}])."
            ) from None
    port = uri.port if uri.port is not None else (443 if uri.scheme == "https" else 80)
    return Url(spaced, uri.scheme, uri.host, port, uri.path or None, uri.query or None, uri.fragment or None)


_cached = lru_cache(maxsize=8192)(_parse)
_cached_pairs = lru_cache(maxsize=8192)(querystrings.parse)


def reencoded(text: str) -> str:
    """The lenient reading: take the URL apart, decode each piece and encode it again, so that nothing illegal stays.

    Raises ``ValueError``, with scala-uri's message, for what cannot be a port.
    """
    found = _PARTS.fullmatch(text)
    assert found is not None  # every part may be empty
    scheme, authority, path = found["scheme"], found["authority"], found["path"]
    out = f"{scheme}:" if scheme else ""
    if authority is not None:
        user, at, host = authority.partition("@") if "@" in authority else ("", "", authority)
        _check_port(text, found.start("authority") + len(user + at), host, named=bool(at))
        out += "//" + ":".join(map(_again, user.split(":"))) + at + host
    out += "/".join(map(_again, path.split("/")))
    if found["query"]:
        items = (item.partition("=") for item in found["query"][1:].split("&"))
        out += "?" + "&".join(_again(name) + equals + _again(value) for name, equals, value in items)
    if found["fragment"]:
        out += "#" + _again(found["fragment"][1:])
    return out


def _check_port(text: str, start: int, host: str, *, named: bool) -> None:
    """scala-uri 1.5 takes ten digits at most for a port, and none only without a colon. ``named``: a user stands before
    ``host``, which begins at ``start``."""
    if host.startswith("[") and "]" not in host:
        return  # no address, which the strict reading of the result says
    _, colon, port = host[host.find("]") + 1 :].partition(":")
    digits = _PORT.match(port)
    if digits is None and not colon:
        return
    if digits is not None and int(digits[0]) > _MAX_PORT:
        raise ValueError(f'For input string: "{digits[0]}"')
    if digits is not None and digits[0] == port:
        return
    at = len(text)
    why = "Unexpected end of input, expected [^@] or '@'"
    if named or host.startswith("["):
        at = start + len(host) - len(port) + (0 if digits is None else digits.end())
        if at < len(text):
            why = f"Invalid input '{text[at]}', expected _int"
    pointer = " " * at + "^"
    raise ValueError(f"Invalid URL could not be parsed. {why} (line 1, column {at + 1}):\n{text}\n{pointer}")


def _again(piece: str) -> str:
    return quote(unquote(piece, errors="replace"), safe="+~", errors="replace")

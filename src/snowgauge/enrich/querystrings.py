"""Querystrings and form bodies as enrich 6.10 reads them: the check of java.net.URI, then Apache's decoding.

First the text must be legal as the query of ``http://localhost/?``. Then it is split at ``&`` and ``;``; ``+`` is a
space; escapes are decoded in the payload's encoding; a token without ``=`` has no value (``None``), and tokens without
a name are dropped. Letters that stand unescaped are kept: enrich 6.10 keeps the low byte of each, which is other text.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from snowgauge.enrich.transform.java_uri import BadUri, check_uric

Pairs = list[tuple[str, str | None]]

_PREFIX = "http://localhost/?"
_TOKENS = re.compile("[&;]")
_ASCII = re.compile(r"[\x00-\x7f]+")
_MEANT = {"UTF-8": "utf-8", "utf-8": "utf-8"}


class BadQuery(ValueError):
    """A text that is not a legal querystring; the text is the message of the JVM's parser."""


def parse(text: str | None, encoding: str | None = "UTF-8") -> Pairs:
    """Names and values in order, duplicates kept. Raises :class:`BadQuery`."""
    charset = _charset(encoding)
    if not text:
        return []
    try:
        end = check_uric(text, 0, "query")
        if end < len(text):  # stopped at a '#'
            check_uric(text, end + 1, "fragment", whole=True)
    except BadUri as error:
        raise BadQuery(error.message(len(_PREFIX), _PREFIX + text)) from None
    return split(text[:end], charset)


def split(text: str, charset: str = "utf-8") -> Pairs:
    """The pairs of a query that is known to be legal."""
    pairs: Pairs = []
    for token in _TOKENS.split(text) if ";" in text else text.split("&"):
        name, equals, value = token.partition("=")
        if name:
            pairs.append((_decode(name, charset), _decode(value, charset) if equals else None))
    return pairs


def _decode(text: str, charset: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    if text.isascii():
        return unquote_to_bytes(text).decode(charset, "replace")
    return _ASCII.sub(lambda run: unquote_to_bytes(run[0]).decode(charset, "replace"), text)


def unknown_encoding(encoding: str | None) -> str | None:
    """What the JVM says of an encoding that it does not know; ``None`` of one that it knows."""
    if encoding is None:
        return "Null charset name"
    try:
        _charset(encoding)
    except BadQuery:
        return encoding
    return None if encoding else ""


@lru_cache(maxsize=64)
def _charset(encoding: str | None) -> str:
    known = _MEANT.get(encoding or "UTF-8")
    if known is not None:
        return known
    assert encoding is not None
    try:
        found = codecs.lookup(encoding)
        "".encode(found.name)  # codecs that are no text encodings (base64, zip) are found, but refuse this
        return found.name
    except (LookupError, ValueError):
        raise BadQuery(encoding) from None

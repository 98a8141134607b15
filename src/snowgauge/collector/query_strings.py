"""Single parameters out of a raw query string, which is otherwise kept byte for byte and never parsed whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote, unquote_plus, unquote_to_bytes


def first_bytes(name: str) -> Callable[[bytes], bytes | None]:
    """A function from a raw query to the first value of ``name``, decoded to bytes; ``None`` when it is not there.

    As in stream-collector 3.4: ``&`` and ``;`` separate, ``+`` is a space, a name without value has the empty one.
    """
    search = re.compile(b"(?:^|[&;])" + b"".join(map(_spellings, name.encode())) + b"(?:=([^&;]*)|(?=[&;]|$))").search

    def find(query: bytes) -> bytes | None:
        found = search(query)
        return None if found is None else unquote_to_bytes((found[1] or b"").replace(b"+", b" "))

    return find


def first_value(name: str) -> Callable[[bytes], str | None]:
    """As :func:`first_bytes`, as text; bytes that are not UTF-8 are replaced."""
    find = first_bytes(name)

    def text(query: bytes) -> str | None:
        found = find(query)
        return None if found is None else found.decode("utf-8", "replace")

    return text


def _spellings(byte: int) -> bytes:
    """A pattern for one byte of a name, as itself or percent-encoded with digits of either case."""
    digits = "".join(d if d.isdigit() else f"[{d}{d.upper()}]" for d in f"{byte:02x}")
    return b"(?:%s|%%%s)" % (re.escape(bytes((byte,))), digits.encode())


def with_parameter(query: bytes, name: str, value: str) -> str:
    """The query with ``name=value`` as its last parameter, in place of any of that name; the others re-encoded."""
    pairs = []
    for pair in re.split(r"[&;]", query.decode("utf-8", "replace")):
        key, equals, text = pair.partition("=")
        key = unquote_plus(key)
        if key and key != name:
            pairs.append(quote(key, safe="") + (f"={quote(unquote_plus(text), safe='')}" if equals else ""))
    return "&".join([*pairs, f"{quote(name, safe='')}={quote(value, safe='')}"])


def decode_path(raw: bytes) -> str:
    """A raw path as text, percent-decoded; bytes that are not UTF-8 are replaced."""
    return unquote(raw.decode("utf-8", "replace"))

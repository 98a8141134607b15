"""Values in the bytes of ClickHouse's Native format."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from operator import add
from typing import Any

_SAMPLE = 64
"""Strings of a column that are looked at to tell whether they repeat."""
_ONE_BYTE = [bytes([n]) for n in range(128)]


def varint(value: int) -> bytes:
    if value < 128:
        return _ONE_BYTE[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sized(raw: bytes) -> bytes:
    """A string: its length before its bytes."""
    size = len(raw)
    return (_ONE_BYTE[size] if size < 128 else varint(size)) + raw


def sized_text(value: str) -> bytes:
    try:
        return sized(value.encode())
    except UnicodeEncodeError:  # lone surrogates have no form in UTF-8
        return sized(value.encode("utf-8", "replace"))


def column_bytes(numbers: array[Any]) -> bytes:
    """Numbers of one type, little-endian."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def strings(values: Sequence[str | None]) -> bytes:
    """A column of strings, empty where there is none."""
    if len(set(values[:_SAMPLE])) * 2 > _SAMPLE:
        texts = [value or "" for value in values]
        if all(map(str.isascii, texts)) and max(map(len, texts)) < len(_LENGTHS):
            # ids, addresses, self-describing data: nearly all different, so no value is worth remembering
            return "".join(map(add, map(_LENGTHS.__getitem__, map(len, texts)), texts)).encode("latin-1")
    known = {value: sized_text(value or "") for value in set(values)}
    return b"".join([known[value] for value in values])


_LENGTHS = [varint(size).decode("latin-1") for size in range(8192)]

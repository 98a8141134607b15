"""Values in the bytes of ClickHouse's Native format."""

from __future__ import annotations

import sys
from array import array
from typing import Any

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

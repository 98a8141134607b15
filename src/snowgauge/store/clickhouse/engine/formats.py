"""Output formats: their content types, and how the engine's blocks join into one document.

The library encodes every block of a streamed result as a document of its own (measured, chDB 4.4). Formats without a
header join as they are; of formats with a header, every block but the first loses it; the others (JSON, Parquet,
Pretty...) cannot be streamed and are made whole.
"""

from __future__ import annotations

from collections.abc import Callable

Header = Callable[[bytes], int]
"""The length of the header that a block begins with."""


def _no_header(_: bytes) -> int:
    return 0


def _lines(count: int) -> Header:
    def length(block: bytes) -> int:
        at = 0
        for _ in range(count):
            at = block.index(b"\n", at) + 1
        return at

    return length


def _csv_lines(count: int) -> Header:
    def length(block: bytes) -> int:
        at, quoted, lines = 0, False, 0
        while lines < count:
            byte = block[at]
            if byte == 0x22:
                quoted = not quoted
            elif byte == 0x0A and not quoted:
                lines += 1
            at += 1
        return at

    return length


def _row_binary(types: bool) -> Header:
    def length(block: bytes) -> int:
        columns, at = _varint(block, 0)
        for _ in range(columns * (2 if types else 1)):
            size, at = _varint(block, at)
            at += size
        return at

    return length


def _varint(block: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = block[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


_STREAMED: dict[str, Header] = {
    "native": _no_header,
    "rowbinary": _no_header,
    "tabseparated": _no_header,
    "tsv": _no_header,
    "tabseparatedraw": _no_header,
    "tsvraw": _no_header,
    "csv": _no_header,
    "jsoneachrow": _no_header,
    "jsonlines": _no_header,
    "ndjson": _no_header,
    "jsoncompacteachrow": _no_header,
    "jsonstringseachrow": _no_header,
    "jsoncompactstringseachrow": _no_header,
    "lineasstring": _no_header,
    "rawblob": _no_header,
    "tabseparatedwithnames": _lines(1),
    "tsvwithnames": _lines(1),
    "tabseparatedrawwithnames": _lines(1),
    "tsvrawwithnames": _lines(1),
    "tabseparatedwithnamesandtypes": _lines(2),
    "tsvwithnamesandtypes": _lines(2),
    "jsoncompacteachrowwithnames": _lines(1),
    "jsoncompacteachrowwithnamesandtypes": _lines(2),
    "csvwithnames": _csv_lines(1),
    "csvwithnamesandtypes": _csv_lines(2),
    "rowbinarywithnames": _row_binary(types=False),
    "rowbinarywithnamesandtypes": _row_binary(types=True),
}
_CONTENT_TYPES = {
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "csvwithnamesandtypes": "text/csv; charset=UTF-8; header=present",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsonstrings": "application/json; charset=UTF-8",
    "jsoncompactstrings": "application/json; charset=UTF-8",
    "jsoncolumns": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "jsonlines": "application/x-ndjson; charset=UTF-8",
    "ndjson": "application/x-ndjson; charset=UTF-8",
    "jsoncompacteachrow": "application/x-ndjson; charset=UTF-8",
    "xml": "application/xml; charset=UTF-8",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "tabseparatedwithnames": "text/tab-separated-values; charset=UTF-8",
    "tsvwithnames": "text/tab-separated-values; charset=UTF-8",
    "tabseparatedwithnamesandtypes": "text/tab-separated-values; charset=UTF-8",
    "tsvwithnamesandtypes": "text/tab-separated-values; charset=UTF-8",
}
_BINARY = ("native", "rowbinary", "parquet", "orc", "arrow", "avro", "bson", "msgpack", "rawblob", "npy")


def header_of(name: str) -> Header | None:
    """How to find the header of a block in this format; ``None``: the format cannot be streamed."""
    return _STREAMED.get(name.lower())


def content_type(name: str) -> str:
    known = _CONTENT_TYPES.get(name.lower())
    if known:
        return known
    return "application/octet-stream" if name.lower().startswith(_BINARY) else "text/plain; charset=UTF-8"

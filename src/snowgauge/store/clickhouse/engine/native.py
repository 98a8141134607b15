"""The Native format as clients expect it that name their protocol (``client_protocol_version``).

From its first version on a block begins with what it knows about itself, and from 54454 on every column says whether it
is stored in an unusual way (ours never is). The library writes Native without either, so a column's end has to be
found: by its type, without reading its values.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from snowgauge.store.clickhouse.engine.exceptions import error

PLAIN_COLUMNS = 54454
"""Protocol from which on columns have a flag for an unusual serialization."""
SETTINGS = {"output_format_native_write_json_as_string": "1"}
"""JSON goes out as text, as drivers read it."""
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""Field 1: no overflow rows; field 2: bucket -1; end."""
_SIZES = {
    "Int8": 1, "UInt8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1, "Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2,
    "BFloat16": 2, "Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "DateTime32": 4, "IPv4": 4,
    "Time": 4, "Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8, "Int128": 16, "UInt128": 16,
    "UUID": 16, "IPv6": 16, "Int256": 32, "UInt256": 32,
}  # fmt: skip
_DIGITS = ((9, 4), (18, 8), (38, 16), (76, 32))
_ALIASES = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}
_NAMED = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.]*|`(?:[^`\\]|\\.|``)*`) +(?=[A-Z])")
_UINT64 = struct.Struct("<Q")


def framed(document: bytes, protocol: int, *, one_block: bool) -> bytes:
    """The blocks of a Native document, each as this protocol has it. ``one_block``: there is no second.

    Raises ``EngineError`` for a type that it has not learnt to step over.
    """
    if one_block and protocol < PLAIN_COLUMNS:
        return _BLOCK_INFO + document if document else b""
    out = bytearray()
    at = 0
    while at < len(document):
        block = _Block(document, at)
        out += _BLOCK_INFO + document[at : block.at]
        for _ in range(block.columns):
            head, body = block.column()
            out += head + (b"\0" if protocol >= PLAIN_COLUMNS else b"") + body
        at = block.at
    return bytes(out)


class _Block:
    """A place in a document that moves on column by column."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self.columns = self._varint()
        self._rows = self._varint()

    def column(self) -> tuple[bytes, bytes]:
        """Name and type, and what is stored under them."""
        start = self.at
        self._text()
        kind = self._text()
        body = self.at
        if self._rows:
            self._prefix(kind)
            self._values(kind, self._rows)
        return self.data[start:body], self.data[body : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def _text(self) -> str:
        size = self._varint()
        self.at += size
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def _number(self) -> int:
        self.at += 8
        return int(_UINT64.unpack_from(self.data, self.at - 8)[0])

    def _prefix(self, kind: str) -> None:
        """What comes once before all values of a column: versions of dictionaries and of JSON."""
        name, inner = _taken_apart(kind)
        if name == "LowCardinality":
            self._number()
        elif name in ("JSON", "Object"):
            if self._number() != 1:
                raise _unknown(kind)
        elif name == "Variant":
            if self._number() != 0:
                raise _unknown(kind)
            for one in inner:
                self._prefix(one)
        else:
            for one in _stored(name, inner):
                self._prefix(one)

    def _values(self, kind: str, rows: int) -> None:
        name, inner = _taken_apart(kind)
        size = _size(name, inner)
        if size:
            self.at += size * rows
        elif name in ("String", "JSON", "Object"):
            self._texts(rows)
        elif name == "Nullable":
            self.at += rows
            self._values(inner[0], rows)
        elif name in ("Array", "Map", "Nested"):
            if rows:
                self.at += 8 * (rows - 1)
                total = self._number()
                for one in _stored(name, inner):
                    self._values(one, total)
        elif name == "LowCardinality":
            self._dictionary(inner[0], rows)
        elif name == "Variant":
            found = self.data[self.at : self.at + rows]
            self.at += rows
            for number, one in enumerate(inner):
                self._values(one, found.count(number))
        elif name in ("Tuple", "SimpleAggregateFunction"):
            stored = _stored(name, inner)
            for one in stored:
                self._values(one, rows)
            if not stored:
                self.at += rows
        else:
            raise _unknown(kind)

    def _texts(self, rows: int) -> None:
        data, at = self.data, self.at
        for _ in range(rows):
            size = data[at]
            at += 1
            if size > 0x7F:
                self.at = at - 1
                size = self._varint()
                at = self.at
            at += size
        self.at = at

    def _dictionary(self, kind: str, rows: int) -> None:
        if not rows:
            return
        flags = self._number()
        if flags & 0x200:  # keys of its own, the only sort there is in Native
            self._values(_taken_apart(kind)[1][0] if kind.startswith("Nullable(") else kind, self._number())
        indexes = self._number()
        self.at += (1 << (flags & 0xFF)) * indexes


def _taken_apart(kind: str) -> tuple[str, list[str]]:
    """``Array(Nullable(String))``: its name and its arguments."""
    kind = _ALIASES.get(kind, kind)
    name, bracket, rest = kind.partition("(")
    return name, list(_arguments(rest[:-1])) if bracket else []


def _arguments(text: str) -> Iterator[str]:
    depth = start = 0
    quote = ""
    escaped = False
    for at, letter in enumerate(text):
        if quote:
            if escaped or letter == "\\":
                escaped = not escaped
            elif letter == quote:
                quote = ""
        elif letter in "'`\"":
            quote = letter
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    if text[start:].strip():
        yield text[start:].strip()


def _stored(name: str, inner: list[str]) -> list[str]:
    """The types of the columns that a composed type is stored as."""
    if name in ("Tuple", "Nested"):
        return [_NAMED.sub("", one, count=1) if _NAMED.match(one) else one for one in inner]
    if name == "SimpleAggregateFunction":
        return inner[1:]
    return inner if name in ("Array", "Map", "Nullable") else []


def _size(name: str, inner: list[str]) -> int:
    """Bytes of a value; 0: it depends on the value."""
    if name == "FixedString":
        return int(inner[0])
    if name == "Decimal":
        return next(size for digits, size in _DIGITS if int(inner[0]) <= digits)
    if name.startswith("Decimal"):
        return int(name[7:]) // 8
    if name.startswith("Interval"):
        return 8
    return _SIZES.get(name, 0)


def _unknown(kind: str) -> Exception:
    return error(
        48,
        "NOT_IMPLEMENTED",
        f"A column of type {kind[:200]} cannot be given in Native to this client: select toString(…) of it",
    )

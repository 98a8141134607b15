"""Results of free SQL as JSON values, and as files: json (one object a line), csv, tsv, parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from snowgauge.errors import QueryRefused
from snowgauge.events.json_text import stored

if TYPE_CHECKING:
    import psycopg

FORMATS = ("json", "csv", "tsv", "parquet")
_TEXTS = (
    "timestamp", "timestamptz", "date", "time", "timetz", "interval", "uuid", "inet", "cidr", "int4range", "int8range",
    "numrange", "tsrange", "tstzrange", "daterange",
)  # fmt: skip
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ARROW = {
    "int2": "int64", "int4": "int64", "int8": "int64", "float4": "float64", "float8": "float64", "numeric": "float64",
    "bool": "bool_",
}  # fmt: skip
_encode = msgspec.json.Encoder().encode


def plain_values(connection: psycopg.Connection[Any]) -> None:
    """Let this connection answer in values that JSON has: instants and the like as PostgreSQL writes them."""
    from psycopg.types.json import set_json_loads
    from psycopg.types.numeric import FloatLoader
    from psycopg.types.string import TextLoader

    for name in _TEXTS:
        connection.adapters.register_loader(name, TextLoader)
    connection.adapters.register_loader("numeric", FloatLoader)
    set_json_loads(stored, connection)


def plain(value: Any) -> Any:
    """One value for JSON."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, bytes | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str | dict) else str(value)


def encoded(fmt: str, names: Sequence[str], types: Sequence[str], pages: Iterable[list[Any]]) -> Iterator[bytes]:
    """Pages of rows in one of ``FORMATS``, piece by piece."""
    if fmt == "json":
        return _json(names, pages)
    if fmt == "csv":
        return _csv(names, pages)
    return _tsv(names, pages) if fmt == "tsv" else _parquet(names, types, pages)


def _json(names: Sequence[str], pages: Iterable[list[Any]]) -> Iterator[bytes]:
    for rows in pages:
        yield b"".join([_encode(dict(zip(names, map(plain, row), strict=True))) + b"\n" for row in rows])


def _csv(names: Sequence[str], pages: Iterable[list[Any]]) -> Iterator[bytes]:
    out = io.StringIO()
    # every text is quoted: where only some are, a carriage return is not, and ends the line for those who read it
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(names)
    for rows in pages:
        writer.writerows([[_field(value) for value in row] for row in rows])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def _tsv(names: Sequence[str], pages: Iterable[list[Any]]) -> Iterator[bytes]:
    yield ("\t".join(name.translate(_ESCAPES) for name in names) + "\n").encode()
    for rows in pages:
        lines = [
            "\t".join(["\\N" if value is None else str(_field(value)).translate(_ESCAPES) for value in row]) + "\n"
            for row in rows
        ]
        yield "".join(lines).encode()


def _field(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _encode(value).decode() if isinstance(value, dict | list) else value


class _Pieces(io.RawIOBase):
    """A file that gives away what was written to it."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._held.append(piece)
        self._at += len(piece)
        return len(piece)

    def take(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)


def check_format(fmt: str) -> None:
    """Raises ``QueryRefused`` for a format that is unknown or cannot be had here."""
    if fmt not in FORMATS:
        raise QueryRefused(f"unknown format {fmt!r}: use one of {', '.join(FORMATS)}")
    if fmt == "parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise QueryRefused(
                "parquet from PostgreSQL needs pyarrow, which is not installed: run "
                "'pip install \"snowgauge[parquet]\"', or choose json, csv or tsv"
            ) from None


def _parquet(names: Sequence[str], types: Sequence[str], pages: Iterable[list[Any]]) -> Iterator[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = [_ARROW.get(one, "string") for one in types]
    unique = [name if names.index(name) == at else f"{name}_{at + 1}" for at, name in enumerate(names)]
    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in zip(unique, kinds, strict=True)])
    out = _Pieces()
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in pages:
            columns = [
                pa.array([_arrow(row[at], kind) for row in rows], type=field.type)
                for at, (kind, field) in enumerate(zip(kinds, schema, strict=True))
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            yield out.take()
    yield out.take()


def _arrow(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "float64":
        return float(value)
    return value if kind in ("int64", "bool_") else str(_field(value))

"""Events as one block of ClickHouse's Native format: column by column, as the engine keeps them.

The engine reads such a block in half the time that the same rows cost it as ``JSONEachRow``, and a column is made in
less time than its values one by one (see benchmarks/store_load.py). Columns that no event of the block sets are left
out. Values are those that ``rows`` writes; a value that is not plainly of its column's type raises ``Odd``, and the
caller sends rows, about each of which the engine decides.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.canonical import contexts_text, money, unstruct_text
from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS, TIME
from snowgauge.store.clickhouse.json_columns import Objects, json_column, paths
from snowgauge.store.clickhouse.native_values import column_bytes, sized, sized_text, strings, varint
from snowgauge.store.clickhouse.rows import schema_data
from snowgauge.store.clickhouse.schemas import SchemaColumns

_EARLIEST, _LATEST = -2_208_988_800_000, 10_413_792_000_000
"""1900 to 2300 in ms: the instants that ClickHouse can hold."""
_MAX_CENTS = 10**18
_SHARED_DICTIONARY = (1).to_bytes(8, "little")
_ADDITIONAL_KEYS = 0x600
_names = {column.name: at for at, column in enumerate(ATOMIC_COLUMNS)}
_CONTEXTS, _UNSTRUCT, _DERIVED = _names["contexts"], _names["unstruct_event"], _names["derived_contexts"]
_astuple = msgspec.structs.astuple


class Odd(Exception):
    """Some value of a block is not plainly of its column's type."""


class Block(NamedTuple):
    """A block for an INSERT that names these columns."""

    columns: list[str]
    data: bytes


def block(events: Sequence[EnrichedEvent], schemas: SchemaColumns) -> Block:
    """All of ``events`` as one block. Raises ``Odd``."""
    try:
        return _block(events, schemas)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Odd(str(error)) from error


def _block(events: Sequence[EnrichedEvent], schemas: SchemaColumns) -> Block:
    size = len(events)
    names: list[str] = []
    parts: list[bytes] = []
    columns: list[Sequence[Any]] = list(zip(*map(_astuple, events), strict=True))
    columns[_CONTEXTS] = [contexts_text(value) if value else None for value in columns[_CONTEXTS]]
    columns[_UNSTRUCT] = [unstruct_text(value) if value else None for value in columns[_UNSTRUCT]]
    columns[_DERIVED] = [contexts_text(value) if value else None for value in columns[_DERIVED]]
    for column, values in zip(ATOMIC_COLUMNS, columns, strict=True):
        if values.count(None) != size:
            names.append(column.name)
            parts += sized_text(column.name), sized_text(column.type), _ENCODERS[column.type](values)
    for name, kind, data in sorted(_schema_columns(events, schemas)):
        names.append(name)
        parts += sized_text(name), sized_text(kind), data
    return Block(names, varint(len(names)) + varint(size) + b"".join(parts))


def _schema_columns(events: Sequence[EnrichedEvent], schemas: SchemaColumns) -> Iterator[tuple[str, str, bytes]]:
    """The columns of schemas: taken apart where server and data allow it, else text that the engine makes JSON of."""
    own: dict[str, tuple[list[bool], Objects]] = {}
    entities: dict[str, tuple[array[int], Objects]] = {}
    known: dict[SchemaKey, tuple[array[int], Objects, str] | None] = {}
    size = len(events)
    for at, event in enumerate(events):
        item = event.unstruct_event
        if item is not None and (name := schemas.column(item.schema, event=True)):
            rows, objects = own.get(name) or own.setdefault(name, ([False] * size, Objects()))
            rows[at] = True
            objects.data.append(item.data)
            objects.versions.append(None)
        for item in (*event.contexts, *event.derived_contexts):
            key = item.schema
            if key not in known:
                name = schemas.column(key, event=False)
                held = entities.setdefault(name, (array("Q", bytes(8 * size)), Objects())) if name else None
                known[key] = held and (*held, key.version)
            column = known[key]
            if column:
                ends, objects, version = column
                objects.data.append(item.data)
                objects.versions.append(version)
                ends[at] = len(objects.data)
    for name, (rows, objects) in own.items():
        found = paths(objects) if schemas.features.takes_paths else None
        if found is not None:
            yield name, "JSON", json_column(found, rows, b"")
        else:
            texts = iter(objects.data)
            yield (
                name,
                "String",
                b"".join([sized(schema_data(next(texts))) if there else _EMPTY_OBJECT for there in rows]),
            )
    for name, (ends, objects) in entities.items():
        offsets = _offsets(ends)
        found = paths(objects) if schemas.features.takes_paths else None
        if found is not None:
            yield name, "Array(JSON)", json_column(found, (), offsets)
        else:
            items = zip(objects.data, objects.versions, strict=True)
            yield name, "Array(String)", offsets + b"".join([sized(schema_data(*item)) for item in items])


def _offsets(ends: array[int]) -> bytes:
    """Where the objects of each row end. ``ends`` has it of rows with objects, and zero for others."""
    last = 0
    for at, end in enumerate(ends):
        if end:
            last = end
        else:
            ends[at] = last
    return column_bytes(ends)


def _words(values: Sequence[str | None]) -> bytes:
    """Strings of few different values: a dictionary of them, and for each row its place there."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    code = 0 if len(places) <= 1 << 8 else 1 if len(places) <= 1 << 16 else 2
    return b"".join((
        _SHARED_DICTIONARY,
        (_ADDITIONAL_KEYS | code).to_bytes(8, "little"),
        len(places).to_bytes(8, "little"),
        *(b"\0" if value is None else sized_text(value) for value in places),
        len(values).to_bytes(8, "little"),
        column_bytes(array("BHI"[code], [places[value] for value in values])),
    ))  # fmt: skip


def _uuids(values: Sequence[str]) -> bytes:
    size = len(values)
    text = "".join(values)
    if set(map(len, values)) != {36} or any(text[dash::36] != "-" * size for dash in (8, 13, 18, 23)):
        raise Odd("not a UUID")
    halves = array("Q", bytes.fromhex(text.replace("-", "")))
    if len(halves) != 2 * size:
        raise Odd("not a UUID")
    if sys.byteorder == "little":
        halves.byteswap()
    return halves.tobytes()


def _instants(values: Sequence[int | None]) -> bytes:
    numbers = [0 if value is None else value for value in values] if None in values else values
    if min(numbers) < _EARLIEST or max(numbers) >= _LATEST:  # type: ignore[type-var, operator]
        raise Odd("an instant beyond those of DateTime64")
    return column_bytes(array("q", numbers))


def _numbers(code: str) -> Callable[[Sequence[Any]], bytes]:
    def encoded(values: Sequence[Any]) -> bytes:
        return column_bytes(
            array(code, [0 if value is None else value for value in values] if None in values else values)
        )

    return encoded


def _flags(values: Sequence[bool | None]) -> bytes:
    return bytes([1 if value else 0 for value in values])


def _doubles(values: Sequence[float | str | None]) -> bytes:
    return column_bytes(array("d", [0.0 if value is None else float(value) for value in values]))


def _cents(values: Sequence[str | None]) -> bytes:
    numbers = [0 if value is None else int(money(value).replace(".", "")) for value in values]
    if any(abs(number) >= _MAX_CENTS for number in numbers):
        raise Odd("too much money")
    return column_bytes(array("q", numbers))


def _nullable(encoder: Callable[[Sequence[Any]], bytes]) -> Callable[[Sequence[Any]], bytes]:
    def encoded(values: Sequence[Any]) -> bytes:
        nulls = bytes([value is None for value in values]) if None in values else bytes(len(values))
        return nulls + encoder(values)

    return encoded


_ENCODERS: dict[str, Callable[[Sequence[Any]], bytes]] = {
    "String": strings,
    "LowCardinality(String)": _words,
    "UUID": _uuids,
    TIME: _instants,
    f"Nullable({TIME})": _nullable(_instants),
    "Nullable(Int32)": _nullable(_numbers("i")),
    "Nullable(Bool)": _nullable(_flags),
    "Nullable(Float64)": _nullable(_doubles),
    "Nullable(Decimal(18, 2))": _nullable(_cents),
}


_EMPTY_OBJECT = sized(b"{}")

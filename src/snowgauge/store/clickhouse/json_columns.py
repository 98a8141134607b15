"""JSON columns of a block, taken apart into their paths as the engine keeps them.

As text they are most of what an insert costs the engine: it parses every object and infers the type of every value
(benchmarks/store_load.py). Nearly all data is flat, and then its paths are made column by column in less time than its
text. The form is the flattened one that ClickHouse made for clients (25.6, ``output_format_native_use_flattened_
dynamic_and_json_serialization``): the names of the paths, and for each the types of its values, which of them each
object has (or none), and the values of each type.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, chain, compress, repeat
from typing import Any, NamedTuple

from snowgauge.store.clickhouse.columns import field_name
from snowgauge.store.clickhouse.native_values import column_bytes, sized_text, strings, varint

VERSION = "_schema_version"
"""A path of ours, beside those of the data."""

_MOST_PATHS = 500
"""Of one column in one block; a JSON column keeps 1024 apart by default."""
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_FLATTENED = (3).to_bytes(8, "little")


class Objects:
    """The objects of one column, in the order of the rows. ``versions``: of the schema each names, or ``None``."""

    __slots__ = ("data", "versions")

    def __init__(self) -> None:
        self.data: list[Any] = []
        self.versions: list[str | None] = []


class Path(NamedTuple):
    """One path: for each object its value, ``None`` where it has none; and the types of the values, by name."""

    values: Sequence[Any]
    types: Sequence[type]


def paths(objects: Objects) -> dict[str, Path] | None:
    """The paths that have values. ``None`` for objects that are not plain: with nesting, but for lists of texts, with
    numbers beyond 64 bits, or with two fields of one name."""
    if set(map(type, objects.data)) != {dict}:
        return None
    shapes = set(map(tuple, objects.data))
    fields = tuple(dict.fromkeys(chain.from_iterable(shapes)))
    names = _names(fields) if len(fields) <= _MOST_PATHS else None
    if names is None:
        return None
    columns: list[Sequence[Any]]
    if len(shapes) == 1:
        columns = list(zip(*map(dict.values, objects.data), strict=True))
    else:
        columns = [list(map(dict.get, objects.data, repeat(field))) for field in fields]
    found = {}
    for name, values in zip(names, columns, strict=True):
        types = set(map(type, values)) - {_NONE}
        if not _plain(values, types):
            return None
        if types:
            found[name] = Path(values, sorted(types, key=_TYPE_NAMES.__getitem__))
    if objects.versions[0] is not None:
        found[VERSION] = Path(objects.versions, (str,))
    return found


@lru_cache(maxsize=2_000)
def _names(fields: tuple[str, ...]) -> tuple[str, ...] | None:
    """Names of fields as paths; ``None`` where two would have one name, or one has ours."""
    names = tuple(map(field_name, fields))
    return names if len(set(names)) == len(names) and VERSION not in names else None


def _plain(values: Sequence[Any], types: set[type]) -> bool:
    if not types <= _TYPE_NAMES.keys():
        return False
    if int in types:
        numbers = _of(values, int)
        if min(numbers) < _MIN_INT or max(numbers) > _MAX_INT:
            return False
    return list not in types or set(map(type, chain.from_iterable(_of(values, list)))) <= {str}


def json_column(found: dict[str, Path], rows: Sequence[bool], offsets: bytes) -> bytes:
    """The bytes of a column. ``rows``: which rows hold the objects, empty for all; ``offsets`` are those of arrays."""
    kinds: list[bytes] = []
    bodies: list[bytes] = []
    for name in sorted(found):
        values, types = found[name]
        kinds.append(b"".join((_FLATTENED, varint(len(types)), *(sized_text(_TYPE_NAMES[kind]) for kind in types))))
        bodies.append(_places(values, types, rows))
        bodies += [_ENCODERS[kind](_of(values, kind)) for kind in types]
    return b"".join((_FLATTENED, varint(len(found)), *map(sized_text, sorted(found)), *kinds, offsets, *bodies))


def _of(values: Sequence[Any], kind: type) -> Sequence[Any]:
    """Those of one type."""
    present = [type(value) is kind for value in values]
    return values if all(present) else list(compress(values, present))


def _places(values: Sequence[Any], types: Sequence[type], rows: Sequence[bool]) -> bytes:
    """For each row the place of its value's type, and behind the last where it has none."""
    if len(types) == 1:
        places = bytes([value is None for value in values])
    else:
        place = {kind: at for at, kind in enumerate((*types, _NONE))}
        places = bytes([place[kind] for kind in map(type, values)])
    if not rows:
        return places
    following = iter(places)
    return bytes([next(following) if there else len(types) for there in rows])


def _lists(values: Sequence[list[str]]) -> bytes:
    inner = list(chain.from_iterable(values))
    ends = array("Q", accumulate(map(len, values)))
    return b"".join((column_bytes(ends), bytes(len(inner)), strings(inner)))


_NONE = type(None)
_TYPE_NAMES: dict[type, str] = {
    bool: "Bool", float: "Float64", int: "Int64", list: "Array(Nullable(String))", str: "String",
}  # fmt: skip
"""As the engine names what it finds in JSON; they go in the order of their names."""
_ENCODERS: dict[type, Callable[[Sequence[Any]], bytes]] = {
    bool: bytes,
    float: lambda values: column_bytes(array("d", values)),
    int: lambda values: column_bytes(array("q", values)),
    list: _lists,
    str: strings,
}

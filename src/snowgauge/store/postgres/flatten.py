"""The columns of a schema: nested properties become columns named ``parent.child``, by the rules of Postgres loader
0.3.3; all versions of one model together make one table.

Where the loader loses data or breaks, this does not: maps (``additionalProperties`` with a schema) are one JSONB
column, two properties with one name share a column, and a text column is as wide as its widest version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from snowgauge.store.postgres.naming import MAX_NAME, column_name, cut, hashed
from snowgauge.store.postgres.types import TEXT, PgType, loader_type, node_types, wide

MAX_COLUMNS = 1500
"""PostgreSQL allows 1,600. What comes after stays readable in the raw columns of ``events``."""
Path = tuple[str, ...]


class Leaf(NamedTuple):
    """One column of one schema. ``required``: it and everything above it must be there and not null."""

    path: Path
    schema: Mapping[str, Any]
    required: bool


class Column(NamedTuple):
    """One column of a table. The first of ``paths`` with a value gives the value."""

    name: str
    type: PgType
    paths: tuple[Path, ...]
    required: bool = False


class Style(NamedTuple):
    """How schemas become columns."""

    snowplow_types: bool = False
    separator: str = "."
    text_arrays: bool = False


def leaves(schema: Mapping[str, Any]) -> list[Leaf]:
    """The leaves of a schema's data, depth first. A leaf with others below it is none."""
    found = list(_children((), schema, True))
    above = {leaf.path[:end] for leaf in found for end in range(1, len(leaf.path))}
    return [leaf for leaf in found if leaf.path not in above]


def _children(path: Path, schema: Mapping[str, Any], required: bool) -> Iterator[Leaf]:
    properties = schema.get("properties")
    names = schema.get("required")
    wanted = set(map(str, names)) if isinstance(names, list) else set()
    for name, found in properties.items() if isinstance(properties, dict) else ():
        node = found if isinstance(found, dict) else {}
        below = (*path, str(name))
        named = required and name in wanted
        if _branches(node):
            # an ancestor that may be null leaves its children required, as in the loader
            yield from _children(below, node, named)
        else:
            yield Leaf(below, node, named and not _nullable(node))


def _branches(node: Mapping[str, Any]) -> bool:
    properties = node.get("properties")
    if not isinstance(properties, dict) or not properties:
        return False
    types = node_types(node)
    if types is None:
        return not _mixed_one_of(node)
    some = types - {"null"}
    return "object" in some and len(some) == 1 and not _mixed_one_of(node)


def _mixed_one_of(node: Mapping[str, Any]) -> bool:
    alternatives = node.get("oneOf")
    if not isinstance(alternatives, list):
        return False
    types = [node_types(one) or frozenset() for one in alternatives if isinstance(one, dict)]
    return len(frozenset().union(*types) - {"null"}) > 1


def _nullable(node: Mapping[str, Any]) -> bool:
    types = node_types(node)
    enum = node.get("enum")
    return (types is not None and "null" in types) or (isinstance(enum, list) and None in enum)


def columns(versions: Iterable[Mapping[str, Any]], style: Style) -> list[Column]:
    """The columns of a table for these versions of a model, in ascending order.

    First those of the lowest version, the required ones before the others, each group by name; then what each later
    version added, in the same way. A column is as in the first version that has it.
    """
    out: dict[str, Column] = {}
    names: dict[Path, str] = {}
    for schema in versions:
        new: dict[str, Column] = {}
        for leaf in leaves(schema):
            name = names.get(leaf.path)
            if name is None:
                name = names[leaf.path] = _name(leaf.path, style.separator, out, new)
            found = _type(leaf, style)
            known = out.get(name) or new.get(name)
            if known is None:
                new[name] = Column(name, found, (leaf.path,), leaf.required)
                continue
            paths = known.paths if leaf.path in known.paths else (*known.paths, leaf.path)
            merged = known._replace(type=_widest(known.type, found), paths=paths)
            (out if name in out else new)[name] = merged
        for column in sorted(new.values(), key=lambda column: (not column.required, column.name.encode())):
            out[column.name] = column
    return list(out.values())[:MAX_COLUMNS]


def _name(path: Path, separator: str, *taken: Mapping[str, Column]) -> str:
    full = column_name(path, separator)
    name = cut(full)
    if len(full.encode()) <= MAX_NAME:
        return name
    clash = any(name in columns for columns in taken)
    return hashed(full) if clash else name


def _type(leaf: Leaf, style: Style) -> PgType:
    found = loader_type(leaf.schema, required=leaf.required)
    if style.text_arrays and "array" in (node_types(leaf.schema) or ()):
        return TEXT
    return found if style.snowplow_types else wide(leaf.schema, found)


def _widest(first: PgType, later: PgType) -> PgType:
    """Texts grow; every other type stays what it was first."""
    if not (first.texts and later.texts):
        return first
    return first if first.kind == "text" or (later.kind == "varchar" and later.size <= first.size) else later

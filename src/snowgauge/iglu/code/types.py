"""The types of some schemas: each record and each choice with a name, parts before what they are parts of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.code.names import Scope, pascal, titles
from snowgauge.iglu.code.shape import Choice, ListOf, MapOf, Of, Plain, Record, Shape

Schemas = Mapping[SchemaKey, Record | MapOf]


@dataclass(frozen=True)
class Named:
    """``key``: the schema whose data it is; ``None``: a part of another."""

    name: str
    shape: Record | Choice | MapOf
    key: SchemaKey | None


class Types:
    """``reserved``: names of types that the language has."""

    def __init__(self, schemas: Schemas, reserved: Collection[str]) -> None:
        self._scope = Scope(reserved)
        self.order: list[Named] = []
        self._names: dict[tuple[str, str], str] = {}
        names = titles(schemas, self._scope)
        for key in sorted(schemas):
            self._add(names[key], schemas[key], key)

    def of(self, owner: str, field: str) -> str:
        """The name of the record or choice that a field is, or holds in lists and maps."""
        return self._names[owner, field]

    def _add(self, name: str, shape: Record | MapOf, key: SchemaKey | None) -> None:
        for field in shape.fields if isinstance(shape, Record) else ():
            self._part(name, field.name, field.shape)
        if isinstance(shape, MapOf):
            self._part(name, "", shape)
        self.order.append(Named(name, shape, key))

    def _part(self, owner: str, field: str, shape: Shape) -> None:
        while isinstance(shape, ListOf | MapOf):
            shape = shape.items if isinstance(shape, ListOf) else shape.values
        if not isinstance(shape, Record | Choice):
            return
        name = self._scope.take(f"{owner}{pascal(field)}")
        self._names[owner, field] = name
        if isinstance(shape, Record):
            self._add(name, shape, None)
        else:
            self.order.append(Named(name, shape, None))


@dataclass(frozen=True)
class Grammar:
    """How a language writes types. ``list_of``, ``map_of``: of a type. ``or_null``: a type, or null. ``choice`` writes
    one in place; ``None``: by its name."""

    plain: Mapping[Plain, str]
    list_of: Callable[[str], str]
    map_of: Callable[[str], str]
    or_null: Callable[[str], str]
    choice: Callable[[Choice], str] | None = None

    def write(self, types: Types, owner: str, field: str, shape: Shape) -> str:
        """A shape as a type."""
        match shape:
            case Of(kind):
                return self.plain[kind]
            case Choice() if self.choice is not None:
                return self.choice(shape)
            case Choice() | Record():
                return types.of(owner, field)
            case ListOf(items, nullable):
                return self.list_of(self.nullable(self.write(types, owner, field, items), nullable))
            case MapOf(values, nullable):
                return self.map_of(self.nullable(self.write(types, owner, field, values), nullable))

    def nullable(self, written: str, nullable: bool) -> str:
        return self.or_null(written) if nullable else written

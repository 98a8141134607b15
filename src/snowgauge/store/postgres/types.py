"""JSON Schema to PostgreSQL column type, by the rules of Postgres loader 0.3.3: the first that matches wins.

``loader_type`` is what the loader makes. ``wide`` turns it into what this store makes by default: no length where the
schema gives none, and text for UUIDs, which Snowplow's dbt packages join with other texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

TypeKind = Literal[
    "varchar", "char", "text", "uuid", "integer", "bigint", "double", "boolean", "timestamp", "date", "jsonb", "other"
]
_DDL: dict[str, str] = {
    "text": "TEXT", "uuid": "UUID", "integer": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE PRECISION",
    "boolean": "BOOLEAN", "timestamp": "TIMESTAMP", "date": "DATE", "jsonb": "JSONB", "other": "TEXT",
}  # fmt: skip
_CATALOG: dict[str, TypeKind] = {
    "text": "text", "uuid": "uuid", "integer": "integer", "bigint": "bigint", "double precision": "double",
    "real": "double", "numeric": "double", "boolean": "boolean", "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp", "date": "date", "jsonb": "jsonb", "json": "jsonb",
    "character varying": "varchar", "character": "char",
}  # fmt: skip
_INT = 2**31 - 1
_BIGINT = 2**63 - 1
_MAX_VARCHAR = 10_485_760
_ANY_LENGTH = 4096


class PgType(NamedTuple):
    """A column's type; ``size`` of varchar and char (0: none given)."""

    kind: TypeKind
    size: int = 0

    @property
    def ddl(self) -> str:
        if self.kind in ("varchar", "char"):
            name = self.kind.upper()
            return f"{name}({self.size})" if self.size else name
        return _DDL[self.kind]

    @property
    def texts(self) -> bool:
        """Does it hold any text up to its size?"""
        return self.kind in ("varchar", "text")

    @staticmethod
    def of_catalog(text: str) -> PgType:
        """From ``format_type``; what this store never makes is ``other``: written as text, judged by the database."""
        found = re.fullmatch(r"(.+?)(?:\((\d+)(?:,\d+)?\))?( with(?:out)? time zone)?", text)
        if not found:
            return PgType("other")
        base = found[1] + (found[3] or "")
        kind = _CATALOG.get(base, "other")
        return PgType(kind, int(found[2] or 0) if kind in ("varchar", "char") else 0)


JSONB = PgType("jsonb")
TEXT = PgType("text")


def loader_type(schema: Mapping[str, Any], *, required: bool = True) -> PgType:
    """The loader's type of one leaf. ``required``: of an untyped leaf, an optional one counts as of type null."""
    types = node_types(schema)
    untyped = types is None and required
    some = (types or frozenset()) - {"null"}
    members = schema.get("enum")
    enum = [m for m in members if m is not None] if isinstance(members, list) else None
    if enum is not None and _mixed_enum(enum):
        return JSONB
    if len(some) >= 2 and some != {"integer", "number"}:
        return JSONB
    if "array" in some:
        return JSONB
    form = schema.get("format")
    if some == {"string"} and form == "date-time":
        return PgType("timestamp")
    if some == {"string"} and form == "date":
        return PgType("date")
    if some == {"integer"}:
        if "maximum" in schema:
            maximum = schema["maximum"]
            return PgType("bigint" if isinstance(maximum, int) and maximum > _INT else "integer")
        if enum is None:
            return PgType("bigint")
        return PgType("integer" if _fit(enum, _INT) else "bigint")
    if untyped and enum and _fit(enum, _BIGINT):
        return PgType("integer" if _fit(enum, _INT) else "bigint")
    multiple = schema.get("multipleOf")
    if isinstance(multiple, int) and not isinstance(multiple, bool):
        return PgType("integer")
    if some in ({"number"}, {"integer", "number"}):
        return PgType("double")
    if some == {"boolean"}:
        return PgType("boolean")
    if some == {"string"}:
        longest = _length(schema.get("maxLength"))
        if longest and longest == _length(schema.get("minLength")):
            return PgType("char", longest)
        if form == "uuid":
            return PgType("uuid")
        if longest:
            return PgType("varchar", longest)
        if enum is None:
            return PgType("varchar", _ANY_LENGTH)
    if enum and some <= {"string"} and all(isinstance(m, str) for m in enum):
        return PgType("varchar", max(len(m) for m in enum) or _ANY_LENGTH)
    return JSONB


def wide(schema: Mapping[str, Any], found: PgType) -> PgType:
    """The type this store makes of the loader's."""
    if found.kind == "uuid":
        return PgType("varchar", 36)
    if found.kind == "varchar" and not _length(schema.get("maxLength")) and "enum" not in schema:
        return TEXT
    if found.kind == "integer" and "maximum" not in schema and "enum" not in schema:
        return PgType("bigint")  # multipleOf alone says nothing about the size
    return found


def node_types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The types a node admits; ``None`` when it names none."""
    found = schema.get("type")
    if isinstance(found, str):
        return frozenset([found])
    if isinstance(found, list):
        return frozenset(one for one in found if isinstance(one, str))
    return None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mixed_enum(members: list[Any]) -> bool:
    numbers = any(_number(m) for m in members)
    others = any(not _number(m) for m in members)
    booleans = any(isinstance(m, bool) for m in members)
    return numbers + others + booleans >= 2


def _fit(members: list[Any], limit: int) -> bool:
    return all(isinstance(m, int) and not isinstance(m, bool) and -limit - 1 <= m <= limit for m in members)


def _length(value: Any) -> int:
    """A usable length; 0 for none."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_VARCHAR:
        return value
    return 0

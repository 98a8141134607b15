"""How the data of one schema version becomes rows of its table: which path goes into which column, in which form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.postgres.flatten import Column, Path
from snowgauge.store.postgres.layout import FAILED_LINK
from snowgauge.store.postgres.naming import META_COLUMNS, quote
from snowgauge.store.postgres.types import PgType
from snowgauge.store.postgres.values import NULL, Misfit, converter


class _Field(NamedTuple):
    key: str
    below: Path
    others: tuple[Path, ...]
    convert: Callable[[Any], str]
    column: str


class Plan:
    """Rows of one schema version for one table."""

    def __init__(self, key: SchemaKey, table: str, full_name: str, columns: Iterable[Column], *, meta: bool) -> None:
        """``columns`` as they are in the database: their types decide, not those of the schema."""
        columns = tuple(columns)
        self.table = table
        self.types = {column.name: column.type for column in columns}
        self._fields = tuple(
            _Field(column.paths[0][0], column.paths[0][1:], column.paths[1:], converter(column.type), column.name)
            for column in columns
        )
        self._plain = (
            None
            if any(field.below or field.others for field in self._fields)
            else tuple((field.key, field.convert) for field in self._fields)
        )
        self._nothing = [NULL] * len(columns)
        self._head = [f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}"] if meta else []
        self._meta = meta
        names = [column.name for column in columns]
        names = [*META_COLUMNS, *names] if meta else [*names, *FAILED_LINK]
        self.copy = f"COPY {full_name} ({', '.join(map(quote, names))}) FROM STDIN"

    def row(self, data: Any, link: str) -> str:
        """One line without its end. ``link``: id and time of the event, with a tab between. Raises ``Misfit``."""
        fields = self._values(data) if isinstance(data, dict) else self._nothing
        line = [*self._head, link, *fields] if self._meta else [*fields, link]
        return "\t".join(line)

    def _values(self, data: dict[str, Any]) -> list[str]:
        if self._plain is not None:
            get = data.get
            try:
                return [NULL if (value := get(key)) is None else convert(value) for key, convert in self._plain]
            except Misfit:
                pass  # again, to say which column
        out = []
        for key, below, others, convert, column in self._fields:
            value = data.get(key)
            if below:
                value = _at(value, below)
            if value is None and others:
                value = next((found for path in others if (found := _at(data, path)) is not None), None)
            if value is None:
                out.append(NULL)
                continue
            try:
                out.append(convert(value))
            except Misfit as misfit:
                raise Misfit(f"{column}: {misfit}") from None
        return out


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def differ(plan: Plan, own: dict[str, PgType]) -> bool:
    """Does the table hold a column of this version in another type than the version asks for?"""
    return any(plan.types.get(name, kind) != kind for name, kind in own.items())

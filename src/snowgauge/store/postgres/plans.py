"""How the data of one schema version becomes rows of its table: which path goes into which column, in which form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.postgres.flatten import Column, Path
from snowgauge.store.postgres.layout import FAILED_LINK
from snowgauge.store.postgres.naming import META_COLUMNS, quote
from snowgauge.store.postgres.types import PgType
from snowgauge.store.postgres.values import NULL, Misfit, converter

_MOST_KNOWN, _LONGEST_KNOWN = 2_000, 2_000
"""Entities whose fields are remembered, and the length of their text; a plan is kept as long as its table."""


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
            else {field.key: (at, field.convert) for at, field in enumerate(self._fields)}
        )
        self._known: dict[str, str] = {}
        self._nothing = [NULL] * len(columns)
        self._head = [f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}"] if meta else []
        self._meta = meta
        names = [column.name for column in columns]
        names = [*META_COLUMNS, *names] if meta else [*names, *FAILED_LINK]
        self.copy = f"COPY {full_name} ({', '.join(map(quote, names))}) FROM STDIN"

    def row(self, data: Any, link: str) -> str:
        """One line without its end. ``link``: id and time of the event, with a tab between. Raises ``Misfit``."""
        return self._line("\t".join(self._values(data) if isinstance(data, dict) else self._nothing), link)

    def entity_row(self, entity: SelfDescribing, link: str) -> str:
        """The same for an entity; those of enrichments say the same again and again, of one browser or one place."""
        if entity.literal is not None:  # a tracker's: it has ids of its own
            return self.row(entity.data, link)
        text = entity.json_text()
        fields = self._known.get(text)
        if fields is None:
            fields = "\t".join(self._values(entity.data) if isinstance(entity.data, dict) else self._nothing)
            if len(text) <= _LONGEST_KNOWN:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[text] = fields
        return self._line(fields, link)

    def _line(self, fields: str, link: str) -> str:
        columns = [fields] if self._nothing else []
        return "\t".join([*self._head, link, *columns] if self._meta else [*columns, link])

    def _values(self, data: dict[str, Any]) -> list[str]:
        if self._plain is not None:
            columns, out = self._plain, self._nothing.copy()
            try:
                for key, value in data.items():
                    if value is not None and key in columns:
                        at, convert = columns[key]
                        out[at] = convert(value)
                return out
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

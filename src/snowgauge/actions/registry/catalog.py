"""The schemas of the registry: a file each in the folder that the pipeline's resolver reads, and a row beside it.

The file is the whole self-describing schema, so that what is served here and what events are validated against cannot
differ. Files that someone put into the folder by hand belong to the registry too: private, as old as the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from snowgauge.actions.registry.database import RegistryDatabase
from snowgauge.actions.registry.keys import Permission
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.base import Refusal, leads_out
from snowgauge.iglu.registries.folder import FolderRegistry, framed


class Entry(msgspec.Struct, frozen=True):
    """One schema. Times are milliseconds since the epoch."""

    key: SchemaKey
    created_at: int
    updated_at: int
    is_public: bool


class SchemaCatalog:
    """Reads and writes schemas of ``files``. ``clock`` gives milliseconds since the epoch."""

    def __init__(
        self,
        files: FolderRegistry,
        database: RegistryDatabase,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.database = database
        self._clock = clock
        self._files = files

    def entries(self) -> list[Entry]:
        """Everything, oldest first."""
        self._take_in_files()
        with self.database.reading() as rows:
            found = rows.execute(
                "SELECT vendor, name, format, model, revision, addition, created_at, updated_at, is_public "
                "FROM schemas ORDER BY created_at, rowid"
            ).fetchall()
        return [Entry(SchemaKey(*row[:6]), row[6], row[7], bool(row[8])) for row in found]

    def visible(self, who: Permission) -> list[Entry]:
        """What is public, and what a key may read."""
        return [entry for entry in self.entries() if entry.is_public or who.may_read(entry.key.vendor)]

    def find(self, key: SchemaKey, who: Permission) -> tuple[Entry, dict[str, Any]] | None:
        """A schema with its entry; ``None`` when there is none, or none that ``who`` may see."""
        entry = next((entry for entry in self.visible(who) if entry.key == key), None)
        schema = None if entry is None else self.document(key)
        return None if entry is None or schema is None else (entry, schema)

    def document(self, key: SchemaKey) -> dict[str, Any] | None:
        """The self-describing schema, its frame first, for every caller."""
        found = self._files.lookup(key)
        return None if isinstance(found, Refusal) else framed(key, found)

    def keep(self, key: SchemaKey, document: dict[str, Any], *, is_public: bool) -> bool:
        """Write a schema; was it there before?"""
        self._take_in_files()
        now = self._clock()
        with self.database.writing() as rows:
            existed = self._exists(key)
            rows.execute("INSERT OR REPLACE INTO schemas VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         (*_parts(key), now, now, is_public))  # fmt: skip
            self._files.put(key, framed(key, document), replace=True)
        return existed

    def delete(self, key: SchemaKey) -> None:
        with self.database.writing() as rows:
            rows.execute(
                "DELETE FROM schemas WHERE (vendor, name, format, model, revision, addition) = (?, ?, ?, ?, ?, ?)",
                _parts(key),
            )
            self._files.remove(key)

    def supersede(self, keys: Iterable[SchemaKey], by: SchemaKey) -> None:
        """Have later readers of ``keys``, and of what those superseded, use ``by``; the highest version wins."""
        self._files.supersede(keys, by)

    def _exists(self, key: SchemaKey) -> bool:
        return not leads_out(key.vendor) and self._files.path_of(key).is_file()

    def _take_in_files(self) -> None:
        """Rows for files put there by hand, none for files that are gone."""
        there = set(self._files.keys())
        with self.database.reading() as rows:
            known = {
                SchemaKey(*row)
                for row in rows.execute("SELECT vendor, name, format, model, revision, addition FROM schemas")
            }
        if there == known:
            return
        with self.database.writing() as rows:
            for key in sorted(there - known):
                at = self._files.path_of(key).stat().st_mtime_ns // 1_000_000
                rows.execute("INSERT OR IGNORE INTO schemas VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", (*_parts(key), at, at))
            for key in known - there:
                rows.execute(
                    "DELETE FROM schemas WHERE (vendor, name, format, model, revision, addition) = (?, ?, ?, ?, ?, ?)",
                    _parts(key),
                )


def _parts(key: SchemaKey) -> tuple[str, str, str, int, int, int]:
    return key.vendor, key.name, key.format, key.model, key.revision, key.addition

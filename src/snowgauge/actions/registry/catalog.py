"""The schemas of the registry: a file each in the folder that the pipeline's resolver reads, and a row beside it.

The file is the whole self-describing schema, so that what is served here and what events are validated against cannot
differ. Files that somebody put into the folder by hand belong to the registry too: private, as old as the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import orjson

from snowgauge.actions.registry.database import RegistryDatabase
from snowgauge.actions.registry.keys import Permission
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA
from snowgauge.iglu.registries.base import Refusal, leads_out
from snowgauge.iglu.registries.folder import FolderRegistry

_FRAME = ("$schema", "$supersededBy", "$supersedes", "self")


class Entry(msgspec.Struct, frozen=True):
    """One schema. Times are milliseconds since the epoch."""

    key: SchemaKey
    created_at: int
    updated_at: int
    is_public: bool


class SchemaCatalog:
    """Reads and writes schemas of ``folder``. ``clock`` gives milliseconds since the epoch."""

    def __init__(
        self,
        folder: Path,
        database: RegistryDatabase,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._folder = folder
        self.database = database
        self._clock = clock
        self._files = FolderRegistry(folder)

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
        """The self-describing schema, its frame first, whoever asks."""
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
            self._write(key, framed(key, document))
        return existed

    def delete(self, key: SchemaKey) -> None:
        with self.database.writing() as rows:
            rows.execute(
                "DELETE FROM schemas WHERE (vendor, name, format, model, revision, addition) = (?, ?, ?, ?, ?, ?)",
                _parts(key),
            )
            if not leads_out(key.vendor):
                self._path(key).unlink(missing_ok=True)

    def supersede(self, keys: Iterable[SchemaKey], by: SchemaKey) -> None:
        """Have later readers of ``keys``, and of what those superseded, use ``by``; the highest version wins."""
        replaced = {key.version for key in keys}
        for entry in self.entries():
            key = entry.key
            if (key.vendor, key.name, key.format) != (by.vendor, by.name, by.format):
                continue
            document = self.document(key)
            if document is None or key >= by:
                continue
            before = document.get("$supersededBy")
            if key.version not in replaced and before not in replaced:
                continue
            if before is None or _version(by, before) < by:
                self._write(key, framed(key, {**document, "$supersededBy": by.version}))

    def _exists(self, key: SchemaKey) -> bool:
        return not leads_out(key.vendor) and self._path(key).is_file()

    def _root(self) -> Path:
        inner = self._folder / "schemas"
        return inner if inner.is_dir() else self._folder

    def _path(self, key: SchemaKey) -> Path:
        return self._root() / key.path

    def _write(self, key: SchemaKey, document: dict[str, Any]) -> None:
        """Whole or not at all: the resolver may read at any moment."""
        assert not leads_out(key.vendor), "publishing refuses such vendors"
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with draft.open("wb") as out:
            out.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)

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
                at = self._path(key).stat().st_mtime_ns // 1_000_000
                rows.execute("INSERT OR IGNORE INTO schemas VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", (*_parts(key), at, at))
            for key in known - there:
                rows.execute(
                    "DELETE FROM schemas WHERE (vendor, name, format, model, revision, addition) = (?, ?, ?, ?, ?, ?)",
                    _parts(key),
                )


def framed(key: SchemaKey, document: dict[str, Any]) -> dict[str, Any]:
    """The schema as Iglu Server prints it: its frame first, in a fixed order, then the body as it was sent."""
    frame: dict[str, Any] = {"$schema": IGLU_META_SCHEMA}
    for name in ("$supersededBy", "$supersedes"):
        if document.get(name):
            frame[name] = document[name]
    frame["self"] = {"vendor": key.vendor, "name": key.name, "format": key.format, "version": key.version}
    return frame | {name: value for name, value in document.items() if name not in _FRAME}


def _parts(key: SchemaKey) -> tuple[str, str, str, int, int, int]:
    return key.vendor, key.name, key.format, key.model, key.revision, key.addition


def _version(like: SchemaKey, version: str) -> SchemaKey:
    return SchemaKey.parse(f"iglu:{like.vendor}/{like.name}/{like.format}/{version}")

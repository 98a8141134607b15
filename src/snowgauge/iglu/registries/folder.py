"""A folder of schemas in Iglu's layout: ``vendor/name/format/version``, with or without a folder ``schemas`` above."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import orjson

from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA
from snowgauge.iglu.registries.base import NOT_FOUND, Refusal, leads_out

_FRAME = ("$schema", "$supersededBy", "$supersedes", "self")


def framed(key: SchemaKey, document: dict[str, Any]) -> dict[str, Any]:
    """The schema as Iglu Server prints it: its frame first, in a fixed order, then the body as it was sent."""
    frame: dict[str, Any] = {"$schema": IGLU_META_SCHEMA}
    for name in ("$supersededBy", "$supersedes"):
        if document.get(name):
            frame[name] = document[name]
    frame["self"] = {"vendor": key.vendor, "name": key.name, "format": key.format, "version": key.version}
    return frame | {name: value for name, value in document.items() if name not in _FRAME}


class Copies(Protocol):
    """Keeps a folder as all machines of a deployment have it (``state.mirror``)."""

    def follow(self, folder: Path) -> None:
        """Bring the folder up to date; cheap where that was done just now. Never raises."""

    def put(self, folder: Path, name: str, body: bytes, *, replace: bool) -> bool:
        """Write a file of all of them. ``False``: it is there, and is not to be replaced."""

    def remove(self, folder: Path, name: str) -> None:
        """Without this file, on all of them."""


class FolderRegistry:
    """Reads a file at its first use and again when its time or size has changed, so edits are seen at the next look."""

    local = True
    iglu_central = False

    def __init__(
        self,
        path: Path,
        *,
        name: str | None = None,
        priority: int = 0,
        vendor_prefixes: tuple[str, ...] = (),
        volatile: bool = True,
        copies: Copies | None = None,
    ) -> None:
        self._copies = copies
        self.path = path
        self.name = name or str(path)
        self.priority = priority
        self.vendor_prefixes = vendor_prefixes
        self.volatile = volatile
        self._read: dict[SchemaKey, tuple[tuple[int, int], dict[str, Any] | Refusal]] = {}
        self._inner = str(path / "schemas")
        self._all: frozenset[SchemaKey] | None = None

    def _root(self) -> Path:
        inner = self.path / "schemas"
        return inner if inner.is_dir() else self.path

    def path_of(self, key: SchemaKey) -> Path:
        """The file of a schema, there or not."""
        return self._root() / key.path

    def lookup(self, key: SchemaKey) -> dict[str, Any] | Refusal:
        if leads_out(key.vendor):
            return NOT_FOUND
        self._follow()
        if not self.volatile:  # names are made up faster than a file system answers
            if self._all is None:
                self._all = frozenset(self.keys())
            if key not in self._all:
                return NOT_FOUND
        # texts, since most names that are looked for here are not here, and paths cost more than the question
        file = f"{self._inner if os.path.isdir(self._inner) else self.path}/{key.path}"
        try:
            state = os.stat(file)
            seen = (state.st_mtime_ns, state.st_size)
            known = self._read.get(key)
            if known is not None and known[0] == seen:
                return known[1]
            text = Path(file).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            self._read.pop(key, None)
            return NOT_FOUND
        except OSError as error:
            return Refusal("RepoFailure", f"{file}: {error.strerror or error}")
        answer: dict[str, Any] | Refusal
        try:
            schema = orjson.loads(text)
            answer = schema if isinstance(schema, dict) else Refusal("RepoFailure", f"{file} does not hold an object")
        except orjson.JSONDecodeError as error:
            answer = Refusal("RepoFailure", f"{file} is not JSON: {error}")
        self._read[key] = (seen, answer)
        return answer

    def put(self, key: SchemaKey, schema: dict[str, Any], *, replace: bool) -> bool:
        """Write a schema: the file appears whole or not at all. False: it is there, and is not to be replaced."""
        if leads_out(key.vendor):
            raise ValueError(f"the vendor {key.vendor!r} would leave the folder of schemas")
        body = orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        if self._copies is not None:
            return self._copies.put(self._root(), key.path, body, replace=replace)
        path = self.path_of(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        with draft.open("wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        if replace:
            draft.replace(path)
            return True
        try:
            os.link(draft, path)  # fails where someone was faster
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def remove(self, key: SchemaKey) -> None:
        """Without this schema from now on."""
        if leads_out(key.vendor):
            return
        if self._copies is not None:
            self._copies.remove(self._root(), key.path)
        self.path_of(key).unlink(missing_ok=True)

    def supersede(self, versions: Iterable[SchemaKey], by: SchemaKey) -> None:
        """Have later readers of ``versions``, and of what those superseded, use ``by``; the highest version wins."""
        replaced = {key.version for key in versions}
        for key in self.keys():
            if (key.vendor, key.name, key.format) != (by.vendor, by.name, by.format) or key >= by:
                continue
            document = self.lookup(key)
            if isinstance(document, Refusal):
                continue
            before = document.get("$supersededBy")
            if key.version not in replaced and before not in replaced:
                continue
            if before is None or SchemaKey.parse(f"iglu:{by.vendor}/{by.name}/{by.format}/{before}") < by:
                self.put(key, framed(key, {**document, "$supersededBy": by.version}), replace=True)

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        if leads_out(vendor):
            return []
        return [k for k in self._list(self._root() / vendor / name / "jsonschema") if k.model == model]

    def keys(self) -> list[SchemaKey]:
        return self._list(self._root())

    def answers(self) -> bool:
        return True

    def _follow(self) -> None:
        if self._copies is not None:
            self._copies.follow(self._root())

    def _list(self, top: Path) -> list[SchemaKey]:
        self._follow()
        root = self._root()
        found = []
        for file in top.rglob("*-*-*") if top.is_dir() else ():
            try:
                key = SchemaKey.parse("iglu:" + file.relative_to(root).as_posix())
            except (SelfDescribingError, ValueError):
                continue
            if file.is_file():
                found.append(key)
        return sorted(found)

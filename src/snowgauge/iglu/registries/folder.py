"""A folder of schemas in Iglu's layout: ``vendor/name/format/version``, with or without a folder ``schemas`` above."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.base import NOT_FOUND, Refusal, leads_out


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
    ) -> None:
        self.path = path
        self.name = name or str(path)
        self.priority = priority
        self.vendor_prefixes = vendor_prefixes
        self.volatile = volatile
        self._read: dict[SchemaKey, tuple[tuple[int, int], dict[str, Any] | Refusal]] = {}

    def _root(self) -> Path:
        inner = self.path / "schemas"
        return inner if inner.is_dir() else self.path

    def lookup(self, key: SchemaKey) -> dict[str, Any] | Refusal:
        if leads_out(key.vendor):
            return NOT_FOUND
        file = self._root() / key.path
        try:
            state = file.stat()
            seen = (state.st_mtime_ns, state.st_size)
            known = self._read.get(key)
            if known is not None and known[0] == seen:
                return known[1]
            text = file.read_bytes()
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

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        if leads_out(vendor):
            return []
        return [k for k in self._list(self._root() / vendor / name / "jsonschema") if k.model == model]

    def keys(self) -> list[SchemaKey]:
        return self._list(self._root())

    def _list(self, top: Path) -> list[SchemaKey]:
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

"""Finds the adapters: every class derived from ``Adapter`` in a module of this folder, and those handed in."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from snowgauge.enrich import adapters as folder
from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.errors import AdapterFailure, SettingsError
from snowgauge.events.tracker import TrackerEvent


class Unsupported(Adapter):
    """Answers for every path that no adapter knows."""

    paths = ()

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        raise AdapterFailure(
            [
                {
                    "field": "vendor/version",
                    "value": f"{source.vendor}/{source.version}",
                    "expectation": "vendor/version combination is not supported",
                }
            ]
        )


class AdapterRegistry:
    """Adapters by (vendor, version). ``extra`` classes join those of the folder, and win where both know a path."""

    def __init__(self, extra: Iterable[type[Adapter]] = ()) -> None:
        self._by_path: dict[tuple[str, str], Adapter] = {}
        self._unsupported = Unsupported()
        for classes in (_of_folder(), list(extra)):
            seen: dict[tuple[str, str], str] = {}
            for found in classes:
                adapter = found()
                for path in found.paths:
                    other = seen.setdefault(path, found.__name__)
                    if other != found.__name__:
                        raise SettingsError(
                            f"adapters {other} and {found.__name__} both answer for /{path[0]}/{path[1]}; "
                            "take the path out of one of them"
                        )
                    self._by_path[path] = adapter

    def adapter(self, vendor: str, version: str) -> Adapter:
        return self._by_path.get((vendor, version), self._unsupported)

    def paths(self) -> list[tuple[str, str]]:
        """Every (vendor, version) with an adapter, in order."""
        return sorted(self._by_path)


def _of_folder() -> list[type[Adapter]]:
    found: list[type[Adapter]] = []
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        if info.name != __name__.rpartition(".")[2]:
            found += adapters_of(importlib.import_module(f"{folder.__name__}.{info.name}"))
    return found


def adapters_of(module: ModuleType) -> list[type[Adapter]]:
    """The adapters that a module defines (not those it imports)."""
    return [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, Adapter)
        and item.__module__ == module.__name__
        and hasattr(item, "paths")
    ]

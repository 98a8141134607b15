"""Finds the enrichments there are: modules of this folder, installed packages, and a user's Python files.

Nothing is listed anywhere: a class derived from ``Enrichment`` in a module of this folder is an enrichment. Packages
offer theirs as entry points of the group ``snowgauge.enrichments``, each a class or a plain function
``enrich(event, source)``; a file in the enrichments folder offers what it defines.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import msgspec

from snowgauge.enrich import enrichments as folder
from snowgauge.enrich.adapters.base import Adapter
from snowgauge.enrich.enrichments.base import Enrichment
from snowgauge.enrich.enrichments.python import PythonEnrichment
from snowgauge.errors import SettingsError
from snowgauge.events.selfdescribing import SchemaCriterion

GROUP = "snowgauge.enrichments"


class Registry:
    """Enrichment classes by the name of the configuration schema they take, and functions that are always on."""

    def __init__(self, classes: Iterable[type[Enrichment]], functions: Iterable[PythonEnrichment] = ()) -> None:
        self.classes = sorted(classes, key=lambda found: (found.runs_at, found.__name__))
        self.functions = list(functions)
        self._by_name: dict[str, type[Enrichment]] = {}
        places: dict[int, type[Enrichment]] = {}
        for found in self.classes:
            neighbour = places.setdefault(found.runs_at, found)
            if neighbour is not found and not (neighbour.repeats and found.repeats):
                raise SettingsError(
                    f"enrichments {_title(neighbour)} and {_title(found)} both run at {found.runs_at}; "
                    "give one of them another runs_at, so that the order is certain"
                )
            for criterion in criteria(found):
                other = self._by_name.setdefault(criterion.name, found)
                if other is not found:
                    raise SettingsError(
                        f"enrichments {_title(other)} and {_title(found)} both take configurations named "
                        f"{criterion.name!r}; rename one of them"
                    )

    def of(self, name: str) -> type[Enrichment] | None:
        """The class that takes configurations whose schema has this name."""
        return self._by_name.get(name)

    @property
    def names(self) -> list[str]:
        return sorted(self._by_name)

    def adding(self, classes: Iterable[type[Enrichment]]) -> Registry:
        """This registry with more classes. Raises ``SettingsError`` for ties."""
        return Registry([*self.classes, *classes], self.functions)


def criteria(found: type[Enrichment]) -> list[SchemaCriterion]:
    """The configuration schemas a class takes, newest first; none for one that needs no configuration."""
    return [SchemaCriterion.parse(text) for text in getattr(found, "config", "").split()]


@cache
def find() -> Registry:
    """Built-in enrichments and those of installed packages."""
    classes: list[type[Enrichment]] = []
    for module in pkgutil.iter_modules(folder.__path__):
        classes += defined_in(importlib.import_module(f"{folder.__name__}.{module.name}"))
    functions: list[PythonEnrichment] = []
    for place, entry in enumerate(sorted(entry_points(group=GROUP), key=lambda entry: entry.name)):
        try:
            offered = entry.load()
        except Exception as error:
            raise SettingsError(
                f"enrichment {entry.name!r} of the installed package {entry.value!r} cannot be loaded: {error!r}; "
                "repair or uninstall the package"
            ) from error
        if inspect.isclass(offered) and issubclass(offered, Enrichment):
            classes.append(offered)
        elif callable(offered):
            functions.append(PythonEnrichment(offered, entry.name, place))
        else:
            raise SettingsError(
                f"entry point {entry.name!r} = {entry.value!r} of group {GROUP} is a {type(offered).__name__}; "
                "expected a class derived from Enrichment or a function enrich(event, source)"
            )
    return Registry(classes, functions)


def defined_in(module: ModuleType) -> list[type[Enrichment]]:
    """Enrichment classes that a module defines itself, finished ones only (those with a place in the order)."""
    return [
        found
        for found in vars(module).values()
        if inspect.isclass(found)
        and issubclass(found, Enrichment)
        and found.__module__ == module.__name__
        and hasattr(found, "runs_at")
        and found is not PythonEnrichment
    ]


class UserFile(msgspec.Struct):
    """What one Python file of the enrichments folder offers."""

    path: Path
    classes: list[type[Enrichment]]
    adapters: list[type[Adapter]]
    function: PythonEnrichment | None


def read_user_file(path: Path, place: int = 0) -> UserFile:
    """Run a user's file and take what it defines: ``enrich(event, source)``, enrichment classes, adapter classes.

    Raises ``SettingsError`` when it does not run or defines none of them.
    """
    name = f"snowgauge_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SettingsError(f"{path.name}: running the file failed: {_where(error, path)}") from error
    classes = defined_in(module)
    for found in vars(module).values():
        if (
            inspect.isclass(found)
            and issubclass(found, Enrichment)
            and found.__module__ == name
            and found not in classes
            and found.enrich is not Enrichment.enrich
        ):
            found.runs_at = PythonEnrichment.runs_at
            found.repeats = True
            classes.append(found)
    for found in classes:
        if not hasattr(found, "identifier"):
            found.identifier = path.stem
    adapters = [
        found
        for found in vars(module).values()
        if inspect.isclass(found) and issubclass(found, Adapter) and found.__module__ == name
    ]
    for adapter in adapters:
        if not getattr(adapter, "paths", ()):
            raise SettingsError(
                f'{path.name}: adapter {adapter.__name__} names no paths; add for example paths = (("com.acme", "v1"),)'
            )
    function: Callable[..., object] | None = getattr(module, "enrich", None)
    if function is not None and (not callable(function) or inspect.isclass(function)):
        raise SettingsError(f"{path.name}: enrich is a {type(function).__name__}; expected a function(event, source)")
    python = None
    if function is not None:
        _check_signature(function, path)
        python = PythonEnrichment(function, path.stem, place, module)
    if not (classes or adapters or python):
        raise SettingsError(
            f"{path.name}: the file defines neither a function enrich(event, source), nor a class derived from "
            "Enrichment or Adapter"
        )
    return UserFile(path, classes, adapters, python)


def _check_signature(function: Callable[..., object], path: Path) -> None:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError as error:
        raise SettingsError(
            f"{path.name}: enrich{inspect.signature(function)} cannot be called with (event, source): {error}"
        ) from error


def _where(error: Exception, path: Path) -> str:
    """The error with the line of the user's file it came from."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        line = error.lineno
    return f"{type(error).__name__}: {error}" + (f" (line {line})" if line else "")


def _title(found: type[Enrichment]) -> str:
    return f"{found.__module__.rpartition('.')[2]}.{found.__name__}"

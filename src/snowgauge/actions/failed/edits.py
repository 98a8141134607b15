"""Changes to failed events before they are replayed, on parsed values.

They are made in this order: schema, rename, unset, replace, cast, default, set, Python function. An edit that finds
nothing to change in an event changes nothing. Edits of ``payload`` are made to the request; all others to each event of
it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, Protocol

import msgspec
import orjson

from snowgauge.actions.failed.document import Document
from snowgauge.actions.failed.paths import Path, parse, places
from snowgauge.errors import ActionRefused, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey

_NUMBERS = {"integer": int, "number": float}
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
CASTS = ("integer", "number", "string", "boolean", "array", "json")


class LeftAlone(Exception):
    """The user's function said that this event is not to be replayed."""


class Edit(Protocol):
    """``root`` is where its path begins; ``None``: it looks everywhere."""

    @property
    def root(self) -> str | None: ...

    def apply(self, document: Document) -> None: ...


class Set(msgspec.Struct):
    """``only_missing``: leave what is there, and not null, alone."""

    path: Path
    value: Any
    only_missing: bool = False

    @property
    def root(self) -> str | None:
        return self.path.root

    def apply(self, document: Document) -> None:
        for place in places(document, self.path, make=True):
            if not (self.only_missing and place.there and place.value is not None):
                place.holder[place.key] = _copied(self.value)


class Unset(msgspec.Struct):
    path: Path

    @property
    def root(self) -> str | None:
        return self.path.root

    def apply(self, document: Document) -> None:
        for place in reversed(places(document, self.path)):  # from the end, so that places in lists hold
            if place.there:
                del place.holder[place.key]


class Rename(msgspec.Struct):
    """The property keeps its place among the others; one that has the new name already makes way."""

    path: Path
    name: str

    @property
    def root(self) -> str | None:
        return self.path.root

    def apply(self, document: Document) -> None:
        for place in places(document, self.path):
            holder = place.holder
            if not place.there or not isinstance(holder, dict) or place.key == self.name:
                continue
            renamed = {
                self.name if key == place.key else key: value for key, value in holder.items() if key != self.name
            }
            holder.clear()
            holder.update(renamed)


class Replace(msgspec.Struct):
    """Where the value is ``old``, and only there, it becomes ``new``."""

    path: Path
    old: Any
    new: Any

    @property
    def root(self) -> str | None:
        return self.path.root

    def apply(self, document: Document) -> None:
        for place in places(document, self.path):
            if place.there and type(place.value) is type(self.old) and place.value == self.old:
                place.holder[place.key] = _copied(self.new)


class Cast(msgspec.Struct):
    """A value that cannot be cast stays as it is."""

    path: Path
    to: str

    @property
    def root(self) -> str | None:
        return self.path.root

    def apply(self, document: Document) -> None:
        for place in places(document, self.path):
            if place.there:
                place.holder[place.key] = _cast(place.value, self.to)


class SchemaChange(msgspec.Struct):
    """Wherever self-describing data names the one schema, it names the other."""

    found: SchemaCriterion
    to: SchemaKey
    root: str | None = None

    def apply(self, document: Document) -> None:
        self._walk(document)

    def _walk(self, value: Any) -> None:
        if isinstance(value, dict):
            uri = value.get("schema")
            if isinstance(uri, str) and self._matches(uri):
                value["schema"] = self.to.uri
            for inner in value.values():
                self._walk(inner)
        elif isinstance(value, list):
            for inner in value:
                self._walk(inner)

    def _matches(self, uri: str) -> bool:
        try:
            return self.found.matches(SchemaKey.parse(uri))
        except SelfDescribingError:
            return False


class PythonFunction:
    """``recover(event)`` of a user's file: changes the document or returns another; ``False`` leaves the row alone."""

    root: str | None = None

    def __init__(self, file: File) -> None:
        self._recover = _loaded(file)

    def apply(self, document: Document) -> None:
        answer = self._recover(document)
        if answer is False:
            raise LeftAlone
        if isinstance(answer, dict) and answer is not document:
            document.clear()
            document.update(answer)


@dataclass
class EditOptions:
    """Edits as they are written on a command line."""

    schema: list[str] = field(default_factory=list)
    rename: list[str] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)
    replace: list[str] = field(default_factory=list)
    cast: list[str] = field(default_factory=list)
    default: list[str] = field(default_factory=list)
    set: list[str] = field(default_factory=list)
    python: str | None = None

    def given(self) -> dict[str, list[str] | str]:
        """Only what is there."""
        return {name: value for name, value in vars(self).items() if value}

    def edits(self) -> list[Edit]:
        """Raises ``ActionRefused`` for what cannot be read."""
        made: list[Edit] = [_schema_change(text) for text in self.schema]
        for text in self.rename:
            path, name = _halves(text, "--rename", "PATH=NAME")
            made.append(Rename(parse(path), name))
        made += [Unset(parse(text)) for text in self.unset]
        for text in self.replace:
            path, value = _halves(text, "--replace", "PATH=OLD=>NEW")
            old, new = _old_and_new(value, text)
            made.append(Replace(parse(path), old, new))
        for text in self.cast:
            path, to = _halves(text, "--cast", "PATH=TYPE")
            if to not in CASTS:
                raise ActionRefused(f"--cast {text!r}: the type must be one of {', '.join(CASTS)}")
            made.append(Cast(parse(path), to))
        for option, texts in (("--default", self.default), ("--set", self.set)):
            for text in texts:
                path, value = _halves(text, option, "PATH=VALUE")
                made.append(Set(parse(path), json_or_text(value), option == "--default"))
        if self.python is not None:
            made.append(PythonFunction(File(self.python)))
        return made


def apply(edits: Sequence[Edit], document: Document, *, whole_request: bool) -> None:
    """Of a whole request only its ``payload`` is there; the rest is for the events made of it."""
    for edit in edits:
        if edit.root is None or (edit.root == "payload") or not whole_request:
            edit.apply(document)


def for_events(edits: Sequence[Edit]) -> list[Edit]:
    """Those that are still to be made to the events of a request whose ``payload`` is edited."""
    return [edit for edit in edits if edit.root != "payload" and not isinstance(edit, PythonFunction)]


def json_or_text(text: str) -> Any:
    """``5``, ``true``, ``{"a":1}`` are JSON; what is not JSON is text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _halves(text: str, option: str, form: str) -> tuple[str, str]:
    # a path may hold an equals sign only in quotes; the first one behind the path is ours
    depth, quoted = 0, False
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in "[]":
            depth += 1 if sign == "[" else -1
        elif sign == "=" and not quoted and depth == 0 and at:
            return text[:at], text[at + 1 :]
    raise ActionRefused(f"{option} {text!r}: write {form}")


def _old_and_new(value: str, text: str) -> tuple[Any, Any]:
    """Both sides of the arrow. One inside of a JSON text is not the arrow."""
    parts = value.split("=>")
    if len(parts) < 2:
        raise ActionRefused(f"--replace {text!r}: write PATH=OLD=>NEW")
    for at in range(1, len(parts)):
        old = "=>".join(parts[:at])
        if json_or_text(old) != old:
            return json_or_text(old), json_or_text("=>".join(parts[at:]))
    return parts[0], json_or_text("=>".join(parts[1:]))


def _schema_change(text: str) -> SchemaChange:
    given, _, to = text.partition("=")
    try:
        return SchemaChange(SchemaCriterion.parse(given), SchemaKey.parse(to))
    except ValueError as error:
        raise ActionRefused(f"--schema {text!r}: {error}") from None
    except SelfDescribingError as error:
        raise ActionRefused(f"--schema {text!r}: {to!r} is no schema ({error.code}); write FROM=TO") from None


def _cast(value: Any, to: str) -> Any:
    if to == "array":
        return value if isinstance(value, list) else [value]
    if to == "string":
        return value if isinstance(value, str) or value is None else orjson.dumps(value).decode()
    if to == "json":
        return json_or_text(value) if isinstance(value, str) else value
    if to == "boolean":
        return value if isinstance(value, bool) else _BOOLEANS.get(str(value).strip().lower(), value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | int | float):
        try:
            number = _NUMBERS[to](str(value).strip())
        except (ValueError, OverflowError):
            try:
                number = float(str(value).strip())
            except ValueError:
                return value
            if to == "integer":
                return int(number) if number.is_integer() else value
        return number if number == number and abs(number) != float("inf") else value  # noqa: PLR0124 - NaN
    return value


def _copied(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, dict | list) else value


def _loaded(file: File) -> Callable[[Document], Any]:
    if not file.is_file():
        raise ActionRefused(f"--python {file}: there is no such file")
    spec = importlib.util.spec_from_file_location("snowgauge_recovery_function", file)
    if spec is None or spec.loader is None:
        raise ActionRefused(f"--python {file}: this is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ActionRefused(f"--python {file}: {type(error).__name__}: {error}") from error
    function = getattr(module, "recover", None)
    if not callable(function):
        raise ActionRefused(f"--python {file}: it must hold a function recover(event)")
    found: Callable[[Document], Any] = function
    return found

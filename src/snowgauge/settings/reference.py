"""The settings as tables: for `snowgauge settings` and for the reference page."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from snowgauge.settings.load import PREFIX, walk_fields
from snowgauge.settings.model import Settings


class SettingLine(msgspec.Struct, frozen=True):
    """One setting as people see it; secrets are masked."""

    name: str
    variable: str
    kind: str
    default: str
    value: str
    source: str
    meaning: str


def lines(settings: Settings | None = None, sources: Mapping[str, str] | None = None) -> Iterator[SettingLine]:
    """Every setting, with its value and source where ``settings`` are given."""
    for path, field in walk_fields(Settings):
        name = ".".join(path)
        value: Any = settings
        for part in path:
            value = getattr(value, part, None)
        source = next(
            (place for key, place in (sources or {}).items() if key == name or key.startswith(name + ".")), "default"
        )
        line = _line(path, field)
        yield line if settings is None else msgspec.structs.replace(line, value=show(value), source=source)


def _line(path: tuple[str, ...], field: Any) -> SettingLine:
    default = field.get_default(call_default_factory=True)
    return SettingLine(
        name=".".join(path),
        variable=PREFIX + "__".join(path).upper(),
        kind=_kind(field.annotation),
        default="required" if default is PydanticUndefined else show(default),
        value="",
        source="default",
        meaning=" ".join((field.description or "").split()),
    )


def _lines_of(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[SettingLine]:
    """Every setting, and those of each entry of a map of settings: ``sinks.http.destinations.<name>.url``."""
    for path, field in walk_fields(model, at):
        yield _line(path, field)
        arguments = typing.get_args(field.annotation) if typing.get_origin(field.annotation) is dict else ()
        if arguments and isinstance(arguments[1], type) and issubclass(arguments[1], BaseModel):
            yield from _lines_of(arguments[1], (*path, "<name>"))


def as_tree(settings: Settings) -> dict[str, Any]:
    """The whole tree as JSON values, secrets masked, for programs and for Simple Snowplow's `settings` verb."""

    def plain(value: Any) -> Any:
        match value:
            case BaseModel():
                return {name: plain(getattr(value, name)) for name in type(value).model_fields}
            case Mapping():
                return {str(key): plain(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [plain(item) for item in value]
            case SecretStr():
                return _masked(value)
            case timedelta():
                return duration_text(value)
            case None | bool() | int() | float() | str():
                return value
            case _:
                return str(value)

    tree: dict[str, Any] = plain(settings)
    return tree


def show(value: Any) -> str:
    """One value on one line."""
    match value:
        case None:
            return ""
        case SecretStr():
            return _masked(value)
        case timedelta():
            return duration_text(value)
        case bool():
            return str(value).lower()
        case Mapping() | list() | tuple():
            return json.dumps(value, default=show, ensure_ascii=False)
        case _:
            return str(value)


def _masked(value: SecretStr) -> str:
    return "********" if value.get_secret_value() else ""


def duration_text(value: timedelta) -> str:
    """`60 minutes`: the largest unit that divides the length."""
    seconds = value.total_seconds()
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1000:g} ms" if seconds else "0 seconds"


_NAMES = {
    str: "text",
    bool: "true or false",
    int: "number",
    float: "number",
    timedelta: "duration",
    SecretStr: "secret",
}


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(item) for item in arguments if item is not type(None))
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin is typing.Literal:
        return ", ".join(str(item) for item in arguments)
    if origin in (list, tuple, set, frozenset):
        return f"list of {_kind(arguments[0])}" if arguments else "list"
    if origin is dict:
        return "map"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def markdown() -> str:
    """The reference page."""
    out = [
        "# Settings",
        "",
        "Each setting can stand in `snowgauge.toml`, in the environment, or behind `--set`, each over the one before.",
        '`collector.cookie.name` is `[collector.cookie] name = "sp"` in the file, the variable',
        "`SNOWPLOW_COLLECTOR__COOKIE__NAME`, and `--set collector.cookie.name=sp`. Durations are written `60 minutes`,",
        "sizes `2 GiB`, lists and maps in the environment as JSON. A variable whose name ends in `_FILE` names a file",
        "that holds the value: `SNOWPLOW_STORE__URL_FILE=/run/secrets/store_url`.",
    ]
    section = None
    for line in _lines_of(Settings):
        head = line.name.partition(".")[0]
        if head != section:
            section = head
            doc = " ".join((typing.cast(Any, Settings.model_fields[head]).description or "").split())
            out += ["", f"## {head}", "", doc, "", "| setting | kind | default | meaning |", "|---|---|---|---|"]
        cells = (f"`{line.name}`", line.kind, f"`{line.default}`" if line.default else "", line.meaning)
        out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(out) + "\n"

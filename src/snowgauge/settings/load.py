"""Settings from four places, each over the one before: defaults, file, environment, command line.

Every leaf remembers where it came from, so that `snowgauge settings` and every error can say so. A variable that ends
in ``_FILE`` (or ``__FILE``) names a file that holds the value, as orchestrators hand out secrets.
"""

from __future__ import annotations

import difflib
import json
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pydantic import BaseModel, SecretStr, ValidationError

from snowgauge.errors import SettingsError
from snowgauge.settings.model import Settings

PREFIX = "SNOWPLOW_"
DEFAULT_FILE = "snowgauge.toml"
ENVIRONMENT_NAME = "SNOWPLOW_ENV"
"""Not a setting in the tree, though it has the prefix: it makes the default of `sentry.environment`."""

Path_ = tuple[str, ...]

RETIRED: Mapping[Path_, str] = {
    ("pipeline", "registry_patience"): "events wait for no registry any more; they fail and are recovered "
    "(iglu.batch_patience is how long a batch waits for schemas)",
}
"""Settings that there were once, with what holds instead. They are taken, and do nothing."""
_SPOOL = ("folder", "fsync", "max_bytes", "min_free_bytes", "segment_bytes")
MOVED: Mapping[Path_, Path_] = {("eventlog", name): ("eventlog", "spool", name) for name in _SPOOL} | {
    ("eventlog", "backend"): ("eventlog", "url")
}
"""Settings that have another name now. They are taken under their old one, with a notice."""


class Loaded(msgspec.Struct, frozen=True):
    """``sources`` maps the dotted name of every leaf that was given to where it was given; ``notices`` are about those
    that do nothing any more or have another name."""

    settings: Settings
    sources: Mapping[str, str]
    notices: tuple[str, ...] = ()


def load(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    folder: Path | None = None,
) -> Loaded:
    """The settings of this deployment.

    ``file`` defaults to ``snowgauge.toml`` in ``folder`` (or the working directory) if there is one. ``flags`` are
    ``section.key=value``. Raises :class:`SettingsError` that lists every wrong key at once.
    """
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    errors: list[str] = []
    notices: list[str] = []

    def take(tree: dict[str, Any], source: str) -> None:
        notices.extend(_move(tree, source))
        _merge(merged, tree, sources, source)

    where = (environment or {}).get(ENVIRONMENT_NAME)
    if where is not None:  # Simple Snowplow's: anything but exactly "production" is development
        take(_tree(("sentry", "environment"), "prod" if where == "production" else "dev"), ENVIRONMENT_NAME)
    chosen = file or (folder or Path()) / DEFAULT_FILE
    if file is not None or chosen.is_file():
        take(_read_file(chosen), str(chosen))
    for name, path, text in _environment(environment or {}, errors):
        take(_tree(path, _from_text(path, text, name, errors)), name)
    for flag in flags:
        key, separator, text = flag.partition("=")
        if not separator:
            errors.append(f"--set {flag}: expected section.key=value")
            continue
        path = tuple(key.strip().split("."))
        take(_tree(path, _from_text(path, text, f"--set {key}", errors)), f"--set {key}")
    notices += _retire(merged, sources)
    if not errors:
        try:
            return Loaded(Settings.model_validate(merged), sources, tuple(notices))
        except ValidationError as error:
            errors.extend(_explain(error, sources))
    raise SettingsError("\n".join(errors))


def _retire(merged: dict[str, Any], sources: dict[str, str]) -> Iterator[str]:
    for path, instead in RETIRED.items():
        holder = merged
        for part in path[:-1]:
            inner = holder.get(part)
            holder = inner if isinstance(inner, dict) else {}
        if path[-1] in holder:
            del holder[path[-1]]
            name = ".".join(path)
            yield f"{name} (from {sources.pop(name)}) has no effect: {instead}"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def _environment(environment: Mapping[str, str], errors: list[str]) -> Iterator[tuple[str, Path_, str]]:
    """Sections first, leaves after them, so that a leaf is put over the section given as JSON."""
    found: list[tuple[str, Path_, str]] = []
    for name, text in environment.items():
        if not name.upper().startswith(PREFIX) or name.upper() == ENVIRONMENT_NAME:
            continue
        path = _variable_path(name)
        bare = _without_file(name)
        if bare is None or _annotation(path) is not None:
            found.append((name, path, text))
            continue
        if any(other.upper() == bare.upper() for other in environment):
            errors.append(f"{name}: {bare} is set too; set one of them")
            continue
        try:
            # the one line end that editors and `echo` add is not part of a secret
            content = Path(text).read_text("utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            errors.append(f"{name}: {text}: cannot be read: {reason}")
            continue
        found.append((name, _variable_path(bare), content))
    yield from sorted(found, key=lambda item: (len(item[1]), item[0]))


def _variable_path(name: str) -> Path_:
    return tuple(part.lower() for part in name[len(PREFIX) :].split("__"))


def _without_file(name: str) -> str | None:
    """The variable whose value a ``..._FILE`` or ``...__FILE`` holds the place of."""
    for ending in ("__FILE", "_FILE"):
        if name.upper().endswith(ending) and len(name) > len(PREFIX) + len(ending):
            return name[: -len(ending)]
    return None


def _merge(into: dict[str, Any], new: Mapping[str, Any], sources: dict[str, str], source: str, at: Path_ = ()) -> None:
    for given, value in new.items():
        key = _field_name(at, given)
        path = (*at, key)
        if isinstance(value, Mapping):
            inner = into.get(key)
            if not isinstance(inner, dict):
                inner = into[key] = {}
            _merge(inner, value, sources, source, path)
        else:
            into[key] = value
            sources[".".join(path)] = source


def _move(tree: dict[str, Any], source: str) -> Iterator[str]:
    """Put what has an old name under its new one, in what one place gave."""
    for old, new in MOVED.items():
        value: Any = tree
        for part in old:
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            continue
        holder = tree
        for part in old[:-1]:
            holder = holder[part]
        del holder[old[-1]]
        if old[-1] == "backend":
            value = "" if value == "spool" else f"{value}://"
        holder = tree
        for part in new[:-1]:
            holder = holder.setdefault(part, {})
        holder.setdefault(new[-1], value)
        yield f"{'.'.join(old)} (from {source}) is {'.'.join(new)} now; the old name is still taken"


def _field_name(at: Path_, given: str) -> str:
    """Snowplow's camelCase spelling and any letter case are the same setting; keys of maps stay as they are."""
    model = _model(_annotation(at))
    if model is None or given in model.model_fields:
        return given
    for name, field in model.model_fields.items():
        if given == field.alias or given.lower() == name:
            return name
    return given


def _tree(path: Path_, value: Any) -> dict[str, Any]:
    """One value where its path says."""
    tree: Any = value
    for part in reversed(path):
        tree = {part: tree}
    return dict(tree)


def _from_text(path: Path_, text: str, source: str, errors: list[str]) -> Any:
    """Text to what the field at ``path`` takes: JSON for sections, lists and maps, the text itself for the rest."""
    shapes = _shapes(_annotation(path))
    if not shapes & {"map", "list"} or text == "":
        return text
    stripped = text.strip()
    if stripped[:1] in "[{" and stripped:
        try:
            return json.loads(stripped)
        except ValueError as error:
            errors.append(f"{source}: expected JSON, found {_shorten(text)}: {error}")
            return None
    if "list" in shapes:
        return [part.strip() for part in text.split(",")]
    if "text" in shapes:
        return text
    errors.append(f'{source}: expected JSON such as {{"key": "value"}}, found {_shorten(text)}')
    return None


def _annotation(path: Path_) -> Any:
    here: Any = Settings
    for part in path:
        model = _model(here)
        if model is not None:
            field = model.model_fields.get(part)
            if field is None:
                return None
            here = field.annotation
        else:
            mapping = next((kind for kind in _flatten(here) if typing.get_origin(kind) is dict), None)
            if mapping is None:
                return None
            here = typing.get_args(mapping)[1]
    return here


def _flatten(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for item in typing.get_args(annotation):
            yield from _flatten(item)
    elif typing.get_origin(annotation) is typing.Annotated:
        yield from _flatten(typing.get_args(annotation)[0])
    else:
        yield annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    return next((kind for kind in _flatten(annotation) if _is_model(kind)), None)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _shapes(annotation: Any) -> set[str]:
    shapes = set()
    for kind in _flatten(annotation):
        origin = typing.get_origin(kind) or kind
        if _is_model(kind) or origin in (dict, Mapping):
            shapes.add("map")
        elif origin in (list, tuple, set, frozenset, Sequence):
            shapes.add("list")
        elif kind is not type(None):
            shapes.add("text")
    return shapes


def leaf_names() -> list[str]:
    """The dotted name of every setting."""
    return [".".join(path) for path, _ in walk_fields(Settings)]


def walk_fields(model: type[BaseModel], at: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every leaf field below a settings class, in order of definition."""
    for name, field in model.model_fields.items():
        inner = _model(field.annotation)
        if inner is not None:
            yield from walk_fields(inner, (*at, name))
        else:
            yield (*at, name), field


def _explain(error: ValidationError, sources: Mapping[str, str]) -> Iterator[str]:
    known = leaf_names()
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        source = next(
            (
                place
                for name, place in sources.items()
                if name == key or name.startswith(key + ".") or key.startswith(name + ".")
            ),
            "",
        )
        where = f" (from {source})" if source else ""
        if problem["type"] == "extra_forbidden":
            nearest = _nearest(key, known)
            hint = f"; did you mean {nearest}?" if nearest else "; `snowgauge settings` lists all of them"
            yield f"{key}: there is no such setting{where}{hint}"
        else:
            message = problem["msg"].removeprefix("Value error, ")
            seen = problem.get("input")
            shown = "" if "found" in message or not _may_show(key, seen) else f", found {_shorten(seen)}"
            yield f"{key}: {message}{shown}{where}"


def _nearest(key: str, known: Sequence[str]) -> str | None:
    candidates = {*known, *(name.rpartition(".")[0] for name in known if "." in name)}
    found = difflib.get_close_matches(key, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    last = key.rpartition(".")[2]
    by_last = {name.rpartition(".")[2]: name for name in known}
    found = difflib.get_close_matches(last, by_last, n=1, cutoff=0.75)
    return by_last[found[0]] if found else None


def _secret(key: str) -> bool:
    return any(kind is SecretStr for kind in _flatten(_annotation(tuple(key.split(".")))))


def _may_show(key: str, value: Any) -> bool:
    """Not what is a secret, nor a section, which may hold one."""
    return not _secret(key) and not isinstance(value, Mapping | BaseModel)


def refuse_secrets(flags: Sequence[str]) -> None:
    """Raises ``SettingsError`` for flags that hold a secret: every user of a machine can read its command lines."""
    for flag in flags:
        key, _, text = flag.partition("=")
        name = key.strip()
        bare = "://" in text and urlsplit(text).password is None
        if text and not bare and _secret(name):
            variable = PREFIX + name.upper().replace(".", "__")
            raise SettingsError(
                f"--set {name}: a secret does not belong on the command line, where every user of this machine can "
                f"read it; put it into {variable}, or into a file that {variable}_FILE names"
            )


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

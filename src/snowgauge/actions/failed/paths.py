"""Paths into the document of a failed event: ``event.data.items[*].price``, ``contexts[com.acme/user].data.id``.

Names are joined by dots; ``["a.b"]`` is a name with a dot in it. ``[2]`` is one element, ``[*]`` every element, and
``[vendor/name]`` (with ``/1-0-*`` or the like behind it, if wanted) the elements whose schema is of that name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from snowgauge.actions.failed.document import ROOTS
from snowgauge.errors import ActionRefused

_STEP = re.compile(
    r"\[(?P<quoted>\"(?:[^\"\\]|\\.)*\")\]|\[(?P<index>\d{1,9})\]|\[(?P<each>\*)\]|\[(?P<schema>[^\]\"]+/[^\]]+)\]"
    r"|(?P<dot>\.?)(?P<name>[^.\[\]]+)"
)


class Each(NamedTuple):
    """Every element of a list."""


class OfSchema(NamedTuple):
    """Elements of a list whose ``schema`` is of this name; ``version`` is a pattern."""

    name: str
    version: re.Pattern[str]


Step = str | int | Each | OfSchema


class Path(NamedTuple):
    """``text`` is how it was written."""

    text: str
    steps: tuple[Step, ...]

    @property
    def root(self) -> str:
        return str(self.steps[0])


def parse(text: str) -> Path:
    """Raises ``ActionRefused`` with what is wrong about it."""
    rest = text.removeprefix("$.")
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or (found["name"] is not None and bool(found["dot"]) != bool(steps)):
            raise ActionRefused(
                f"path {text!r}: cannot be read from {rest[at:]!r} on; write for instance event.data.id"
            )
        steps.append(_step(found, text))
        at = found.end()
    if not steps or steps[0] not in ROOTS:
        raise ActionRefused(f"path {text!r}: begin with one of {', '.join(ROOTS)}")
    return Path(text, tuple(steps))


def _step(found: re.Match[str], text: str) -> Step:
    if found["quoted"] is not None:
        try:
            return str(json.loads(found["quoted"]))
        except ValueError:
            raise ActionRefused(f"path {text!r}: {found['quoted']} is not a name in quotes") from None
    if found["index"] is not None:
        return int(found["index"])
    if found["each"] is not None:
        return Each()
    if found["schema"] is not None:
        vendor, name, *version = found["schema"].removeprefix("iglu:").replace("/jsonschema", "").split("/")
        pattern = re.escape(version[0]).replace(r"\*", r"\d+") if version else ".*"
        return OfSchema(f"{vendor}/{name}", re.compile(pattern))
    return found["name"]


class Place(NamedTuple):
    """Where something is or could be: ``holder[key]``."""

    holder: Any
    key: Any

    @property
    def there(self) -> bool:
        if isinstance(self.holder, dict):
            return self.key in self.holder
        return bool(self.key < len(self.holder))

    @property
    def value(self) -> Any:
        return self.holder[self.key]


def places(document: Any, path: Path, *, make: bool = False) -> list[Place]:
    """Every place of a path. Names that are not there are places too, in objects that are; with ``make``, objects
    on the way are made."""
    if len(path.steps) > 1 and document.get(path.steps[0]) is None:
        return []  # nothing is put into an event that there is not
    return list(_places(document, path.steps, make))


def _places(value: Any, steps: tuple[Step, ...], make: bool) -> Iterator[Place]:
    for place in _next(value, steps[0]):
        if len(steps) == 1:
            yield place
            continue
        if make and isinstance(steps[1], str) and isinstance(place.key, str) and not _filled(place):
            place.holder[place.key] = {}
        if place.there:
            yield from _places(place.value, steps[1:], make)


def _filled(place: Place) -> bool:
    return place.there and place.value is not None


def _next(value: Any, step: Step) -> Iterator[Place]:
    if isinstance(step, str):
        if isinstance(value, dict):
            yield Place(value, step)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(step, Each) or step == index or (isinstance(step, OfSchema) and _is_of(item, step)):
                yield Place(value, index)


def _is_of(item: Any, wanted: OfSchema) -> bool:
    uri = item.get("schema") if isinstance(item, dict) else None
    if not isinstance(uri, str):
        return False
    vendor, _, rest = uri.removeprefix("iglu:").partition("/")
    name, _, rest = rest.partition("/")
    return f"{vendor}/{name}" == wanted.name and wanted.version.fullmatch(rest.rpartition("/")[2]) is not None


def values(document: Any, path: Path) -> list[Any]:
    """What is there."""
    return [place.value for place in places(document, path) if place.there]

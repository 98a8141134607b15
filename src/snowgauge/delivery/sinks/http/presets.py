"""Presets: what is public about a destination's format, as data. Each is a file of ``presets/``, named by it."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import msgspec

_FOLDER = resources.files("snowgauge.delivery.sinks.http") / "presets"


class Preset(msgspec.Struct, forbid_unknown_fields=True):
    """``fields`` is the template of one event, ``body`` that of a request, with ``{events}`` for the list of its events
    and ``{item}`` for its first. ``events`` is how many a request holds, ``connections`` how many requests are under
    way at once. ``names`` are other names for events."""

    body: Any
    events: int
    url: str = ""
    fields: Any = "{event}"
    names: dict[str, str] = {}
    connections: int = 1


def names() -> list[str]:
    return sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml"))


def preset(name: str) -> Preset:
    """Raises ``KeyError`` for a name that is none."""
    if name not in names():
        raise KeyError(name)
    return msgspec.convert(tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")), Preset)

"""Drafts a schema from data: what was seen, with room to spare, for a person to look over.

Types, null, required properties, enumerations of few repeated texts, lengths, formats, ranges, items of arrays. Widths
and ranges are rounded up to those that warehouses have, so that the next value does not fail for being one longer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.formats import CALLBACKS
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA

_LENGTHS = (16, 32, 64, 128, 255, 512, 1024, 2048, 4096, 16384, 65535)
_INTEGERS = (32767, 2147483647, 9223372036854775807)
_ENUM_VALUES, _ENUM_LENGTH, _ENUM_REPEATS = 8, 40, 4
_DISTINCT = 50
_FORMATS = {
    "uuid": re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    "date-time": re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
                            r"(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"),
    "date": re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"),
    "ipv4": re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"),
    "email": re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    "uri": re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?"),
}  # fmt: skip
_WHOLE = ("uuid", "date-time", "date", "ipv4")
_MIN_FOR_FORMAT = 1


class _Seen:
    """What was seen at one place."""

    def __init__(self) -> None:
        self.count = 0
        self.types: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.longest = 0
        self.formats = set(_FORMATS)
        self.least = self.most = 0.0
        self.items: _Seen | None = None
        self.most_items = 0
        self.properties: dict[str, _Seen] = {}

    def add(self, value: Any) -> None:
        self.count += 1
        kind = _type_of(value)
        self.types[kind] += 1
        if kind == "string":
            self._add_text(value)
        elif kind in ("integer", "number"):
            numbers = self.types["integer"] + self.types["number"]
            self.least = value if numbers == 1 else min(self.least, value)
            self.most = value if numbers == 1 else max(self.most, value)
        elif kind == "array":
            self.most_items = max(self.most_items, len(value))
            for item in value:
                self.items = self.items or _Seen()
                self.items.add(item)
        elif kind == "object":
            for name, inner in value.items():
                self.properties.setdefault(name, _Seen()).add(inner)

    def _add_text(self, text: str) -> None:
        self.longest = max(self.longest, len(text))
        if len(self.texts) <= _DISTINCT:
            self.texts[text] += 1
        for name in list(self.formats):
            if not (_FORMATS[name].fullmatch(text) and CALLBACKS[name](text)):
                self.formats.discard(name)

    def schema(self) -> dict[str, Any]:
        kinds = [kind for kind in ("object", "array", "string", "integer", "number", "boolean") if self.types[kind]]
        if "integer" in kinds and "number" in kinds:
            kinds.remove("integer")
        out: dict[str, Any] = {}
        if "string" in kinds:
            out.update(self._text_rules(alone=len(kinds) == 1))
        if "integer" in kinds or "number" in kinds:
            out.update(self._range("integer" in kinds))
        if "array" in kinds:
            out["items"] = self.items.schema() if self.items is not None else {}
            out["maxItems"] = _up(max(1, self.most_items), (16, 64, 256, 1024, 65535))
        if "object" in kinds:
            out.update(self._object_rules())
        if self.types["null"] and "enum" in out:
            out["enum"] = [*out["enum"], None]
        names = [*kinds, *(["null"] if self.types["null"] else [])]
        shown = names[0] if len(names) == 1 else names
        return {"type": shown, **out} if names else out

    def _text_rules(self, *, alone: bool) -> dict[str, Any]:
        seen = self.types["string"]
        few = 1 < len(self.texts) <= _ENUM_VALUES and self.longest <= _ENUM_LENGTH and "" not in self.texts
        if alone and few and seen >= _ENUM_REPEATS * len(self.texts) and seen >= 2 * _ENUM_VALUES and not self.formats:
            return {"enum": sorted(self.texts)}
        rules: dict[str, Any] = {}
        for name in _FORMATS:
            if name in self.formats and seen >= _MIN_FOR_FORMAT:
                rules["format"] = name
                break
        if rules.get("format") not in _WHOLE:
            rules["maxLength"] = _up(2 * self.longest, _LENGTHS)
        return rules

    def _range(self, integers: bool) -> dict[str, Any]:
        size = max(abs(self.least), abs(self.most))
        bound: float = next((b for b in _INTEGERS if 2 * size <= b), _INTEGERS[-1])
        if size > bound:  # beyond 64 bits
            bound = size if not integers else int(size)
        return {"minimum": 0 if self.least >= 0 else -bound, "maximum": bound}

    def _object_rules(self) -> dict[str, Any]:
        objects = self.types["object"]
        rules: dict[str, Any] = {
            "properties": {name: inner.schema() for name, inner in self.properties.items()},
            "additionalProperties": False,
        }
        # there every time, and never null: what is required
        required = [
            name for name, inner in self.properties.items() if inner.count == objects and not inner.types["null"]
        ]
        if required:
            rules["required"] = required
        return rules


def infer(key: SchemaKey, instances: Iterable[Any], *, description: str = "") -> dict[str, Any]:
    """A self-describing schema that all instances fit. Raises ``ValueError`` when there are none."""
    seen = _Seen()
    for instance in instances:
        seen.add(instance)
    if not seen.count:
        raise ValueError("no data to draft a schema from")
    own = {"vendor": key.vendor, "name": key.name, "format": key.format, "version": key.version}
    text = description or f"Drafted from {seen.count} instance{'' if seen.count == 1 else 's'}"
    return {"$schema": IGLU_META_SCHEMA, "description": text, "self": own, **seen.schema()}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _up(size: int, steps: tuple[int, ...]) -> int:
    return next((step for step in steps if size <= step), max(size, steps[-1]))

"""What changed between two versions of a schema, and what data of the old one may not fit the new one.

SchemaVer: MODEL for changes that break, REVISION for those that may, ADDITION for those that cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

Effect = Literal["breaking", "compatible", "cosmetic"]
_COSMETIC = frozenset(["description", "title", "$comment", "examples", "default", "$schema", "self", "id"])
_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "minLength", "minItems", "minProperties")
_SAME = object()


class Change(msgspec.Struct, frozen=True):
    """One difference; ``pointer`` is its place. ``breaking``: data that was valid may not be any more."""

    effect: Effect
    pointer: str
    message: str


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """All differences, breaking ones first."""
    order = ("breaking", "compatible", "cosmetic")
    return sorted(_node(old, new, ""), key=lambda change: order.index(change.effect))


def needed_part(changes: list[Change]) -> Literal["model", "addition", "none"]:
    """Which part of the version these changes ask for."""
    if any(change.effect == "breaking" for change in changes):
        return "model"
    return "addition" if changes else "none"


def _node(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Change]:
    yield from _types(old, new, at)
    yield from _properties(old, new, at)
    yield from _required(old, new, at)
    yield from _bounds(old, new, at)
    yield from _enum(old, new, at)
    for keyword in sorted({*old, *new} - _HANDLED):
        before, after = old.get(keyword, _SAME), new.get(keyword, _SAME)
        if before == after:
            continue
        if keyword in _COSMETIC:
            if keyword not in ("self", "$schema"):
                yield Change("cosmetic", f"{at}/{keyword}", f"{keyword} is another")
        elif keyword == "items" and isinstance(before, dict) and isinstance(after, dict):
            yield from _node(before, after, f"{at}/items")
        elif keyword == "additionalProperties":
            yield from _additional(before, after, at)
        elif after is _SAME:
            yield Change("compatible", f"{at}/{keyword}", f"{keyword} is gone")
        else:
            yield Change("breaking", f"{at}/{keyword}", f"{keyword} {'came' if before is _SAME else 'is another'}")


_HANDLED = frozenset(["type", "properties", "required", "enum", *_UPPER, *_LOWER])


def _types(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Change]:
    before, after = _kinds(old), _kinds(new)
    if before == after:
        return
    if after is None:
        yield Change("compatible", f"{at}/type", "any type is allowed")
    elif before is None:
        yield Change("breaking", f"{at}/type", f"only {', '.join(sorted(after))} is allowed")
    else:
        lost = {kind for kind in before - after if not (kind == "integer" and "number" in after)}
        if lost:
            yield Change("breaking", f"{at}/type", f"{', '.join(sorted(lost))} is not allowed any more")
        if came := after - before:
            yield Change("compatible", f"{at}/type", f"{', '.join(sorted(came))} is allowed too")


def _kinds(schema: Mapping[str, Any]) -> frozenset[str] | None:
    kinds = schema.get("type")
    return None if kinds is None else frozenset([kinds] if isinstance(kinds, str) else kinds)


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Change]:
    before, after = old.get("properties") or {}, new.get("properties") or {}
    closed = new.get("additionalProperties") is False
    for name in before:
        if name not in after:
            effect: Effect = "breaking" if closed else "compatible"
            yield Change(effect, f"{at}/properties/{name}", f"the property {name} is gone")
        else:
            yield from _node(before[name], after[name], f"{at}/properties/{name}")
    for name in after:
        if name not in before:
            effect = "compatible" if old.get("additionalProperties") is False else "breaking"
            why = "" if effect == "compatible" else "; old data may hold anything under this name"
            yield Change(effect, f"{at}/properties/{name}", f"the property {name} came{why}")


def _required(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Change]:
    before, after = set(old.get("required") or ()), set(new.get("required") or ())
    for name in sorted(after - before):
        yield Change("breaking", f"{at}/required", f"{name} is required now")
    for name in sorted(before - after):
        yield Change("compatible", f"{at}/required", f"{name} is not required any more")


def _bounds(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Change]:
    for keyword in (*_UPPER, *_LOWER):
        before, after = old.get(keyword), new.get(keyword)
        if before == after:
            continue
        pointer = f"{at}/{keyword}"
        if after is None:
            yield Change("compatible", pointer, f"{keyword} {before} is gone")
        elif before is None or (after < before if keyword in _UPPER else after > before):
            yield Change("breaking", pointer, f"{keyword} is {after}, it was {'free' if before is None else before}")
        else:
            yield Change("compatible", pointer, f"{keyword} is {after}, it was {before}")


def _enum(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[Change]:
    before, after = old.get("enum"), new.get("enum")
    if before == after:
        return
    pointer = f"{at}/enum"
    if after is None:
        yield Change("compatible", pointer, "any value is allowed")
    elif before is None:
        yield Change("breaking", pointer, "only listed values are allowed")
    else:
        if lost := [value for value in before if value not in after]:
            yield Change("breaking", pointer, f"not allowed any more: {lost}")
        if came := [value for value in after if value not in before]:
            yield Change("compatible", pointer, f"allowed too: {came}")


def _additional(before: Any, after: Any, at: str) -> Iterator[Change]:
    if after is False:
        yield Change("breaking", f"{at}/additionalProperties", "other properties are not allowed any more")
    elif before is False:
        yield Change("compatible", f"{at}/additionalProperties", "other properties are allowed")
    elif isinstance(before, dict) or isinstance(after, dict):
        yield Change("breaking", f"{at}/additionalProperties", "what other properties may hold is another")

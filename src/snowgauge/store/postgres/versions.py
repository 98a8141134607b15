"""All available versions of a schema's model, with their documents: a table is laid out for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from snowgauge.errors import SchemaResolutionError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver


def documents(resolver: Resolver, keys: list[SchemaKey]) -> dict[SchemaKey, Mapping[str, Any]]:
    """The documents of one model's versions in ascending order, those of ``keys`` (of one model) among them.

    Raises ``SchemaResolutionError`` for one of ``keys`` that is not found. A registry that cannot list its versions (a
    plain web server such as Iglu Central) is asked for the lower ones one by one.
    """
    first = keys[0]
    out = {key: resolver.schema(key) for key in keys}
    known = resolver.versions(first.vendor, first.name, first.model)
    others = set(known)
    if not others.issuperset(keys):
        others.update(_lower(resolver, max(keys)))
    for key in others - out.keys():
        with suppress(SchemaResolutionError):
            out[key] = resolver.schema(key)
    return {key: out[key] for key in sorted(out)}


def _lower(resolver: Resolver, key: SchemaKey) -> Iterator[SchemaKey]:
    """Lower versions that exist: every addition of each revision up to the first that is missing."""
    for revision in range(key.revision + 1):
        for addition in range(key.addition if revision == key.revision else 1000):
            lower = SchemaKey(key.vendor, key.name, key.format, key.model, revision, addition)
            try:
                resolver.schema(lower)
            except SchemaResolutionError:
                break
            yield lower

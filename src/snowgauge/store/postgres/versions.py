"""The versions of schemas' models with their documents: a table is laid out for all of them.

Loading waits for no registry (docs/decisions/0009): the version that an event names is known from its validation. Other
versions are looked for beside that, and waited for only a moment. A table without the columns of one of them gets those
when the first event of that version comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from snowgauge.errors import SchemaResolutionError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.lookups import Allowance, Lookups

Documents = Mapping[SchemaKey, Mapping[str, Any]]

_PATIENCE = 1.0
"""Seconds that a batch waits for other versions of its new schemas at most."""
_SHARE = 0.05
"""Of all time that may go into such waits."""
_THREADS = 4


class Versions:
    """One per store. Not to be used from two threads at a time."""

    def __init__(self, resolver: Resolver, *, patience: float = _PATIENCE, share: float = _SHARE) -> None:
        self._resolver = resolver
        self._allowance = Allowance(patience, share)
        self._lookups = Lookups(self._look, _THREADS)
        self._others: dict[SchemaKey, Documents] = {}

    def look_for(self, keys: Iterable[SchemaKey]) -> None:
        """Look for the other versions of these keys' models. Returns when they are here or cannot be waited for."""
        models = {first_of(key): key for key in sorted(keys)}
        self._lookups.ask(models.values())
        with self._allowance.spent() as seconds:
            self._lookups.wait(models.values(), seconds)

    def documents(self, keys: Iterable[SchemaKey]) -> Documents:
        """The documents of one model in ascending order: those of ``keys``, and of its other versions that are here.

        Raises ``SchemaResolutionError`` for one of ``keys`` that is not found.
        """
        own = {key: self.document(key) for key in keys}
        others = self._others.get(first_of(next(iter(own))), {})
        return dict(sorted({**others, **own}.items()))

    def document(self, key: SchemaKey) -> Mapping[str, Any]:
        """The document of one version: known from validation, or else asked for. Raises ``SchemaResolutionError``."""
        known = self._resolver.known(key)
        return self._resolver.schema(key) if known is None else known

    def close(self) -> None:
        """Look for nothing more."""
        self._lookups.close()

    def _look(self, newest: SchemaKey) -> None:
        with suppress(SchemaResolutionError):
            self._others[first_of(newest)] = _others(self._resolver, newest)


def first_of(key: SchemaKey) -> SchemaKey:
    """The first version of a key's model, which stands for the model."""
    return SchemaKey(key.vendor, key.name, key.format, key.model, 0, 0)


def _others(resolver: Resolver, newest: SchemaKey) -> Documents:
    """Documents of all versions that a registry lists. One that cannot list its versions (a plain web server such as
    Iglu Central) is asked for those below ``newest`` one by one."""
    listed = set(resolver.versions(newest.vendor, newest.name, newest.model))
    if newest not in listed:
        listed.update(_lower(resolver, newest))
    found = {}
    for key in listed - {newest}:
        with suppress(SchemaResolutionError):
            found[key] = resolver.schema(key)
    return found


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

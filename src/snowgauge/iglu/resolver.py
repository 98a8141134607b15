"""Finds schemas in registries and keeps them (iglu-scala-client 4, Resolver and ResolverCache)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import inf
from threading import Lock
from typing import Any, NoReturn

import msgspec

from snowgauge.errors import RegistryOutage, SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.events.timestamps import instant_text
from snowgauge.iglu.registries.base import Refusal, Registry
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("iglu")

_MAX_ERRORS = 32
_WARN_EVERY = 10.0
"""Seconds between two warnings of registries that are unreachable: names are made up faster than anybody reads."""

_MISSES = 20
"""Missing schemas that are remembered for each that is kept: they take little room, and there are more of them."""


class Found:
    """A schema in the cache. ``schema`` is the document of the key; ``effective`` is the one that data is checked
    against: the same, or that of the version in ``superseded_by``. Until ``fresh_until`` nobody is asked about it.
    ``compiled`` belongs to the validator."""

    __slots__ = ("compiled", "effective", "fresh_until", "registry", "schema", "stored", "superseded_by")

    def __init__(
        self, schema: dict[str, Any], effective: dict[str, Any], superseded_by: str | None, registry: Registry
    ) -> None:
        self.schema = schema
        self.effective = effective
        self.superseded_by = superseded_by
        self.registry = registry
        self.stored = 0.0
        self.fresh_until = 0.0
        self.compiled: Any = None


class History(msgspec.Struct):
    """What one registry answered for one key so far. ``last`` is in seconds since the epoch."""

    errors: list[Refusal]
    attempts: int
    last: float


class _Failed:
    __slots__ = ("checked", "histories", "stored")

    def __init__(self, histories: dict[str, History], now: float) -> None:
        self.histories = histories
        self.stored = now
        self.checked = now


def retry_after(attempts: int) -> float:
    """Seconds to wait before a registry with a passing error is asked again (iglu-scala-client's backoff)."""
    if attempts > 20:
        return 60.0
    growth = 4**attempts if attempts <= 8 else 3**attempts if attempts <= 12 else 5000 + 2**attempts
    return float(min(500 + growth, 60_000)) / 1000


class IgluResolver:
    """The resolver over a list of registries. One lookup per key at a time; hits take no lock.

    Found and missing schemas are kept apart, so that invented names in hostile events cannot push out good schemas;
    of the missing ones those that are asked for again and again stay.
    """

    def __init__(
        self,
        registries: Sequence[Registry],
        *,
        cache_size: int = 500,
        cache_ttl: timedelta | None = None,
        folder_check: timedelta = timedelta(seconds=2),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.registries = tuple(registries)
        self._by_name = {registry.name: registry for registry in registries}
        self._ttl = None if cache_ttl is None else cache_ttl.total_seconds()
        self._size = 0 if self._ttl == 0 else cache_size
        self.caches = self._size > 0
        self._warned = float("-inf")
        self._folder_check = folder_check.total_seconds()
        self._clock = clock
        self._found: OrderedDict[SchemaKey, Found] = OrderedDict()
        self._failed: OrderedDict[SchemaKey, _Failed] = OrderedDict()
        self._lock = Lock()
        self._looking: dict[SchemaKey, list[Any]] = {}

    def schema(self, key: SchemaKey) -> dict[str, Any]:
        return self.find(key).schema

    def known(self, key: SchemaKey) -> dict[str, Any] | None:
        found = self.last_known(key) or self.at_hand(key)
        return None if found is None else found.schema

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        try:
            SchemaKey.parse(f"iglu:{vendor}/{name}/jsonschema/{model}-0-0")
        except SelfDescribingError:
            return []  # no such names exist; and they must not become paths
        return sorted({key for registry in self.registries for key in registry.versions(vendor, name, model)})

    def keys(self) -> list[SchemaKey]:
        return sorted(set().union(*(registry.keys() for registry in self.registries)))

    def cached(self, key: SchemaKey) -> Found | None:
        """The schema from the cache, where nobody needs to be asked about it."""
        found = self._found.get(key)
        if found is None or self._clock() >= found.fresh_until:
            return None
        try:  # noqa: SIM105 - six times an event: suppress costs more than the lookup
            self._found.move_to_end(key)
        except KeyError:
            pass  # another thread has dropped it just now
        return found

    def find(self, key: SchemaKey) -> Found:
        """The schema and the one that supersedes it. Raises as :meth:`schema` does."""
        found = self.cached(key)
        if found is not None:
            return found
        failed = self._failed.get(key)
        if failed is not None and not self._due(key, failed, self._clock()):
            self._raise(key, failed)
        with self._only_one(key):
            return self._look(key)

    def at_hand(self, key: SchemaKey) -> Found | None:
        """The schema as far as it is known without a request: from the cache, a folder or the package.

        ``None``: only a registry that is elsewhere can tell. Raises as :meth:`schema` does where it has told already.
        """
        cached = self.cached(key)
        if cached is not None:
            return cached
        now = self._clock()
        stale = self._found.get(key)
        failed = self._failed.get(key)
        if failed is None or now - failed.checked >= self._folder_check:
            for registry in self.order(key.vendor):
                if not registry.local:
                    break
                answer = self._read(registry, key)
                if isinstance(answer, Found):
                    return self._renewed(key, answer, stale, now)
            else:
                return self.find(key)  # nobody else is left to ask
            if failed is not None:
                failed.checked = now
        if failed is not None and not self._due(key, failed, now):
            with self._lock:
                if key in self._failed:
                    self._failed.move_to_end(key)
            self._raise(key, failed)
        return None

    def last_known(self, key: SchemaKey) -> Found | None:
        """A schema whose time in the cache is over, until its registry has been asked again."""
        return self._found.get(key)

    def history(self, key: SchemaKey, unasked: str) -> list[dict[str, Any]]:
        """What registries have answered for a key so far; of those not asked, ``unasked`` says why."""
        failed = self._failed.get(key)
        known = {} if failed is None else failed.histories
        now = self._clock()
        refusal = Refusal("ClientFailure", unasked)
        rest = {r.name: History([refusal], 0, now) for r in self.registries if not r.local and r.name not in known}
        return _as_json({**known, **rest})

    def clear(self) -> None:
        """Forget everything that was found or missed."""
        with self._lock:
            self._found.clear()
            self._failed.clear()

    def _checked(self, found: Found, now: float) -> None:
        """It is as its registry has it now."""
        expires = inf if self._ttl is None else found.stored + self._ttl
        found.fresh_until = min(expires, now + self._folder_check) if found.registry.volatile else expires

    def _due(self, key: SchemaKey, failed: _Failed, now: float) -> bool:
        return self._expired(failed, now) or bool(self._worth_asking(key, failed, now))

    def _expired(self, failed: _Failed, now: float) -> bool:
        return self._ttl is not None and now - failed.stored >= self._ttl

    def _worth_asking(self, key: SchemaKey, failed: _Failed, now: float) -> list[Registry]:
        """Registries whose answer may have changed since, in order."""
        asked = []
        for registry in self.order(key.vendor):
            history = failed.histories.get(registry.name)
            if history is None:
                asked.append(registry)
            elif registry.local:
                if registry.volatile and now - failed.checked >= self._folder_check:
                    asked.append(registry)
            elif all(e.error != "NotFound" for e in history.errors) and now - history.last > retry_after(
                history.attempts
            ):
                asked.append(registry)
        return asked

    def order(self, vendor: str) -> list[Registry]:
        """Registries in the order in which they are asked for a vendor's schemas."""
        return sorted(
            self.registries,
            key=lambda r: (not any(vendor.startswith(p) for p in r.vendor_prefixes), not r.local, r.priority),
        )

    @contextmanager
    def _only_one(self, key: SchemaKey) -> Iterator[None]:
        """Let one thread look for a key; the others wait and then find it in the cache."""
        with self._lock:
            turn = self._looking.setdefault(key, [Lock(), 0])
            turn[1] += 1
        try:
            with turn[0]:
                yield
        finally:
            with self._lock:
                turn[1] -= 1
                if not turn[1]:
                    del self._looking[key]

    def _look(self, key: SchemaKey) -> Found:
        now = self._clock()
        stale = self._found.get(key)
        if stale is not None:
            if now < stale.fresh_until:
                return stale
            if self._ttl is None or now - stale.stored < self._ttl:
                return self._check_folder(key, stale, now)
        failed = self._failed.get(key)
        if failed is None or self._size == 0:
            asked: Iterable[Registry] = self.order(key.vendor)
            histories: dict[str, History] = {}
        elif self._expired(failed, now):
            # absence is believed until the cache time is over; passing errors keep their count
            histories = {
                name: history
                for name, history in failed.histories.items()
                if all(e.error != "NotFound" for e in history.errors)
            }
            asked = self.order(key.vendor)
        else:
            asked = self._worth_asking(key, failed, now)
            histories = dict(failed.histories)
            if not asked:
                self._raise(key, failed)
        found = self._ask(key, asked, histories) or stale
        if found is None:
            self._miss(key, failed, histories, now)
        # where nobody answered, better the schema of before than none; its time starts again
        count("iglu_lookups", 1, result="found")
        return self._renewed(key, found, stale, now)

    def _renewed(self, key: SchemaKey, found: Found, stale: Found | None, now: float) -> Found:
        if stale is not None and (found.schema, found.effective) == (stale.schema, stale.effective):
            found.compiled = stale.compiled
        self._keep(key, found, now)
        return found

    def _miss(self, key: SchemaKey, before: _Failed | None, histories: dict[str, History], now: float) -> NoReturn:
        failed = _Failed(histories, now)
        if before is not None and not self._expired(before, now):
            failed.stored = before.stored
        with self._lock:
            if self._size:
                self._failed[key] = failed
                self._failed.move_to_end(key)
                while len(self._failed) > _MISSES * self._size:
                    self._failed.popitem(last=False)
        away = self._away(histories)
        count("iglu_lookups", 1, result="outage" if away else "missing")
        if away and before is None and now - self._warned >= _WARN_EVERY:
            self._warned = now
            silent = {name: h.errors[-1].message for name, h in histories.items() if h.errors[-1].away}
            log.warning("registry_unreachable", schema=key.uri, registries=silent)
        self._raise(key, failed)

    def _check_folder(self, key: SchemaKey, stale: Found, now: float) -> Found:
        """Look whether the file of a schema from a folder has changed; keep what we have when it cannot be read."""
        answer = self._read(stale.registry, key)
        if isinstance(answer, Refusal) and answer.error == "NotFound":
            with self._lock:
                self._found.pop(key, None)
            return self._look(key)
        if isinstance(answer, Refusal) or (answer.schema is stale.schema and answer.effective is stale.effective):
            self._checked(stale, now)
            return stale
        self._keep(key, answer, now)
        return answer

    def _keep(self, key: SchemaKey, found: Found, now: float) -> None:
        found.stored = now
        self._checked(found, now)
        with self._lock:
            self._failed.pop(key, None)
            if not self._size:
                return
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > self._size:
                self._found.popitem(last=False)

    def _ask(self, key: SchemaKey, asked: Iterable[Registry], histories: dict[str, History]) -> Found | None:
        for registry in asked:
            answer = self._read(registry, key)
            if isinstance(answer, Found):
                return answer
            known = histories.get(registry.name)
            if registry.local or known is None:
                histories[registry.name] = History([answer], 1, self._clock())
            else:
                errors = known.errors if answer in known.errors else [*known.errors, answer][-_MAX_ERRORS:]
                histories[registry.name] = History(errors, known.attempts + 1, self._clock())
        return None

    def _read(self, registry: Registry, key: SchemaKey) -> Found | Refusal:
        """A schema with the one that supersedes it: same registry, one hop only."""
        schema = registry.lookup(key)
        if isinstance(schema, Refusal):
            return schema
        if "$supersededBy" not in schema:
            return Found(schema, schema, None, registry)
        version = schema["$supersededBy"]
        if version is None:
            return Found(schema, schema, None, registry)
        try:
            newer = SchemaKey.parse(f"iglu:{key.vendor}/{key.name}/{key.format}/{version}")
        except SelfDescribingError:
            return Refusal("ClientFailure", f"Error while trying to decode superseding version: {version!r}")
        if newer <= key:
            return Refusal(
                "ClientFailure",
                f"Superseding version {newer.version} isn't greater than the version of schema {key.path}",
            )
        effective = registry.lookup(newer)
        if isinstance(effective, Refusal):
            return effective
        return Found(schema, effective, newer.version, registry)

    def _away(self, histories: dict[str, History]) -> bool:
        """Whether a registry that could have the schema has not given a clear answer yet."""
        central = [h for name, h in histories.items() if self._by_name[name].iglu_central]
        others = [h for name, h in histories.items() if not self._by_name[name].iglu_central]

        def silent(history: History) -> bool:
            return history.errors[-1].away and all(e.error != "NotFound" for e in history.errors)

        return any(silent(h) for h in others) or (bool(central) and all(silent(h) for h in central))

    def _raise(self, key: SchemaKey, failed: _Failed) -> NoReturn:
        kind = RegistryOutage if self._away(failed.histories) else SchemaResolutionError
        raise kind(key.uri, _as_json(failed.histories))


def _as_json(histories: dict[str, History]) -> list[dict[str, Any]]:
    """The ``lookupHistory`` of a bad row."""
    return [
        {
            "repository": name,
            "errors": [error.as_json() for error in known.errors],
            "attempts": known.attempts,
            "lastAttempt": instant_text(int(known.last * 1000)),
        }
        for name, known in sorted(histories.items())
    ]

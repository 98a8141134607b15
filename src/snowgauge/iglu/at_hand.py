"""Checks events against the schemas that are at hand; looks for the others meanwhile (docs/decisions/0009)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from snowgauge.errors import RegistryOutage, SchemaResolutionError
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.contract import Invalid, ValidSchema, unresolved
from snowgauge.iglu.lookups import Allowance, Lookups
from snowgauge.iglu.resolver import Found, IgluResolver
from snowgauge.iglu.settings import IgluSettings
from snowgauge.iglu.validation import IgluValidator
from snowgauge.telemetry.metrics import count

_SHARE = 0.05
"""Of a worker's time that may go into waiting for schemas."""

_LONG = 30.0
"""Seconds that a single event may wait where nothing else waits behind it."""

_LATE = "No answer in time: it is being asked; the event is recovered when the schema has come"
_TOO_MANY = "Not asked: the event, or its batch, names more unknown schemas than are looked for"


class Limits(msgspec.Struct, frozen=True):
    """How much is looked for. ``patience`` is in seconds; ``share`` is of all time that goes into waiting at most."""

    patience: float
    share: float
    per_event: int
    per_batch: int

    @staticmethod
    def of_batches(settings: IgluSettings) -> Limits:
        """For the pipeline, which is held up by nothing."""
        patience = settings.batch_patience.total_seconds()
        return Limits(patience, _SHARE, settings.unknown_per_event, settings.unknown_per_batch)

    @staticmethod
    def of_single_events(settings: IgluSettings) -> Limits:
        """For what is done event by event, where a person or a recovery can wait a while."""
        return Limits(_LONG, 1.0, settings.unknown_per_batch, settings.unknown_per_batch)


class ValidatorAtHand:
    """``contract.SchemasAtHand`` over a resolver. Not to be used from two threads at a time."""

    def __init__(
        self,
        resolver: IgluResolver,
        validator: IgluValidator,
        limits: Limits,
        *,
        threads: int = 8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._validator = validator
        self.per_event = limits.per_event
        self._per_batch = limits.per_batch
        self._clock = clock
        self._allowance = Allowance(limits.patience, limits.share, clock)
        self._lookups = Lookups(self._look, threads)
        self._asked: set[SchemaKey] = set()
        self._found: dict[SchemaKey, Found] = {}
        self._settled = False

    def try_check(self, item: SelfDescribing) -> ValidSchema | Invalid | None:
        if self._settled:
            self._begin()
        cached = self._resolver.cached(item.schema)
        return self._verdict(item) if cached is None else self._validator.judge(cached, item)

    def _begin(self) -> None:
        """The first question after a wait is the next batch's: nothing is spent of it yet."""
        self._settled = False
        self._asked.clear()
        self._found.clear()

    def _verdict(self, item: SelfDescribing) -> ValidSchema | Invalid | None:
        try:
            found = self._resolver.at_hand(item.schema) or self._meanwhile(item.schema)
        except RegistryOutage:
            raise
        except SchemaResolutionError as error:
            return unresolved(error.history)
        return None if found is None else self._validator.judge(found, item)

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        verdict = self._verdict(item)
        if verdict is not None:
            return verdict
        key = item.schema
        if key in self._asked:
            raise RegistryOutage(key.uri, self._resolver.history(key, _LATE))
        return unresolved(self._resolver.history(key, _TOO_MANY))

    def look_for(self, keys: Iterable[SchemaKey]) -> None:
        if self._settled:
            self._begin()
        new = [key for key in dict.fromkeys(keys) if key not in self._asked]
        taken = new[: min(self.per_event, self._per_batch - len(self._asked))]
        if len(taken) < len(new):
            count("iglu_lookups", len(new) - len(taken), result="refused")
        self._asked.update(taken)
        self._lookups.ask(taken)

    def settle(self) -> None:
        with self._allowance.spent() as seconds:
            self._lookups.wait(self._asked, seconds)
        self._settled = True

    def close(self) -> None:
        """Look for nothing more."""
        self._lookups.close()

    def _meanwhile(self, key: SchemaKey) -> Found | None:
        """The schema of before, while it is asked for again; or the one that a cache of no size does not keep."""
        known = self._resolver.last_known(key)
        if known is not None:
            self._lookups.ask([key])
            return known
        return self._found.get(key)

    def _look(self, key: SchemaKey) -> None:
        try:
            found = self._resolver.find(key)
        except SchemaResolutionError:
            return
        if not self._resolver.caches and len(self._found) < self._per_batch:
            self._found[key] = found

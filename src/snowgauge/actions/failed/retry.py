"""Failures for want of a schema cure themselves: once the schema is there, they are replayed.

That covers registries that were unreachable as well as schemas published late. Everything else waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from snowgauge.actions.failed.recover import Totals, recover
from snowgauge.actions.failed.replay import Replayer
from snowgauge.delivery.contract import Erasures
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.lookups import Lookups
from snowgauge.store.base import EventStore, Filter, Reader, Selection

_UNRESOLVED = (Filter("status", "in", ("open",)), Filter("message", "contains", ("Resolution error: schema",)))
_MOST = 10_000
_PER_RUN = 500
_THREADS = 8
_LONGEST = 120.0
"""Seconds that one run looks for schemas."""


class Turns:
    """Whose turn it is to be looked for: the schemas that most events wait for, and of the rest one after the other.

    Names that were made up are waited for as well. They must not keep a run from what sites use, nor make of each run
    as many requests as there are such names. Kept from run to run.
    """

    def __init__(self, per_run: int = _PER_RUN) -> None:
        self._per_run = per_run
        self._run = 0
        self._asked: dict[str, int] = {}

    def next(self, waiting: list[str]) -> list[str]:
        """Those of ``waiting``, which begins with the most wanted, that are looked for in this run."""
        self._run += 1
        self._asked = {uri: self._asked.get(uri, 0) for uri in waiting}
        often = self._per_run // 2
        rest = sorted(waiting[often:], key=self._asked.__getitem__)
        chosen = waiting[:often] + rest[: self._per_run - often]
        self._asked.update(dict.fromkeys(chosen, self._run))
        return chosen


def curable(store: Reader, resolver: Resolver, turns: Turns | None = None) -> list[str]:
    """Schemas that failed events wait for and that are available now."""
    buckets = store.count_by("failed", "schema", Selection(filters=_UNRESOLVED), limit=_MOST)
    waiting = (turns or Turns()).next([str(bucket.key) for bucket in buckets if bucket.key is not None])
    keys: dict[SchemaKey, str] = {}
    for uri in waiting:
        with suppress(SelfDescribingError):
            keys[SchemaKey.parse(uri)] = uri
    there: set[str] = set()

    def look(key: SchemaKey) -> None:
        with suppress(SchemaResolutionError):
            resolver.schema(key)
            there.add(keys[key])

    lookups = Lookups(look, _THREADS, len(keys))
    lookups.ask(keys)
    lookups.wait(keys, _LONGEST)
    lookups.close()
    return [uri for uri in waiting if uri in there]


def retry(
    store: EventStore,
    resolver: Resolver,
    enricher: Callable[[], Enricher],
    *,
    run: str,
    at: int,
    turns: Turns | None = None,
    gate: Callable[[], AbstractContextManager[None]] = nullcontext,
    erasures: Erasures | None = None,
) -> tuple[list[str], Totals]:
    """Replay what waits for schemas that are there now; ``enricher`` is asked for only when there is work, ``turns``
    are those of the run before."""
    schemas = curable(store, resolver, turns)
    if not schemas:
        return [], Totals()
    selection = Selection(filters=[*_UNRESOLVED, Filter("schema", "in", tuple(schemas))])
    return schemas, recover(store, Replayer(enricher()), selection, run=run, at=at, gate=gate, erasures=erasures)

"""Failures for want of a schema cure themselves: once the schema is there, they are replayed.

That covers registries that were away as well as schemas published late. Everything else waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from snowgauge.actions.failed.recover import Totals, recover
from snowgauge.actions.failed.replay import Replayer
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.store.base import EventStore, Filter, Reader, Selection, StoreBatch

_UNRESOLVED = (Filter("status", "in", ("open",)), Filter("message", "contains", ("Resolution error: schema",)))
_MOST = 10_000


def curable(store: Reader, resolver: Resolver) -> list[str]:
    """Schemas that failed events wait for and that can be had now."""
    waiting = store.count_by("failed", "schema", Selection(filters=_UNRESOLVED), limit=_MOST)
    return [str(bucket.key) for bucket in waiting if bucket.key is not None and _there(resolver, str(bucket.key))]


def _there(resolver: Resolver, uri: str) -> bool:
    try:
        resolver.schema(SchemaKey.parse(uri))
    except (SchemaResolutionError, SelfDescribingError):
        return False
    return True


def retry(
    store: EventStore,
    resolver: Resolver,
    enricher: Callable[[], Enricher],
    *,
    run: str,
    at: int,
    gate: Callable[[], AbstractContextManager[None]] = nullcontext,
    keep: Callable[[StoreBatch], StoreBatch] | None = None,
) -> tuple[list[str], Totals]:
    """Replay what waits for schemas that are there now; ``enricher`` is asked for only when there is work."""
    schemas = curable(store, resolver)
    if not schemas:
        return [], Totals()
    selection = Selection(filters=[*_UNRESOLVED, Filter("schema", "in", tuple(schemas))])
    return schemas, recover(store, Replayer(enricher()), selection, run=run, at=at, gate=gate, keep=keep)

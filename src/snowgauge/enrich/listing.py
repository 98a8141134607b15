"""What runs in a deployment, line by line, for ``enrichments list`` and the console."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from snowgauge.enrich.assets import AssetStatus
from snowgauge.enrich.configs import LoadedEnrichments
from snowgauge.enrich.enrichments import registry


class ListedEnrichment(msgspec.Struct, frozen=True):
    """One enrichment. ``assets`` are the files it reads, with their ages in seconds; ``why_off`` is empty when on."""

    runs_at: int
    name: str
    on: bool
    why_off: str
    source: str
    schema: str
    assets: tuple[AssetStatus, ...]


def listed(loaded: LoadedEnrichments, statuses: Sequence[AssetStatus]) -> list[ListedEnrichment]:
    """Every enrichment of a deployment, in the order of running, those that are off included.

    ``statuses`` are ``AssetCache.ages()`` of the cache that ``loaded`` was loaded with.
    """
    by_uri = {status.uri: status for status in statuses}
    return [
        ListedEnrichment(
            entry.runs_at,
            entry.name,
            entry.on,
            entry.why_off,
            entry.source,
            entry.schema,
            tuple(by_uri[uri] for uri in entry.assets if uri in by_uri),
        )
        for entry in loaded.entries
    ]


def not_configured(loaded: LoadedEnrichments) -> list[ListedEnrichment]:
    """The enrichments there are and that this deployment says nothing about, as lines that are off."""
    known = {entry.name for entry in loaded.entries}
    return [
        ListedEnrichment(found.runs_at, names[0].name, False, "not configured", "", str(names[0]), ())
        for found in registry.find().classes
        if (names := registry.criteria(found)) and known.isdisjoint(name.name for name in names)
    ]

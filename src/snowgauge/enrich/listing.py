"""What runs in a deployment, line by line, for ``enrichments list`` and the console."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from snowgauge.enrich.assets import AssetStatus
from snowgauge.enrich.configs import LoadedEnrichments


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

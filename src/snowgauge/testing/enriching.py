"""What a test of an enrichment needs: an event's source in one line, and assets held in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from snowgauge.enrich.enrichments.base import Asset, Enrichment, EnrichmentSource, Means
from snowgauge.errors import AssetError, EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tracker import TrackerEvent
from snowgauge.outgoing import HttpClient

T = TypeVar("T")


class HeldAsset(Generic[T]):
    """An asset whose value a test may change, as a refresh would."""

    def __init__(self, value: T) -> None:
        self.value = value


class HeldAssets:
    """Assets by URI, held in memory (files by path for ``get_file``). Anything else raises ``AssetError``."""

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self.contents = dict(contents or {})
        self.handed_out: dict[str, HeldAsset[Any]] = {}

    def get(self, uri: str, load: Callable[[bytes], T]) -> Asset[T]:
        if uri not in self.contents:
            raise AssetError(f"no asset at {uri}")
        asset = HeldAsset(load(self.contents[uri]))
        self.handed_out[uri] = asset
        return asset

    def get_file(self, uri: str, load: Callable[[Path], T]) -> Asset[T]:
        path = Path(uri.removeprefix("file://"))
        if not path.is_file():
            raise AssetError(f"no file at {uri}")
        asset = HeldAsset(load(path))
        self.handed_out[uri] = asset
        return asset

    def find(self, pattern: str) -> str | None:
        return next((uri for uri in sorted(self.contents) if Path(uri).match(pattern)), None)


def means_with(contents: Mapping[str, bytes] | None = None, **more: Any) -> Means:
    """Means of a deployment that may reach this machine, with assets held in memory."""
    more.setdefault("http", HttpClient(timeout=60, retries=0, allow_private_hosts=True))
    return Means(assets=HeldAssets(contents), allow_private_hosts=True, **more)


def source_with(
    *,
    parameters: Mapping[str, str | None] | None = None,
    page_query: Sequence[Sequence[str | None]] = (),
    headers: Sequence[str] | None = None,
    entities: Sequence[SelfDescribing] = (),
    etl_tstamp: int = 1_700_000_000_000,
    user_agent: str | None = None,
) -> EnrichmentSource:
    """The source of an event that brought exactly this."""
    payload = CollectorPayload(headers=list(headers) if headers is not None else None, user_agent=user_agent)
    tracker = TrackerEvent(dict(parameters or {}), "com.snowplowanalytics.snowplow", "tp2", payload)
    pairs = [(str(name), value) for name, value in page_query]
    return EnrichmentSource(tracker, pairs, list(entities), etl_tstamp)


def failures_of(enrichment: Enrichment, event: EnrichedEvent, source: EnrichmentSource) -> list[EnrichmentFailure]:
    """Every failure of one run, in order; none where it worked. What else it raises comes through."""
    try:
        enrichment.enrich(event, source)
    except EnrichmentFailure as failure:
        return [failure]
    except ExceptionGroup as group:
        matching, rest = group.split(EnrichmentFailure)
        if rest is not None or matching is None:
            raise
        return [failure for failure in matching.exceptions if isinstance(failure, EnrichmentFailure)]
    return []

"""Event fingerprint: one hash of what the tracker sent, for finding duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing

_ALGORITHMS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
_SEPARATOR = "\x1f"
_LONGEST_CACHED = 1000
"""Characters of all names together; trackers send a tenth of it, and longer ones cannot fill the memory."""


def _utf16_order(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


class EventFingerprint(Enrichment):
    """Hashes the parameters that the tracker sent, as they came, without the excluded ones.

    The parameters are taken in the order of their names (UTF-16 code units); of each, name and value are followed by
    U+001F; parameters without a value are skipped. The hash of the UTF-8 bytes, lower-case hex, is the fingerprint.
    Two events with the same fingerprint are the same event sent twice, when the parameters that change on a second
    try are excluded (``eid`` where a duplicate has its own id, ``stm``, and what the collector adds).

    Sets event_fingerprint. Attaches nothing and never fails. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow/event_fingerprint_config/jsonschema/1-0-*"
    identifier = "event-fingerprint"
    runs_at = PLACES["event_fingerprint_config"]
    fields = ("event_fingerprint",)
    default: ClassVar[dict[str, Any] | None] = {
        "hashAlgorithm": "MD5",
        "excludeParameters": ["eid", "nuid", "stm", "cv"],
    }
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/event_fingerprint_config/jsonschema/1-0-1",
        "data": {
            "name": "event_fingerprint_config",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {"excludeParameters": ["eid", "nuid", "stm", "cv"], "hashAlgorithm": "SHA256"},
        },
    }

    def __init__(self, algorithm: str, excluded: Sequence[str]) -> None:
        self._hash = getattr(hashlib, _ALGORITHMS[algorithm])
        self._excluded = frozenset(excluded)
        self._cached_order = lru_cache(maxsize=1000)(self._order)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> EventFingerprint:  # noqa: ARG003
        read = Parameters(parameters)
        return cls(read.choice("hashAlgorithm", _ALGORITHMS), read.texts("excludeParameters"))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        values = source.parameters
        # a tracker sends the same names in the same order again and again
        order = self._cached_order if len("".join(values)) <= _LONGEST_CACHED else self._order
        text = "".join([
            f"{name}{_SEPARATOR}{value}{_SEPARATOR}"
            for name in order(tuple(values))
            if (value := values[name]) is not None
        ])  # fmt: skip
        event.event_fingerprint = self._hash(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        return ()

    def _order(self, names: Iterable[str]) -> Sequence[str]:
        return sorted((name for name in names if name not in self._excluded), key=_utf16_order)

"""Event fingerprint: one hash of what the tracker sent, for finding duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing

_ALGORITHMS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
_SEPARATOR = "\x1f"


def _utf16_order(pair: tuple[str, str | None]) -> bytes:
    return pair[0].encode("utf-16-be", "surrogatepass")


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

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> EventFingerprint:  # noqa: ARG003
        read = Parameters(parameters)
        return cls(read.choice("hashAlgorithm", _ALGORITHMS), read.texts("excludeParameters"))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        excluded = self._excluded
        pairs = [pair for pair in source.parameters.items() if pair[1] is not None and pair[0] not in excluded]
        # names are ASCII nearly always, and then Python's order is the order of UTF-16 code units
        pairs.sort(key=None if all(name.isascii() for name, _ in pairs) else _utf16_order)
        text = "".join([f"{name}{_SEPARATOR}{value}{_SEPARATOR}" for name, value in pairs])
        event.event_fingerprint = self._hash(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        return ()

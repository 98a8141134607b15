"""HTTP header extractor: chosen headers of the request as entities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters, shown
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ENTITY = SchemaKey("org.ietf", "http_header", "jsonschema", 1, 0, 0)
_KNOWN_NAMES = 10_000


class HttpHeaderExtractor(Enrichment):
    """Attaches one ``org.ietf/http_header/jsonschema/1-0-0`` (name, value) for each header whose name matches.

    ``headersPattern`` is a regular expression that has to match the whole name. It is compared without regard to
    case: HTTP header names have none, and what a client wrote is changed by HTTP/2 and by proxies (enrich 6.10
    compares with regard to case, so that a pattern has to guess the spelling). The order is that of the request.

    Sets no column and never fails. A pattern that is no regular expression stops the start. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/http_header_extractor_config/jsonschema/1-0-*"
    identifier = "http-header-extractor"
    runs_at = PLACES["http_header_extractor_config"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/http_header_extractor_config/jsonschema/1-0-0",
        "data": {
            "name": "http_header_extractor_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {"headersPattern": "Referer|Sec-CH-UA.*"},
        },
    }

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._matches = pattern.fullmatch
        self._known: dict[str, bool] = {}

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> HttpHeaderExtractor:  # noqa: ARG003
        text = Parameters(parameters).text("headersPattern", empty=True)
        try:
            return cls(re.compile(text, re.IGNORECASE))
        except re.error as error:
            raise ValueError(
                f"parameters.headersPattern: expected a regular expression, found {shown(text)} ({error})"
            ) from None

    def _wanted(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= _KNOWN_NAMES:  # names are few; only an attack fills this
                self._known.clear()
            known = self._known[name] = self._matches(name) is not None
        return known

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        found = []
        for header in source.headers:
            name, colon, value = header.partition(":")
            if colon and self._wanted(name):
                found.append(SelfDescribing(ENTITY, {"name": name.strip(), "value": value.strip()}))
        return found

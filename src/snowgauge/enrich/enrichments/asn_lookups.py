"""ASN lookups: whether the network an address belongs to is one that bots come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from snowgauge.enrich.assets import joined
from snowgauge.enrich.enrichments.base import PLACES, Asset, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ASN = SchemaKey("com.snowplowanalytics.snowplow", "asn", "jsonschema", 1, 0, 1)
_PATTERN = "*bad-asn-list*.csv"


class AsnLookups(Enrichment):
    """Marks the asn entity that IP lookups attached: ``likelyBot`` is true when the number is listed.

    Listed are the numbers of ``botAsnsFile`` (CSV, a header line, the number before the first comma; the public
    ``bad-asn-list.csv`` has this form) and of ``botAsns``. Events of the platforms in ``bypassPlatforms`` stay as they
    are. It needs IP lookups with an ASN or ISP database. By default it is on when a file named ``*bad-asn-list*.csv``
    lies in the data folder's ``assets``.

    Sets no column. Replaces com.snowplowanalytics.snowplow/asn 1-0-1 in its place by one with ``likelyBot``. Never
    fails on an event; an unreadable list stops the start. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/asn_lookups/jsonschema/1-0-*"
    identifier = "asn-lookups"
    runs_at = PLACES["asn_lookups"]
    # without a list there is nothing to say by default; "found" is no key of the schema, so no file can set it
    default: ClassVar[dict[str, Any] | None] = {"found": True}
    default_needs = "list of networks in the data folder's assets"
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/asn_lookups/jsonschema/1-0-0",
        "data": {
            "name": "asn_lookups",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {
                "botAsns": [{"asn": 64496, "name": "Example hosting"}],
                "bypassPlatforms": ["srv", "iot"],
            },
        },
    }

    def __init__(
        self, numbers: frozenset[int], bypassed: frozenset[str], listed: Asset[frozenset[int]] | None = None
    ) -> None:
        self._numbers = numbers
        self._bypassed = bypassed
        self._listed = listed

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> AsnLookups | None:
        read = Parameters(parameters)
        if "found" in read:
            uri = means.assets.find(_PATTERN)
            return cls(frozenset(), frozenset(), means.assets.get(uri, read_numbers)) if uri else None
        listed = None
        if "botAsnsFile" in read:
            file = read["botAsnsFile"]
            listed = means.assets.get(joined(file.text("uri"), file.text("database")), read_numbers)
        numbers = [entry.integer("asn", 0, 2**31 - 1) for entry in read.items("botAsns")] if "botAsns" in read else []
        platforms = read.texts("bypassPlatforms") if "bypassPlatforms" in read else []
        return cls(frozenset(numbers), frozenset(platforms), listed)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        if event.platform in self._bypassed:
            return ()
        for place, entity in enumerate(source.entities):
            if entity.schema == ASN and isinstance(entity.data, dict):
                number = entity.data.get("number")
                listed = number in self._numbers or (self._listed is not None and number in self._listed.value)
                source.entities[place] = SelfDescribing(ASN, {**entity.data, "likelyBot": listed})
        return ()


def read_numbers(content: bytes) -> frozenset[int]:
    """The numbers of a list. Raises ``ValueError`` in enrich 6.10's words."""
    numbers = set()
    for line in content.decode("utf-8", "replace").splitlines()[1:]:
        text = line.partition(",")[0].strip()
        if not line.strip():
            continue
        try:
            numbers.add(int(text))
        except ValueError:
            raise ValueError(f'Failed to parse CSV file with ASNs. Error: For input string: "{text}"') from None
    return frozenset(numbers)

"""Campaign attribution: which campaign brought the visitor, from the query of the page URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tsv_text import tsv_safe

CLICK_IDS = {"gclid": "Google", "msclkid": "Microsoft", "dclid": "DoubleClick"}
"""Click-id parameters known without configuration, and the network that adds each."""

_COLUMNS = {
    "mktMedium": "mkt_medium",
    "mktSource": "mkt_source",
    "mktTerm": "mkt_term",
    "mktContent": "mkt_content",
    "mktCampaign": "mkt_campaign",
}


class CampaignAttribution(Enrichment):
    """Reads campaign parameters (``utm_source``, ``gclid``, ...) from the query of the page URL.

    For each of five columns the configuration lists query parameters; the first *listed* one that the URL has decides,
    even when it is empty (the column stays unset then). Names are compared with regard to case; of a parameter that
    occurs twice the last counts. A click id (``gclid``, ``msclkid``, ``dclid`` and those of ``mktClickId``, which may
    also rename the network of a known one) sets the click id and its network; the first known one in the order
    built-in, then configured, decides.

    Sets mkt_medium, mkt_source, mkt_term, mkt_content, mkt_campaign, mkt_clickid, mkt_network. Attaches nothing and
    never fails. ``mapping`` is accepted and ignored, as in enrich 6.10. With five click ids and more enrich takes
    them in the order of a hash table; here it is always the order of the configuration.

    Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow/campaign_attribution/jsonschema/1-0-*"
    identifier = "campaign-attribution"
    runs_at = PLACES["campaign_attribution"]
    fields = (*_COLUMNS.values(), "mkt_clickid", "mkt_network")
    default: ClassVar[dict[str, Any] | None] = {
        "mapping": "static",
        "fields": {
            "mktMedium": ["utm_medium"],
            "mktSource": ["utm_source"],
            "mktTerm": ["utm_term"],
            "mktContent": ["utm_content"],
            "mktCampaign": ["utm_campaign"],
        },
    }
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/campaign_attribution/jsonschema/1-0-1",
        "data": {
            "name": "campaign_attribution",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {
                "mapping": "static",
                "fields": {
                    "mktMedium": ["utm_medium", "medium"],
                    "mktSource": ["utm_source", "source"],
                    "mktTerm": ["utm_term"],
                    "mktContent": ["utm_content"],
                    "mktCampaign": ["utm_campaign"],
                    "mktClickId": {"gclid": "Google", "fbclid": "Meta"},
                },
            },
        },
    }

    def __init__(self, columns: Mapping[str, Sequence[str]], click_ids: Mapping[str, str]) -> None:
        self._columns = [(column, tuple(columns[column])) for column in columns]
        self._click_ids = tuple(click_ids.items())

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> CampaignAttribution:  # noqa: ARG003
        fields = Parameters(parameters)["fields"]
        networks: dict[str, str] = dict(CLICK_IDS)
        if "mktClickId" in fields:
            more = fields["mktClickId"]
            networks.update({name: more.text(name, empty=True) for name in more.values})
        return cls({column: fields.texts(key) for key, column in _COLUMNS.items()}, networks)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        if not source.page_query:
            return ()
        query = dict(source.page_query)
        for column, names in self._columns:
            for name in names:
                if name in query:
                    setattr(event, column, tsv_safe(query[name]))
                    break
        for name, network in self._click_ids:
            if name in query:
                event.mkt_clickid = tsv_safe(query[name])
                event.mkt_network = tsv_safe(network)
                break
        return ()

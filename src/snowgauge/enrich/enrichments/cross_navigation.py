"""Cross navigation: where a visitor came from, as the JavaScript tracker's ``_sp`` parameter tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.cross_domain import linker_of
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ENTITY = SchemaKey("com.snowplowanalytics.snowplow", "cross_navigation", "jsonschema", 1, 0, 0)


class CrossNavigation(Enrichment):
    """Reads the cross-domain linker ``_sp`` of the page URL: ``user.time.session.userid.source.platform.reason``.

    Sets refr_domain_userid and refr_dvce_tstamp (they are set on every event, also where this enrichment is off).
    Attaches one ``com.snowplowanalytics.snowplow/cross_navigation/jsonschema/1-0-0`` when the linker has both a user
    and a time. User id, source and reason are decoded from Base64, leniently.

    Fails, and sets nothing, when the time is not a number of milliseconds (field ``sp_dtm``: ``Not in the expected
    format: ms since epoch``) or lies outside the years 0 to 9999 (``Formatting as ... is not Redshift-compatible``).
    More than seven pieces count as no linker.

    Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/cross_navigation_config/jsonschema/1-0-*"
    identifier = "cross-navigation"
    runs_at = PLACES["cross_navigation_config"]
    fields = ("refr_domain_userid", "refr_dvce_tstamp")
    default: ClassVar[dict[str, Any] | None] = {}
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/cross_navigation_config/jsonschema/1-0-0",
        "data": {
            "name": "cross_navigation_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
        },
    }

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> CrossNavigation:  # noqa: ARG003
        return cls()

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        linker = linker_of(source.page_query)
        if linker.domain_user_id is not None:
            event.refr_domain_userid = linker.domain_user_id
        if linker.timestamp is not None:
            event.refr_dvce_tstamp = linker.timestamp
        if linker.domain_user_id is None or linker.timestamp is None:
            return ()
        return (SelfDescribing(ENTITY, linker.entity()),)

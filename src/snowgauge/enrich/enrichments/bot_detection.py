"""Bot detection: one verdict out of what other enrichments and the tracker found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ENTITY = SchemaKey("com.snowplowanalytics.snowplow", "bot_detection", "jsonschema", 1, 0, 1)
_YAUAA = SchemaKey("nl.basjes", "yauaa_context", "jsonschema", 1, 0, 5)
_IAB = SchemaKey("com.iab.snowplow", "spiders_and_robots", "jsonschema", 1, 0, 0)
_ASN = SchemaKey("com.snowplowanalytics.snowplow", "asn", "jsonschema", 1, 0, 1)
_CLIENT = SchemaKey("com.snowplowanalytics.snowplow", "client_side_bot_detection", "jsonschema", 1, 0, 0)
_ROBOT_DEVICES = ("Robot", "Robot Mobile", "Robot Imitator")
_ROBOT_AGENTS = ("Robot", "Robot Mobile")

Test = tuple[str, Callable[[dict[str, Any]], bool]]


class BotDetection(Enrichment):
    """Says whether an event looks like a bot's, and which of four indicators say so. It marks and never drops.

    ``yauaa``: the YAUAA entity's device or agent class is a robot. ``iab``: the IAB list knows it. ``asnLookups``: the
    address belongs to a network marked likelyBot. ``clientSideDetection``: the tracker's own detection said so. Each
    counts only when switched on and when its entity is attached; another enrichment has to attach it.

    Sets no column. Attaches com.snowplowanalytics.snowplow/bot_detection 1-0-1 to every event. Never fails. Source:
    enrich 6.10. By default all free sources are used, that is all but IAB's.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/bot_detection_enrichment_config/jsonschema/1-0-*"
    identifier = "bot-detection"
    runs_at = PLACES["bot_detection_enrichment_config"]
    default: ClassVar[dict[str, Any] | None] = {
        "useYauaa": True,
        "useIab": False,
        "useAsnLookups": True,
        "useClientSideDetection": True,
    }
    sample: ClassVar[dict[str, Any]] = {
        "schema": ("iglu:com.snowplowanalytics.snowplow.enrichments/bot_detection_enrichment_config/jsonschema/1-0-1"),
        "data": {
            "name": "bot_detection_enrichment_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {
                "useYauaa": True,
                "useIab": False,
                "useAsnLookups": True,
                "useClientSideDetection": True,
            },
        },
    }

    def __init__(self, *, yauaa: bool, iab: bool, asn: bool, client: bool) -> None:
        self._derived: dict[SchemaKey, Test] = {}
        if yauaa:
            self._derived[_YAUAA] = ("yauaa", _yauaa_says)
        if iab:
            self._derived[_IAB] = ("iab", lambda data: data.get("spiderOrRobot") is True)
        if asn:
            self._derived[_ASN] = ("asnLookups", lambda data: data.get("likelyBot") is True)
        self._sent: dict[SchemaKey, Test] = {}
        if client:
            self._sent[_CLIENT] = ("clientSideDetection", lambda data: data.get("bot") is True)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> BotDetection:  # noqa: ARG003
        read = Parameters(parameters)
        return cls(
            yauaa=read.flag("useYauaa"),
            iab=read.flag("useIab"),
            asn=read.flag("useAsnLookups"),
            client=read.flag("useClientSideDetection", default=False),
        )

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        # hits of the tracker's entities come first, each list in reverse (enrich 6.10)
        indicators = _hits(self._sent, event.contexts) + _hits(self._derived, source.entities)
        return (SelfDescribing(ENTITY, {"bot": bool(indicators), "indicators": indicators}),)


def _yauaa_says(data: dict[str, Any]) -> bool:
    return data.get("deviceClass") in _ROBOT_DEVICES or data.get("agentClass") in _ROBOT_AGENTS


def _hits(tests: dict[SchemaKey, Test], entities: Sequence[SelfDescribing]) -> list[str]:
    found: list[str] = []
    if tests:
        for entity in entities:
            test = tests.get(entity.schema)
            if test is not None and isinstance(entity.data, dict) and test[1](entity.data):
                found.append(test[0])
        found.reverse()
    return found

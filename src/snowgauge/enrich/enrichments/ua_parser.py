"""UA parser: what uap-core's rules make of the user agent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from snowgauge.enrich.assets import joined
from snowgauge.enrich.enrichments import user_agents
from snowgauge.enrich.enrichments.base import PLACES, Asset, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.enrich.enrichments.user_agents import Rules, UserAgent
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ENTITY = SchemaKey("com.snowplowanalytics.snowplow", "ua_parser_context", "jsonschema", 1, 0, 0)


class UaParser(Enrichment):
    """Reads browser, operating system and device family from the user agent by the rules of uap-core.

    The rules are those that ship with ua-parser, or the file ``database`` at ``uri`` in the format of uap-core's
    ``regexes.yaml``. Version texts are put together as uap-java does (``Safari 8.0``); what no rule matches is
    ``Other``. Rules newer than enrich's (uap-java 1.5.4) know newer browsers, so a family may differ from Snowplow's.

    Sets no column. Attaches com.snowplowanalytics.snowplow/ua_parser_context 1-0-0 whenever there is a user agent, even
    an empty one. Never fails on an event; an unreadable rules file stops the start. Source: enrich 6.10, uap-core.
    """

    config = "iglu:com.snowplowanalytics.snowplow/ua_parser_config/jsonschema/1-0-*"
    identifier = "ua-parser"
    runs_at = PLACES["ua_parser_config"]
    default: ClassVar[dict[str, Any] | None] = {}
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/ua_parser_config/jsonschema/1-0-1",
        "data": {
            "name": "ua_parser_config",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {},
        },
    }

    def __init__(self, rules: Rules, newest: Asset[Rules] | None = None) -> None:
        self._rules = rules
        self._newest = newest
        self._described = lru_cache(maxsize=user_agents.CACHED)(self._describe)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> UaParser:
        read = Parameters(parameters)
        if "uri" not in read and "database" not in read:
            return cls(user_agents.built_in())
        uri = joined(read.text("uri"), read.text("database"))
        asset = means.assets.get(uri, user_agents.from_yaml)
        return cls(asset.value, asset)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        text = user_agents.text_of(event, source)
        if text is None:
            return ()
        if self._newest is not None and self._newest.value is not self._rules:
            self._rules = self._newest.value
            self._described.cache_clear()
        return (SelfDescribing(ENTITY, self._described(text).copy()),)

    def _describe(self, text: str) -> dict[str, str | None]:
        return described(self._rules.parse(text))


def described(agent: UserAgent) -> dict[str, str | None]:
    """The entity's data: all twelve keys, null where absent."""
    return {
        "useragentFamily": agent.family,
        "useragentMajor": agent.major,
        "useragentMinor": agent.minor,
        "useragentPatch": agent.patch,
        "useragentVersion": _versioned(agent.family, agent.major, agent.minor, agent.patch),
        "osFamily": agent.os_family,
        "osMajor": agent.os_major,
        "osMinor": agent.os_minor,
        "osPatch": agent.os_patch,
        "osPatchMinor": agent.os_patch_minor,
        "osVersion": _versioned(agent.os_family, agent.os_major, agent.os_minor, agent.os_patch, agent.os_patch_minor),
        "deviceFamily": agent.device,
    }


def _versioned(family: str, major: str | None, *others: str | None) -> str:
    return family + (f" {major}" if major else "") + "".join(f".{other}" for other in others if other)

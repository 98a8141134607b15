"""Which events are a bot's: flagged, never dropped."""

from __future__ import annotations

import re
from functools import lru_cache

from snowgauge.modelling.entities import BOT_DETECTION, CLIENT_SIDE_BOT_DETECTION, IAB, YAUAA, entities

_DEVICES = frozenset(["Robot", "Robot Mobile", "Robot Imitator"])
_AGENTS = frozenset(["Robot", "Robot Mobile"])
_WORDS = re.compile(
    r"bot\b|bot[/;_ "
    "-]|crawl|slurp|spider|archiv|spinn|sniff|seo\b|audit|survey|pingdom|worm|screenshot|browsershots|analyz"
    r"|indexer|thumbnail|phantomjs|facebookexternalhit|bingpreview|semalt|headlesschrome|lighthouse|uptime|monitor"
    r"|python-requests|python-httpx|curl/|wget/|go-http-client|java/|okhttp/|libwww|scrapy|gptbot|claudebot|ccbot"
)
"""Words of Snowplow's packages, cut to those that do not name browsers or tools that people use, and programs."""


@lru_cache(maxsize=4_000)
def is_bot(derived_contexts: str, contexts: str, useragent: str) -> bool:
    """By what enrichments and trackers say of the event, else by the words of its user agent."""
    derived = entities(derived_contexts)
    for entity in derived.get(BOT_DETECTION, ()):
        if entity.get("bot") is True:
            return True
    for entity in derived.get(IAB, ()):
        if entity.get("spiderOrRobot") is True:
            return True
    for entity in derived.get(YAUAA, ()):
        if entity.get("deviceClass") in _DEVICES or entity.get("agentClass") in _AGENTS:
            return True
    for entity in entities(contexts).get(CLIENT_SIDE_BOT_DETECTION, ()):
        if entity.get("bot") is True:
            return True
    return bool(useragent) and _WORDS.search(useragent.lower()) is not None

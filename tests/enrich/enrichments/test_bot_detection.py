"""Bot detection together with what it looks at; its rules are in cases/."""

import pytest

from snowgauge.enrich.enrichments.asn_lookups import ASN
from snowgauge.enrich.enrichments.bot_detection import ENTITY, BotDetection
from snowgauge.enrich.enrichments.yauaa import Yauaa
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.iglu.contract import ValidSchema
from snowgauge.testing.enriching import means_with, source_with


@pytest.mark.parametrize(
    ("agent", "indicators"),
    [
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", ["yauaa"]),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)", ["yauaa"]),
        ("python-requests/2.31", ["yauaa"]),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", []),
        (None, []),
    ],
)  # fmt: skip
def test_by_default_user_agents_are_looked_at(agent, indicators, validator):
    event, source = EnrichedEvent(useragent=agent), source_with()
    for found in (Yauaa, BotDetection):
        source.entities[:0] = found.create(found.default, means_with()).enrich(event, source)
    assert source.entities[0].data == {"bot": bool(indicators), "indicators": indicators}
    assert validator.check(source.entities[0]) == ValidSchema()


def test_networks_count_by_default():
    source = source_with(entities=[SelfDescribing(ASN, {"number": 1, "likelyBot": True})])
    (entity,) = BotDetection.create(BotDetection.default, means_with()).enrich(EnrichedEvent(), source)
    assert (entity.schema, entity.data) == (ENTITY, {"bot": True, "indicators": ["asnLookups"]})


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) GSA/290 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 Chrome/112.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 9; CUBOT NOTE) AppleWebKit/537.36 Chrome/112.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; U; Android 12; zh-cn) Chrome/98 SogouMobileBrowser/5.28 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Chrome/120.0 Mobile Viber/21.0",
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36",
        "okhttp/4.9.2",
        "MyShop/3.2 CFNetwork/1408.0.4 Darwin/22.5.0",
        "Dart/2.19 (dart:io)",
    ],
)  # fmt: skip
def test_people_are_not_taken_for_bots(agent):
    event, source = EnrichedEvent(useragent=agent), source_with()
    for found in (Yauaa, BotDetection):
        source.entities[:0] = found.create(found.default, means_with()).enrich(event, source)
    assert source.entities[0].data["bot"] is False


@pytest.mark.parametrize("group", ["robot", "library", "headless"])
def test_every_pattern_of_the_list_works(group):
    """Plain words are looked for without a regular expression, and find what the expression would."""
    import json
    import re
    from importlib.resources import files

    from snowgauge.enrich.enrichments import user_agents

    lists = json.loads(files("snowgauge.enrich.enrichments").joinpath("bots.json").read_text("utf-8"))
    patterns = lists[{"robot": "robots", "library": "libraries", "headless": "headless"}[group]]
    words = getattr(user_agents.bot_words(), group)
    assert len(set(patterns)) == len(patterns)
    for pattern in patterns:
        assert pattern == pattern.lower()
        word = re.sub(r"\\(?:b|\.)", lambda m: "." if m[0] == "\\." else "", pattern).removeprefix("^")
        if re.fullmatch(r"[\w ./!-]+", word):
            assert words.found_in(word)
    assert not words.found_in("mozilla/5.0 (windows nt 10.0) firefox/121.0")

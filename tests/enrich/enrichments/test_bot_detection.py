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

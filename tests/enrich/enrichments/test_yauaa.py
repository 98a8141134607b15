"""Properties of the YAUAA-shaped entity that hold for every input; what common agents give is in cases/."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.yauaa import ENTITY, Yauaa, describe
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.iglu.contract import ValidSchema
from snowgauge.testing.enriching import means_with, source_with

PIECES = st.sampled_from(
    [
        "Mozilla/5.0", "(", ")", "; ", " ", "Windows NT 10.0", "Android 13", "Mobile", "Safari/537.36", "Chrome/",
        "120.0.0.0", "iPhone", "iPad", "rv:", "Gecko/20100101", "Trident/7.0", "bot", "compatible", "K)", "en-US",
        "http://", "a@b.example", "CrOS", "X11", "Linux", "PlayStation 4", "Version/", "999999999999",
    ]
)  # fmt: skip
AGENTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=20).map("".join))
HINTS = st.lists(
    st.tuples(
        st.sampled_from(["", "-Mobile", "-Platform", "-Platform-Version", "-Model", "-Full-Version-List", "-Arch"]),
        st.one_of(st.text(max_size=60), st.sampled_from(['"Windows"', '"Android"', "?1", '"15.0.0"', '"A";v="1"'])),
    ).map(lambda pair: f"Sec-CH-UA{pair[0]}: {pair[1]}"),
    max_size=4,
).map(tuple)


@settings(max_examples=150, deadline=None)
@given(AGENTS, HINTS)
def test_the_entity_is_always_valid(validator, agent, hints):
    data = describe(agent, hints)
    assert data["deviceClass"]
    assert validator.check(SelfDescribing(ENTITY, data)) == ValidSchema()


def test_hints_that_are_malformed_count_as_absent():
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
    assert describe(agent, ("Sec-CH-UA: ;;;", "Sec-CH-UA-Platform", "Sec-CH-UA-Mobile: yes")) == describe(agent, ())


@pytest.mark.parametrize("piece", ["Android ", "Mobile ", "Android Mobil", "a@", "[aa", "; aa-", "http://", "("])
def test_a_huge_user_agent_is_looked_at_up_to_a_length(piece):
    """Bounded work: a result for a megabyte equals that of its beginning."""
    enrichment = Yauaa.create({}, means_with())
    huge = piece * (1_000_000 // len(piece))
    (entity,) = enrichment.enrich(EnrichedEvent(useragent=huge), source_with(headers=[f"Sec-CH-UA: {huge}"]))
    assert entity.data == describe(huge[:2048], ())


@pytest.mark.parametrize(
    ("agent", "known"),
    [
        (
            "Mozilla/5.0 (Linux; U; Android 2.2; fr-fr; GT-P1000 Build/FROYO) AppleWebKit/533.1 (KHTML, like Gecko) "
            "Version/4.0 Mobile Safari/533.1",
            {"deviceClass": "Tablet", "agentVersion": "4.0", "operatingSystemVersionBuild": "FROYO"},
        ),
        ("Twitterbot/1.0", {"deviceBrand": "Twitter", "deviceName": "Twitter BOT", "layoutEngineName": "Twitterbot"}),
        (
            "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
            {"deviceName": "Anthropic ClaudeBot", "agentInformationEmail": "claudebot@anthropic.com"},
        ),
        (
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            {
                "operatingSystemName": "Microsoft Cloud",
                "layoutEngineNameVersion": "Bingbot 2.0",
                "agentName": "Bingbot",
            },
        ),
        ("Go-http-client/1.1", {"deviceName": "GO Http Client", "agentNameVersion": "Go http client 1.1"}),
        ("libwww-perl/6.67", {"deviceClass": "Robot", "agentName": "Libwww-Perl", "layoutEngineName": "libwww-perl"}),
        (
            "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 "
            "Safari/605.1.15",
            {"operatingSystemNameVersion": "PS5 OS 2.26", "operatingSystemClass": "Game Console"},
        ),
        ("Mozilla/5.0 (PlayStation Vita 3.61) AppleWebKit/537.73", {"deviceClass": "Game Console"}),
    ],
)
def test_agents_in_yauaas_shape(agent, known):
    """Compared with Yauaa 7.30."""
    data = describe(agent, ())
    assert {name: data.get(name) for name in known} == known

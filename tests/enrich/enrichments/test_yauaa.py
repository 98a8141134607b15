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

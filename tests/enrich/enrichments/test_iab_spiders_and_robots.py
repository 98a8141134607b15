"""The IAB list's decisions, over lists written here in its form."""

import pytest

from snowgauge.enrich.enrichments.iab_spiders_and_robots import IabSpidersAndRobots, read_addresses
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.enriching import failures_of, means_with, source_with

ADDRESSES = "203.0.113.0/24\n\n 198.51.100.9 \n2001:db8:0:0:0:0:0:1\n2001:db8::2\n"
INCLUDE = (
    '# a comment\nmozilla|1|1|\nOpera|1\noldbrowser|0|0|01/01/2020\nfuturebrowser|0|0|01/01/2100\n"quoted|name"|1|0|\n'
)
EXCLUDE = (
    "Googlebot|1||0|0|0|\nspider|1|goodspider, nicespider|0|1|0|\nadbot|1||0|2|1|\n"
    "goneagent|0||0|0|0|01/01/2020\nlaterbot|1||0|0|0|01/01/2100\nneverbot|0||0|0|0|\nbroken|1||0|7|0|\nshort|1\n"
)
NOW = 1_700_000_000_000
BROWSER = (False, "BROWSER", "PASSED_ALL", "NONE")


def robot(category, reason, impact="UNKNOWN"):
    return (True, category, reason, impact)


@pytest.fixture
def enrichment():
    return made()


def made(**more):
    base = "https://iab.example/"
    contents = {
        f"{base}ip_exclude_current_cidr.txt": ADDRESSES.encode("latin-1"),
        f"{base}include_current.txt": INCLUDE.encode("latin-1"),
        f"{base}exclude_current.txt": EXCLUDE.encode("latin-1"),
    }
    parameters = {
        "ipFile": {"database": "ip_exclude_current_cidr.txt", "uri": base},
        "includeUseragentFile": {"database": "include_current.txt", "uri": base},
        "excludeUseragentFile": {"database": "exclude_current.txt", "uri": base},
        **more,
    }
    return IabSpidersAndRobots.create(parameters, means_with(contents))


def verdict(enrichment, agent, address=None, moment=NOW):
    event = EnrichedEvent(useragent=agent, user_ipaddress=address, derived_tstamp=moment)
    (entity,) = enrichment.enrich(event, source_with())
    data = entity.data
    return data["spiderOrRobot"], data["category"], data["reason"], data["primaryImpact"]


@pytest.mark.parametrize(
    ("agent", "address", "expected"),
    [
        ("Mozilla/5.0 Firefox", "192.0.2.1", BROWSER),
        ("Mozilla/5.0 Firefox", None, BROWSER),
        (None, "192.0.2.1", BROWSER),
        ("   ", "192.0.2.1", BROWSER),
        ("Mozilla/5.0", "203.0.113.200", robot("SPIDER_OR_ROBOT", "FAILED_IP_EXCLUDE")),
        ("Mozilla/5.0", "198.51.100.9", robot("SPIDER_OR_ROBOT", "FAILED_IP_EXCLUDE")),
        ("Mozilla/5.0", "2001:db8::1", robot("SPIDER_OR_ROBOT", "FAILED_IP_EXCLUDE")),
        ("Mozilla/5.0", "2001:db8::2", BROWSER),  # a compressed entry never matches
        ("Mozilla/5.0", "not an address", BROWSER),
        ("curl/8", None, robot("SPIDER_OR_ROBOT", "FAILED_UA_INCLUDE")),
        ("x Mozilla/5.0", None, robot("SPIDER_OR_ROBOT", "FAILED_UA_INCLUDE")),  # a prefix is wanted
        ("my opera here", None, BROWSER),
        ("oldbrowser", None, robot("SPIDER_OR_ROBOT", "FAILED_UA_INCLUDE")),
        ("futurebrowser", None, BROWSER),
        ("a quoted|name", None, BROWSER),
        ("Mozilla GOOGLEBOT", None, robot("ACTIVE_SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", "PAGE_IMPRESSIONS")),
        ("Mozilla spider", None, robot("ACTIVE_SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", "AD_IMPRESSIONS")),
        ("Mozilla NiceSpider", None, BROWSER),
        ("Mozilla adbot", None, BROWSER),  # a prefix is wanted
        ("Mozilla goneagent", None, robot("INACTIVE_SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", "PAGE_IMPRESSIONS")),
        ("Mozilla laterbot", None, robot("ACTIVE_SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", "PAGE_IMPRESSIONS")),
        ("Mozilla neverbot", None, BROWSER),
    ],
)
def test_decision(enrichment, agent, address, expected):
    assert verdict(enrichment, agent, address) == expected


def test_the_event_s_date_decides(enrichment):
    in_2019 = 1_550_000_000_000
    assert verdict(enrichment, "oldbrowser", moment=in_2019) == BROWSER
    assert verdict(enrichment, "Mozilla goneagent", moment=in_2019)[1] == "ACTIVE_SPIDER_OR_ROBOT"
    assert verdict(enrichment, "Mozilla goneagent", moment=NOW)[1] == "INACTIVE_SPIDER_OR_ROBOT"


def test_own_lists_come_first():
    enrichment = made(includeUseragents=["MyApp"], excludeUseragents=["BadApp", "myapp/2"])
    assert verdict(enrichment, "myapp/2 googlebot", "203.0.113.1") == BROWSER
    assert verdict(enrichment, "Mozilla badapp") == robot("SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE")


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("Mozilla broken", "Invalid value of impression flag: '7'"),
        ("Mozilla short", "Invalid value of impression flag: ''"),
    ],
)
def test_a_damaged_record_fails_when_it_matches(enrichment, agent, message):
    event = EnrichedEvent(useragent=agent, derived_tstamp=NOW)
    (failure,) = failures_of(enrichment, event, source_with())
    assert isinstance(failure, EnrichmentFailure)
    assert failure.message == message


@pytest.mark.parametrize(
    "event",
    [
        EnrichedEvent(useragent="Mozilla"),
        EnrichedEvent(derived_tstamp=NOW),
        EnrichedEvent(useragent=" ", user_ipaddress="x", derived_tstamp=NOW),
    ],
)
def test_it_needs_a_date_and_something_to_look_at(enrichment, event):
    assert list(enrichment.enrich(event, source_with())) == []


def test_an_address_file_with_a_bad_network_is_refused():
    with pytest.raises(ValueError, match=r"line 2: '10.0.0.0/99' is not a network"):
        read_addresses(b"192.0.2.1\n10.0.0.0/99\n")

"""The referrer list that ships, lists of others, and lists in the data folder. Rules of the lookup are in cases/."""

import json

import pytest

from snowgauge.enrich.enrichments.referer_parser import RefererParser, as_map, built_in
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.enriching import means_with, source_with


def parsed(enrichment, host, query=None):
    event = EnrichedEvent(refr_urlscheme="https", refr_urlhost=host, refr_urlpath="/", refr_urlquery=query)
    enrichment.enrich(event, source_with())
    return event.refr_medium, event.refr_source, event.refr_term


def test_the_list_that_ships_is_broad():
    by_medium = {}
    for place, referer in built_in().items():
        by_medium.setdefault(referer.medium, set()).add(place.partition("/")[0])
    assert len(built_in()) > 1000
    assert {medium for medium, hosts in by_medium.items() if len(hosts) >= 40} == {
        "search", "social", "email", "paid", "chatbot", "unknown",
    }  # fmt: skip


def test_the_list_that_ships_fits_the_columns():
    for place, referer in built_in().items():
        assert len(referer.medium) <= 25
        assert len(referer.source) <= 50
        assert place == place.lower().strip()
        assert "." in place


def test_a_list_of_the_reference_s_shape_is_read():
    uri = "https://lists.example/referers-latest.json"
    content = {"search": {"Acme": {"domains": ["find.example"], "parameters": ["w"]}}}
    parameters = {"internalDomains": [], "uri": "https://lists.example", "database": "referers-latest.json"}
    enrichment = RefererParser.create(parameters, means_with({uri: json.dumps(content).encode()}))
    assert parsed(enrichment, "www.find.example", "w=x") == ("search", "Acme", "x")
    assert parsed(enrichment, "www.google.com") == ("unknown", None, None), "a configured list stands alone"


def test_a_list_in_the_data_folder_extends_the_one_that_ships():
    content = {"partner": {"Acme": {"domains": ["acme.example", "bing.com"]}}}
    means = means_with({"file:///data/assets/my-referers.json": json.dumps(content).encode()})
    enrichment = RefererParser.create(RefererParser.default, means)
    assert parsed(enrichment, "shop.acme.example") == ("partner", "Acme", None)
    assert parsed(enrichment, "www.bing.com") == ("partner", "Acme", None)
    assert parsed(enrichment, "www.google.com", "q=x") == ("search", "Google", "x")


def test_a_later_duplicate_counts():
    found = as_map({"a": {"One": {"domains": ["x.example"]}}, "b": {"Two": {"domains": ["x.example"]}}})
    assert found["x.example"].source == "Two"


def test_a_refreshed_list_is_used_from_the_next_event_on():
    uri = "https://lists.example/r.json"
    means = means_with({uri: b"{}"})
    enrichment = RefererParser.create(
        {"internalDomains": [], "uri": "https://lists.example", "database": "r.json"}, means
    )
    assert parsed(enrichment, "x.example")[0] == "unknown"
    means.assets.handed_out[uri].value = as_map({"social": {"X": {"domains": ["x.example"]}}})
    assert parsed(enrichment, "x.example") == ("social", "X", None)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "Can't decode referers: Referers json must be an object"),
        ({"search": []}, "medium 'search': expected an object of sources"),
        ({"search": {"X": {"domains": "x"}}}, "search / X: expected"),
    ],
)
def test_a_list_of_another_shape_is_refused(document, message):
    with pytest.raises(ValueError, match=message):
        as_map(document)

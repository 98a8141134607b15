"""Rules of one's own for the user agent; what the built-in ones give is in cases/."""

import pytest

from snowgauge.enrich.enrichments import user_agents
from snowgauge.enrich.enrichments.ua_parser import UaParser
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.enriching import means_with, source_with

RULES = r"""
user_agent_parsers:
  - regex: '(Acme)/(\d+)\.(\d+)\.(\d+)'
  - regex: '(Fixed)/(\d+)\.(\d+)\.(\d+)'
    v2_replacement: '7'
    v3_replacement: '9'
os_parsers:
  - regex: 'AcmeOS (\d+)'
    os_replacement: 'Acme OS'
    os_v1_replacement: '$1'
device_parsers:
  - regex: 'AcmePhone'
    device_replacement: 'Acme Phone'
"""
URI = {"uri": "https://rules.example", "database": "regexes.yaml"}


def described(text, means=None, enrichment=None):
    means = means or means_with({"https://rules.example/regexes.yaml": RULES.encode()})
    (entity,) = (enrichment or UaParser.create(URI, means)).enrich(EnrichedEvent(useragent=text), source_with())
    return entity.data


def test_rules_of_a_file():
    data = described("Acme/1.2.3 (AcmeOS 4; AcmePhone)")
    assert data["useragentVersion"] == "Acme 1.2.3"
    assert data["osVersion"] == "Acme OS 4"
    assert data["deviceFamily"] == "Acme Phone"


def test_replacements_are_read_as_uap_java_reads_them():
    data = described("Fixed/1.2.3")
    assert (data["useragentMajor"], data["useragentMinor"], data["useragentPatch"]) == ("1", "7", None)


def test_refreshed_rules_are_used_from_the_next_event_on():
    means = means_with({"https://rules.example/regexes.yaml": RULES.encode()})
    enrichment = UaParser.create(URI, means)
    assert described("New/1", enrichment=enrichment)["useragentFamily"] == "Other"
    newer = RULES.replace("user_agent_parsers:", "user_agent_parsers:\n  - regex: '(New)/(\\d+)'")
    (held,) = means.assets.handed_out.values()
    held.value = user_agents.from_yaml(newer.encode())
    assert described("New/1", enrichment=enrichment)["useragentVersion"] == "New 1"


@pytest.mark.parametrize(
    "content", [b"[1, 2]", b"user_agent_parsers: x", b"a: [", b"user_agent_parsers: [{family: x}]", b"\x00"]
)
def test_a_file_of_another_shape_is_refused(content):
    with pytest.raises(ValueError, match=r"expected|not YAML|not as expected"):
        user_agents.from_yaml(content)


def test_a_rule_that_does_not_compile_is_refused():
    with pytest.raises(ValueError, match="regex"):
        user_agents.from_yaml(b"user_agent_parsers: [{regex: '('}]")


def test_both_or_neither_of_database_and_uri():
    with pytest.raises(ValueError, match=r"parameters.database: expected a string, found nothing"):
        UaParser.create({"uri": "https://rules.example"}, means_with())


def test_an_empty_header_is_a_user_agent_and_a_missing_one_is_none():
    enrichment = UaParser.create({}, means_with())
    (entity,) = enrichment.enrich(EnrichedEvent(), source_with(user_agent=""))
    assert {name: value for name, value in entity.data.items() if value is not None} == {
        "useragentFamily": "Other",
        "useragentVersion": "Other",
        "osFamily": "Other",
        "osVersion": "Other",
        "deviceFamily": "Other",
    }
    assert enrichment.enrich(EnrichedEvent(), source_with()) == ()
    assert enrichment.enrich(EnrichedEvent(), source_with(user_agent="", parameters={"ua": ""})) == ()

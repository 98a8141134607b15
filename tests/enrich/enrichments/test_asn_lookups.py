"""ASN lookups: marks the asn entity of an earlier enrichment, in its place."""

import pytest

from snowgauge.enrich.enrichments.asn_lookups import ASN, AsnLookups, read_numbers
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.testing.enriching import means_with, source_with

OTHER = SelfDescribing(SchemaKey("com.acme", "x", "jsonschema", 1, 0, 0), {})
LIST = "ASN,Entity\n64500,Hosting \n 64501 ,Other\n"


def marked(parameters, data, platform=None, contents=None):
    enrichment = AsnLookups.create(parameters, means_with(contents))
    source = source_with(entities=[OTHER, SelfDescribing(ASN, data), OTHER])
    given = dict(data)
    assert list(enrichment.enrich(EnrichedEvent(platform=platform), source)) == []
    assert data == given, "the entity is replaced, not changed"
    assert [entity.schema for entity in source.entities] == [OTHER.schema, ASN, OTHER.schema]
    return source.entities[1].data


@pytest.mark.parametrize(
    ("parameters", "number", "likely"),
    [
        ({"botAsns": [{"asn": 64496}]}, 64496, True),
        ({"botAsns": [{"asn": 64496, "name": "x"}]}, 64497, False),
        ({}, 64496, False),
        ({"botAsnsFile": {"uri": "https://lists.example", "database": "bad.csv"}}, 64501, True),
        ({"botAsnsFile": {"uri": "https://lists.example/", "database": "bad.csv"}}, 64502, False),
        ({"botAsnsFile": {"uri": "https://lists.example", "database": "bad.csv"}, "botAsns": [{"asn": 1}]}, 1, True),
    ],
)
def test_likely_bot(parameters, number, likely):
    contents = {"https://lists.example/bad.csv": LIST.encode()}
    data = marked(parameters, {"number": number, "organization": "o"}, contents=contents)
    assert data == {"number": number, "organization": "o", "likelyBot": likely}


def test_platforms_that_are_bypassed_stay_as_they_are():
    parameters = {"botAsns": [{"asn": 1}], "bypassPlatforms": ["srv"]}
    assert marked(parameters, {"number": 1}, platform="srv") == {"number": 1}
    assert marked(parameters, {"number": 1}, platform="web") == {"number": 1, "likelyBot": True}


def test_only_the_exact_schema_is_marked():
    older = SelfDescribing(SchemaKey("com.snowplowanalytics.snowplow", "asn", "jsonschema", 1, 0, 0), {"number": 1})
    source = source_with(entities=[older])
    AsnLookups.create({"botAsns": [{"asn": 1}]}, means_with()).enrich(EnrichedEvent(), source)
    assert source.entities[0].data == {"number": 1}


def test_a_list_with_something_else_than_numbers_is_refused():
    with pytest.raises(ValueError, match=r'Failed to parse CSV file with ASNs\. Error: For input string: "AS1"'):
        read_numbers(b"ASN,Entity\nAS1,x\n")


def test_by_default_it_needs_a_list_in_the_data_folder():
    assert AsnLookups.create(AsnLookups.default, means_with()) is None
    found = AsnLookups.create(AsnLookups.default, means_with({"file:///d/bad-asn-list.csv": LIST.encode()}))
    source = source_with(entities=[SelfDescribing(ASN, {"number": 64500})])
    found.enrich(EnrichedEvent(), source)
    assert source.entities[0].data == {"number": 64500, "likelyBot": True}

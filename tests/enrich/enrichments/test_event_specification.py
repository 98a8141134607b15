"""Event specifications found from an event's schema, data and entities."""

import json

import pytest

from snowgauge.enrich.enrichments.event_specification import EventSpecification, load_specifications
from snowgauge.errors import AssetError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.testing.enriching import means_with, source_with

CLICK = "iglu:com.acme/click/jsonschema/1-0-0"
USER = "iglu:com.acme/user/jsonschema/1-0-0"
PAGE_VIEW = "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"
PAGE_PING = "iglu:com.snowplowanalytics.snowplow/page_ping/jsonschema/1-0-0"
SPECIFICATION = "iglu:com.snowplowanalytics.snowplow/event_specification/jsonschema/1-0-4"
URI = "file:///plans/specs.json"


def spec(identifier="one", schema=CLICK, **more):
    return {"id": identifier, "name": f"Name of {identifier}", "schemaKey": schema, "entities": [], **more}


def build(*specs, means=None):
    means = means or means_with({URI: json.dumps({"eventSpecs": list(specs)}).encode()})
    return EventSpecification.create({"uri": "file:///plans", "database": "specs.json", "more": 1}, means)


def item(schema, data=None):
    return SelfDescribing.parse({"schema": schema, "data": {} if data is None else data})


def click(data=None, entities=()):
    return EnrichedEvent(unstruct_event=item(CLICK, data), event_name="click", contexts=list(entities))


def found(enrichment, event):
    return [entity.data["id"] for entity in enrichment.enrich(event, source_with())]


def test_a_match_is_attached_with_its_version_where_it_has_one():
    enrichment = build(spec(version=3), spec("two"))
    assert [entity.as_json() for entity in enrichment.enrich(click(), source_with())] == [
        {"schema": SPECIFICATION, "data": {"id": "one", "name": "Name of one", "version": 3}},
        {"schema": SPECIFICATION, "data": {"id": "two", "name": "Name of two"}},
    ]


def test_of_versions_only_the_highest_takes_part_and_all_without_one():
    enrichment = build(
        spec(version=1), spec(version=3, constraint={"required": ["x"]}), spec(version=2), spec("two"), spec("two")
    )
    assert found(enrichment, click()) == ["two", "two"]
    assert found(enrichment, click({"x": 1})) == ["one", "two", "two"]


def test_the_schema_has_to_be_the_same():
    assert found(build(spec(schema="iglu:com.acme/click/jsonschema/1-0-1")), click()) == []


@pytest.mark.parametrize(("data", "ids"), [({"kind": "buy"}, ["one"]), ({"kind": "x"}, []), ({}, [])])
def test_the_data_has_to_fulfil_the_constraint(data, ids):
    constraint = {"type": "object", "properties": {"kind": {"enum": ["buy"]}}, "required": ["kind"]}
    assert found(build(spec(constraint=constraint)), click(data)) == ids


@pytest.mark.parametrize(
    ("entity", "users", "ids"),
    [
        ({}, [], ["one"]),
        ({}, [{}, {}], ["one"]),
        ({"minCardinality": 1}, [], []),
        ({"minCardinality": 1}, [{}], ["one"]),
        ({"minCardinality": 2}, [{}], []),
        ({"maxCardinality": 1}, [{}, {}], []),
        ({"minCardinality": 0, "maxCardinality": 0}, [], ["one"]),
        ({"minCardinality": None, "maxCardinality": None}, [{}], ["one"]),
        ({"constraint": {"required": ["id"]}}, [], ["one"]),
        ({"constraint": {"required": ["id"]}}, [{"id": 1}], ["one"]),
        ({"constraint": {"required": ["id"]}}, [{"id": 1}, {}], []),
    ],
)
def test_entities_have_to_be_as_many_and_as_constrained(entity, users, ids):
    event = click(entities=[item("iglu:com.acme/other/jsonschema/1-0-0"), *(item(USER, user) for user in users)])
    assert found(build(spec(entities=[{"schemaKey": USER, **entity}])), event) == ids


@pytest.mark.parametrize(("name", "schema"), [("page_view", PAGE_VIEW), ("page_ping", PAGE_PING)])
def test_page_views_and_pings_are_seen_as_events_of_their_columns(name, schema):
    enrichment = build(
        spec(
            schema=schema,
            constraint={"properties": {"page_urlpath": {"enum": ["/cart"]}, "page_title": {"type": "null"}}},
        )
    )
    assert found(enrichment, EnrichedEvent(event_name=name, page_urlpath="/cart")) == ["one"]
    assert found(enrichment, EnrichedEvent(event_name=name, page_urlpath="/")) == []
    assert found(enrichment, EnrichedEvent(event_name=name, page_urlpath="/cart", page_title="x")) == []


def test_only_pings_have_offsets():
    constraint = {"required": ["pp_xoffset_min", "pp_xoffset_max", "pp_yoffset_min", "pp_yoffset_max"]}
    enrichment = build(spec("view", PAGE_VIEW, constraint=constraint), spec("ping", PAGE_PING, constraint=constraint))
    assert found(enrichment, EnrichedEvent(event_name="page_view")) == []
    assert found(enrichment, EnrichedEvent(event_name="page_ping")) == ["ping"]


@pytest.mark.parametrize("name", ["event", "transaction", None])
def test_other_events_are_left_alone(name):
    assert found(build(spec(), spec("two", PAGE_VIEW)), EnrichedEvent(event_name=name)) == []


def test_an_event_that_names_its_specification_is_left_alone():
    named = item("iglu:com.snowplowanalytics.snowplow/event_specification/jsonschema/2-0-0", {"id": "x"})
    assert found(build(spec()), click(entities=[named])) == []


def test_a_refreshed_file_counts_from_the_next_event_on():
    means = means_with({URI: json.dumps({"eventSpecs": [spec()]}).encode()})
    enrichment = build(means=means)
    means.assets.handed_out[URI].value = load_specifications(json.dumps({"eventSpecs": [spec("new")]}).encode())
    assert found(enrichment, click()) == ["new"]


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"[]",
        b'{"eventSpecs": [{"id": "x"}]}',
        json.dumps({"eventSpecs": [spec(schema="click")]}).encode(),
        json.dumps({"eventSpecs": [spec(constraint={"type": "nonsense"})]}).encode(),
        json.dumps({"eventSpecs": [spec(version="1")]}).encode(),
    ],
)
def test_a_file_that_is_none_stops_the_start(content):
    with pytest.raises(ValueError, match="Failed to parse event specs file: "):
        build(means=means_with({URI: content}))


def test_a_file_that_is_not_there_stops_the_start():
    with pytest.raises(AssetError):
        build(means=means_with())


@pytest.mark.parametrize("name", ["uri", "database"])
def test_wrong_parameters_are_named(name):
    with pytest.raises(ValueError, match=f"parameters.{name}: expected a string, found 5"):
        EventSpecification.create({"uri": "file:///plans", "database": "x", name: 5}, means_with())

"""The validator over a real resolver: outcomes, superseded schemas, hostile data."""

import json
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.errors import RegistryOutage
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.build import build
from snowgauge.iglu.compiled import SchemaIssues, compile_schema
from snowgauge.iglu.contract import Invalid, ValidSchema
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.registries.http import HttpRegistry
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.settings import IgluSettings
from snowgauge.iglu.validation import IgluValidator, check_data

CS = "iglu:com.snowplowanalytics.snowplow"
UUID = "3d7a1c52-6c2c-4d5e-9c0c-6f3f8a1c2b4d"


def datum(uri, data):
    return SelfDescribing(SchemaKey.parse(uri), data)


@pytest.fixture
def offline(tmp_path):
    """What a fresh installation has with no network at all."""
    return build(IgluSettings(iglu_central=False), tmp_path)[1]


@pytest.fixture
def folder(tmp_path, clock):
    made = IgluValidator(IgluResolver([FolderRegistry(tmp_path, name="here")], clock=clock))

    def put(version, schema):
        file = tmp_path / "com.acme" / "cart" / "jsonschema" / version
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(schema))

    made.put = put
    return made


def cart(data, version="1-0-0"):
    return datum(f"iglu:com.acme/cart/jsonschema/{version}", data)


def test_a_stock_page_view_needs_no_network(offline):
    """Everything that the JavaScript tracker sends with a page view by default, and with its usual options."""
    web_page = {"schema": f"{CS}/web_page/jsonschema/1-0-0", "data": {"id": UUID}}
    session = {
        "schema": f"{CS}/client_session/jsonschema/1-0-2",
        "data": {
            "userId": UUID,
            "sessionId": UUID,
            "sessionIndex": 1,
            "eventIndex": 1,
            "previousSessionId": None,
            "storageMechanism": "COOKIE_1",
            "firstEventId": UUID,
            "firstEventTimestamp": "2024-05-01T10:00:00.000Z",
        },
    }
    event = {"e": "pv", "p": "web", "tv": "js-4.6.8", "eid": UUID, "dtm": "1714557600000", "stm": "1714557600000"}
    for item in (
        datum(f"{CS}/payload_data/jsonschema/1-0-4", [event]),
        datum(f"{CS}/contexts/jsonschema/1-0-0", [web_page, session]),
        datum(web_page["schema"], web_page["data"]),
        datum(session["schema"], session["data"]),
    ):
        assert offline.check(item) == ValidSchema()


def test_every_bundled_schema_is_usable(tmp_path):
    resolver, validator = build(IgluSettings(iglu_central=False), tmp_path)
    listed = resolver.keys()
    assert len(listed) > 100
    for key in listed:
        outcome = validator.check(SelfDescribing(key, {}))
        assert isinstance(outcome, ValidSchema) or "dataReports" in outcome.error, (key.uri, outcome)


def test_invalid_data(offline):
    assert offline.check(datum(f"{CS}/web_page/jsonschema/1-0-0", {"id": 5})) == Invalid(
        {
            "error": "ValidationError",
            "dataReports": [
                {
                    "message": "$.id: integer found, string expected",
                    "path": "$.id",
                    "keyword": "type",
                    "targets": ["integer", "string"],
                }
            ],
        }
    )


def test_an_unknown_schema(offline):
    outcome = offline.check(datum("iglu:com.acme/none/jsonschema/1-0-0", {}))
    assert outcome.error["error"] == "ResolutionError"
    assert [h["repository"] for h in outcome.error["lookupHistory"]] == ["Iglu Client Embedded", "Local schemas"]
    assert all(h["errors"] == [{"error": "NotFound"}] for h in outcome.error["lookupHistory"])


def test_an_unusable_schema(folder):
    folder.put("1-0-0", {"type": "text", "properties": {"a": True}})
    outcome = folder.check(cart({}))
    assert set(outcome.error) == {"error", "schemaIssues"}
    assert {issue["path"] for issue in outcome.error["schemaIssues"]} >= {"$.properties.a"}


def test_an_outage_is_not_an_outcome(clock):
    registry = HttpRegistry("http://127.0.0.1:1", max_retry=0)
    with pytest.raises(RegistryOutage):
        IgluValidator(IgluResolver([registry], clock=clock)).check(cart({}))
    registry.close()


def test_a_superseded_schema_checks_with_the_newer_one(folder):
    folder.put("1-0-0", {"$supersededBy": "1-0-1", "required": ["old"]})
    folder.put("1-0-1", {"required": ["new"]})
    assert folder.check(cart({"new": 1})) == ValidSchema("1-0-1")
    outcome = folder.check(cart({"old": 1}))
    assert outcome.error["supersededBy"] == "1-0-1"
    assert outcome.error["dataReports"][0]["targets"] == ["new"]
    assert folder.check(cart({"new": 1}, "1-0-1")) == ValidSchema()


def test_a_broken_superseding_schema_names_itself(folder):
    folder.put("1-0-0", {"$supersededBy": "1-0-1"})
    folder.put("1-0-1", {"type": "text"})
    assert folder.check(cart({})).error["supersededBy"] == "1-0-1"


def test_a_schema_is_compiled_once_while_it_is_unchanged(folder, clock, tmp_path):
    """Asking registries again does not compile again; a changed file takes effect."""
    folder.put("1-0-0", {"type": "object"})
    assert folder.check(cart({})) == ValidSchema()
    resolver = folder._resolver
    compiled = resolver.find(cart({}).schema).compiled
    clock.move(10)
    assert resolver.find(cart({}).schema).compiled is compiled
    folder.put("1-0-0", {"type": "array"})
    clock.move(10)
    assert isinstance(folder.check(cart({})), Invalid)


def test_compilation_survives_the_cache_time(server, clock):
    server.put(cart({}).schema.uri, {"type": "object"})
    registry = HttpRegistry(server.uri)
    resolver = IgluResolver([registry], cache_ttl=timedelta(seconds=60), clock=clock)
    validator = IgluValidator(resolver)
    validator.check(cart({}))
    compiled = resolver.find(cart({}).schema).compiled
    clock.move(60)
    assert resolver.find(cart({}).schema).compiled is compiled
    assert len(server.requests) == 2
    registry.close()


class Spelt(float):
    """A number that remembers how it was written, as the JSON reader of events makes them."""


class Long(int):
    """The same for integers."""


@pytest.mark.parametrize(
    ("schema", "data", "valid"),
    [
        ({"type": "number"}, Spelt(1.1), True),
        ({"type": "integer"}, Spelt(1000.0), False),
        ({"type": "integer"}, Long(10**30), True),
        ({"properties": {"a": {"items": {"maximum": 2}}}}, {"a": [Spelt(1.5), Long(3)]}, False),
        ({"type": "number"}, float("inf"), True),
        ({"maximum": 5}, Spelt("inf"), False),
        ({"minimum": 5}, Spelt("-inf"), False),
        ({"type": "integer"}, 10**5000, True),
        ({"type": "integer"}, -(10**400), True),
        ({"type": "string", "maxLength": 2}, "a\ud800", True),
        ({"type": "string", "maxLength": 2}, "a\ud800\udc00", False),
        ({"additionalProperties": False}, {"\ud800": 1}, False),
        ({"type": "string"}, "\x00", True),
    ],
    ids=range(13),
)
def test_values_at_the_edges(schema, data, valid):
    assert (check_data(compile_schema(schema, 50), data, 50) == []) is valid


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
RULES = [
    {"type": ["object", "null"], "properties": {"a": {"type": "string", "format": "email"}}, "required": ["a"]},
    {"anyOf": [{"type": "integer"}, {"pattern": "^(a|b)+$"}, {"items": {"$ref": "#"}}], "uniqueItems": True},
    {"oneOf": [{"minimum": 3}, {"multipleOf": 0.01}], "not": {"enum": [1, "x", None]}, "nullable": True},
    {
        "additionalProperties": {"$ref": "#/definitions/x"},
        "definitions": {"x": {"format": "date-time", "maxLength": 3}},
    },
    {"items": [{"type": "boolean"}], "additionalItems": False, "minItems": 2, "dependencies": {"a": ["b"]}},
    {"patternProperties": {"^\\p{L}": {"type": "number"}}, "additionalProperties": False, "pattern": "^.++$"},
]
COMPILED = [compile_schema(schema, 50) for schema in RULES]


@pytest.mark.parametrize("rules", COMPILED, ids=range(len(RULES)))
@given(data=JSON)
def test_no_data_makes_validation_raise(rules, data):
    """Whatever JSON holds: a list of complete reports, which can be written into a bad row."""
    reports = check_data(rules, data, 6)
    for report in reports:
        assert report.message
        assert report.path.startswith(("$", "/"))
    json.dumps([report.as_json() for report in reports])


WORDS = st.sampled_from(
    ["type", "properties", "items", "pattern", "$ref", "enum", "format", "required", "anyOf", "not", "definitions",
     "patternProperties", "dependencies", "additionalProperties", "maxLength", "minimum", "nullable", "string", "(",
     "#", "#/definitions/a", "a", "object", "$schema", "multipleOf", "exclusiveMinimum"]
)  # fmt: skip
SCHEMAS = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)


@given(schema=SCHEMAS, data=JSON)
def test_no_schema_makes_validation_raise(schema, data):
    """A schema is usable or has issues; a usable one checks anything."""
    try:
        rules = compile_schema(schema, 50)
    except SchemaIssues:
        return
    check_data(rules, data, 50)


@given(text=st.text(st.sampled_from("ab[]()^$.*+?{}\\|&-,0dDsSpLQE<>:=!ik ")))
def test_no_pattern_makes_compilation_raise(text):
    try:
        rules = compile_schema({"pattern": text, "patternProperties": {text: {}}}, 50)
    except SchemaIssues:
        return
    check_data(rules, "ab", 50)
    check_data(rules, {"ab": 1}, 50)


@given(data=st.recursive(st.integers(0, 1), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_depth_is_that_of_the_deepest_value(data):
    def depth(value):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + max((depth(each) for each in inner), default=0)

    rules = compile_schema({}, 50)
    assert check_data(rules, data, depth(data)) == []
    assert check_data(rules, data, depth(data) - 1) != []


def test_a_number_as_orjson_reads_it():
    rules = compile_schema({"type": "integer"}, 50)
    assert [bool(check_data(rules, orjson.loads(text), 50)) for text in ("1", "1.0", "1e3", "-0")] == [
        False,
        True,
        True,
        False,
    ]

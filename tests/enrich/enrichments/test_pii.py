"""PII inside JSON, what is refused, and the record of changes. Columns: ``cases/pii.json``."""

import hashlib
from copy import deepcopy

import pytest

from snowgauge.enrich.enrichments.pii import PiiPseudonymization
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.testing.enriching import means_with, source_with

ACCOUNT = "iglu:com.acme/account/jsonschema/1-0-2"
OTHER = "iglu:com.acme/other/jsonschema/1-0-0"
SALT = "pepper"


def hashed(value):
    return hashlib.sha256((value + SALT).encode()).hexdigest()


def inside(path, field="contexts", criterion="iglu:com.acme/account/jsonschema/1-*-*"):
    return {"json": {"field": field, "schemaCriterion": criterion, "jsonPath": path}}


def build(*pii, **more):
    strategy = {"pseudonymize": {"hashFunction": "SHA-256", "salt": SALT}}
    return PiiPseudonymization.create({"pii": list(pii), "strategy": strategy, **more}, means_with())


def item(data, schema=ACCOUNT):
    return SelfDescribing.parse({"schema": schema, "data": data})


DATA = {
    "email": "a@b.c",
    "age": 5,
    "flag": True,
    "none": None,
    "phones": ["1", 2, ["3"], {"n": "4"}],
    "address": {"city": "Oslo", "geo": {"lat": "59"}},
    "people": [{"name": "Ann", "role": "x"}, {"name": "Bob", "role": "y"}],
}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("$.email", {"email": hashed("a@b.c")}),
        ("$.['email', 'gone', 'age']", {"email": hashed("a@b.c")}),
        ("$.gone", {}),
        ("$.gone.deeper", {}),
        ("$.age", {}),
        ("$.flag", {}),
        ("$.none", {}),
        ("$.address", {}),
        ("$.phones", {"phones": [hashed("1"), 2, ["3"], {"n": "4"}]}),
        ("$.phones[*].n", {"phones": ["1", 2, ["3"], {"n": hashed("4")}]}),
        ("$.phones[0]", {"phones": [hashed("1"), 2, ["3"], {"n": "4"}]}),
        ("$.address.*", {"address": {"city": hashed("Oslo"), "geo": {"lat": "59"}}}),
        ("$..lat", {"address": {"city": "Oslo", "geo": {"lat": hashed("59")}}}),
        ("$.people[?(@.role == 'y')].name", {"people": [DATA["people"][0], {"name": hashed("Bob"), "role": "y"}]}),
        ("$['people'][0:1]['name']", {"people": [{"name": hashed("Ann"), "role": "x"}, DATA["people"][1]]}),
    ],
)
@pytest.mark.parametrize("field", ["unstruct_event", "contexts", "derived_contexts"])
def test_text_and_direct_text_elements_are_replaced(field, path, changes):
    one, other = item(deepcopy(DATA)), item(deepcopy(DATA), OTHER)
    event, source = EnrichedEvent(), source_with()
    if field == "unstruct_event":
        event.unstruct_event = one
    elif field == "contexts":
        event.contexts = [other, one, item(deepcopy(DATA))]
    else:
        source.entities = [other, one, item(deepcopy(DATA))]

    assert build(inside(path, field)).enrich(event, source) == ()

    if field == "unstruct_event":
        assert event.unstruct_event.data == {**DATA, **changes}
    else:
        items = event.contexts if field == "contexts" else source.entities
        assert [entity.data for entity in items] == [DATA, {**DATA, **changes}, {**DATA, **changes}]
    assert one.data == DATA


def test_locators_work_on_the_result_of_the_one_before():
    event = EnrichedEvent(contexts=[item({"email": "x"})])
    build(inside("$.email"), inside("$.*")).enrich(event, source_with())
    assert event.contexts[0].data == {"email": hashed(hashed("x"))}


def test_an_entity_without_personal_data_stays_as_it_was_written():
    entity = item({"n": 1.1})
    entity.literal = '{"n":1.10}'
    event = EnrichedEvent(contexts=[entity])
    build(inside("$.email"), inside("$.n")).enrich(event, source_with())
    assert event.contexts[0].literal == '{"n":1.10}'


def test_a_replaced_entity_is_written_anew():
    entity = item({"email": "x"})
    entity.literal = '{"email":"x"}'
    event = EnrichedEvent(contexts=[entity])
    build(inside("$.email")).enrich(event, source_with())
    assert event.contexts[0].json_text() == f'{{"schema":"{ACCOUNT}","data":{{"email":"{hashed("x")}"}}}}'


def test_data_that_is_itself_text_or_an_array():
    event = EnrichedEvent(contexts=[item("x"), item(["x", 1])])
    build(inside("$")).enrich(event, source_with())
    assert [entity.data for entity in event.contexts] == [hashed("x"), [hashed("x"), 1]]


def test_the_record_of_changes_lists_the_last_one_first_and_is_left_only_on_request():
    pii = [{"pojo": {"field": "user_id"}}, {"pojo": {"field": "se_label"}}, inside("$.['a', 'b']")]

    def run(emit, **columns):
        source = source_with()
        event = EnrichedEvent(contexts=[item({"a": "1", "b": "2"})] if columns else [], **columns)
        build(*pii, emitEvent=emit).enrich(event, source)
        return source.outer

    assert run(False, user_id="u") == {}
    assert run(True) == {}
    record = run(True, user_id="u", se_label="l")["pii"]
    place = {"jsonPath": "$.['a', 'b']", "schema": ACCOUNT}
    assert record.as_json() == {
        "schema": "iglu:com.snowplowanalytics.snowplow/pii_transformation/jsonschema/1-0-0",
        "data": {
            "pii": {
                "pojo": [
                    {"fieldName": "se_label", "originalValue": "l", "modifiedValue": hashed("l")},
                    {"fieldName": "user_id", "originalValue": "u", "modifiedValue": hashed("u")},
                ],
                "json": [
                    {"fieldName": "contexts", "originalValue": "2", "modifiedValue": hashed("2"), **place},
                    {"fieldName": "contexts", "originalValue": "1", "modifiedValue": hashed("1"), **place},
                ],
            },
            "strategy": {"pseudonymize": {"hashFunction": "SHA-256"}},
        },
    }


@pytest.mark.parametrize(
    ("pii", "text"),
    [
        ({"pojo": {"field": "app_id"}}, "The specified pojo field app_id is not supported"),
        (inside("$.a", "payload"), "The specified json field payload is not supported"),
        (inside("$.a", criterion="iglu:x"), "Could not parse schema criterion iglu:x"),
        ({"other": 1}, "PII Configuration: pii field does not include 'pojo' nor 'json' fields. Got: "),
        (inside("$.a["), r"parameters.pii\[0\].json.jsonPath: JSONPath '\$.a\[': expected a name in quotes"),
    ],
)
def test_what_cannot_work_is_refused(pii, text):
    with pytest.raises(ValueError, match=text):
        build(pii)


def test_an_unknown_hash_function_is_refused():
    with pytest.raises(ValueError, match=r"Unknown function CRC32 \(.*expected one of MD2, MD5, SHA-1, "):
        PiiPseudonymization.create(
            {"pii": [], "strategy": {"pseudonymize": {"hashFunction": "CRC32", "salt": ""}}}, means_with()
        )

"""The grammar of Iglu's names, versions, criteria and self-describing data (iglu-scala-core 1.1)."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.errors import SelfDescribingError
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey, SelfDescribing


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("iglu:com.acme/cart/jsonschema/1-0-0", ("com.acme", "cart", "jsonschema", 1, 0, 0)),
        ("iglu:com.acme-x_Y.1/a-b_C/json-schema_2/10-20-30", ("com.acme-x_Y.1", "a-b_C", "json-schema_2", 10, 20, 30)),
        ("iglu:a/b/c/2147483647-2147483647-2147483647", ("a", "b", "c", 2**31 - 1, 2**31 - 1, 2**31 - 1)),
        (f"iglu:{'v' * 128}/{'n' * 128}/c/1-0-0", ("v" * 128, "n" * 128, "c", 1, 0, 0)),
        (f"iglu:a/b/{'f' * 200}/1-0-0", ("a", "b", "f" * 200, 1, 0, 0)),
        ("iglu:../b/c/1-0-0", ("..", "b", "c", 1, 0, 0)),
    ],
)
def test_a_uri_names_a_key(uri, parts):
    key = SchemaKey.parse(uri)
    assert (key.vendor, key.name, key.format, key.model, key.revision, key.addition) == parts
    assert key.uri == str(key) == uri


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("iglu:a/b/c/0-0-0", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/1-0-000000", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/01-0-0", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/1-01-0", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/1--", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/--", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/1-0-", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/2147483648-0-0", "INVALID_SCHEMAVER"),
        ("iglu:a/b/c/1-0-99999999999", "INVALID_SCHEMAVER"),
        (f"iglu:a/b/c/1-0-{'9' * 5000}", "INVALID_SCHEMAVER"),
        ("", "INVALID_IGLUURI"),
        ("iglu:", "INVALID_IGLUURI"),
        ("com.acme/cart/jsonschema/1-0-0", "INVALID_IGLUURI"),
        ("IGLU:a/b/c/1-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-0-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1.0.0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-?-?", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-0-*", "INVALID_IGLUURI"),
        ("iglu:a/b/c/-1-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-0-0 ", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-0-0\n", "INVALID_IGLUURI"),
        (" iglu:a/b/c/1-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/١-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b.c/c/1-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c.d/1-0-0", "INVALID_IGLUURI"),
        ("iglu:ä/b/c/1-0-0", "INVALID_IGLUURI"),
        ("iglu:a b/b/c/1-0-0", "INVALID_IGLUURI"),
        ("iglu://b/c/1-0-0", "INVALID_IGLUURI"),
        ("iglu:a/b/c/1-0-0/", "INVALID_IGLUURI"),
        ("iglu:a/b/1-0-0", "INVALID_IGLUURI"),
        (f"iglu:{'v' * 129}/b/c/1-0-0", "INVALID_IGLUURI"),
        (f"iglu:a/{'n' * 129}/c/1-0-0", "INVALID_IGLUURI"),
    ],
    ids=range(33),
)
def test_what_is_not_a_uri(uri, code):
    """A wrong version in the shape of one has a code of its own."""
    for _ in range(2):
        with pytest.raises(SelfDescribingError) as refused:
            SchemaKey.parse(uri)
        assert refused.value.code == code


@given(st.text())
def test_any_text_is_a_uri_or_refused(text):
    for uri in (text, "iglu:" + text, "iglu:a/b/c/" + text):
        try:
            key = SchemaKey.parse(uri)
        except SelfDescribingError:
            continue
        assert key.uri == uri


def test_keys_order_by_version():
    texts = ["1-0-0", "1-0-2", "1-0-10", "1-2-0", "1-10-0", "2-0-0", "10-0-0"]
    keys = [SchemaKey.parse(f"iglu:a/b/c/{text}") for text in texts]
    assert all(lower < higher for lower, higher in pairwise(keys))


@pytest.mark.parametrize(
    ("criterion", "uri", "matches"),
    [
        ("iglu:a/b/c/1-0-*", "iglu:a/b/c/1-0-7", True),
        ("iglu:a/b/c/1-0-*", "iglu:a/b/c/1-1-0", False),
        ("iglu:a/b/c/1-*-*", "iglu:a/b/c/1-9-9", True),
        ("iglu:a/b/c/1-*-*", "iglu:a/b/c/2-0-0", False),
        ("iglu:a/b/c/*-*-*", "iglu:a/b/c/9-9-9", True),
        ("iglu:a/b/c/1-*-3", "iglu:a/b/c/1-7-3", True),
        ("iglu:a/b/c/1-*-3", "iglu:a/b/c/1-7-4", False),
        ("iglu:a/b/c/1-0-0", "iglu:a/b/c/1-0-0", True),
        ("iglu:a/b/c/*-*-*", "iglu:A/b/c/1-0-0", False),
        ("iglu:a/b/c/*-*-*", "iglu:a/x/c/1-0-0", False),
        ("iglu:a/b/c/*-*-*", "iglu:a/b/x/1-0-0", False),
    ],
)
def test_criteria(criterion, uri, matches):
    parsed = SchemaCriterion.parse(criterion)
    assert parsed.matches(SchemaKey.parse(uri)) is matches
    assert str(parsed) == criterion


@pytest.mark.parametrize(
    "text", ["", "a/b/c/1-*-*", "iglu:a/b/c/0-*-*", "iglu:a/b/c/1-0", "iglu:a/b/c/1-00-*", "x" * 9]
)
def test_what_is_not_a_criterion(text):
    with pytest.raises(ValueError, match="expected a schema criterion"):
        SchemaCriterion.parse(text)


URI = "iglu:a/b/c/1-0-0"


@pytest.mark.parametrize("data", [None, 0, "", [], {}, {"a": [1]}])
def test_self_describing_data(data):
    """Any data will do, null too, and keys beside the two are tolerated."""
    parsed = SelfDescribing.parse({"schema": URI, "data": data, "more": 1})
    assert parsed == SelfDescribing(SchemaKey.parse(URI), data)
    assert parsed.as_json() == {"schema": URI, "data": data}
    assert json.loads(parsed.json_text()) == {"schema": URI, "data": data}
    assert parsed.json_text().startswith('{"schema":')


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "INVALID_DATA_PAYLOAD"),
        ([], "INVALID_DATA_PAYLOAD"),
        ("text", "INVALID_DATA_PAYLOAD"),
        ({}, "INVALID_DATA_PAYLOAD"),
        ({"schema": URI}, "INVALID_DATA_PAYLOAD"),
        ({"schema": "nonsense"}, "INVALID_DATA_PAYLOAD"),
        ({"data": {}}, "INVALID_DATA_PAYLOAD"),
        ({"schema": 5, "data": {}}, "INVALID_DATA_PAYLOAD"),
        ({"schema": None, "data": {}}, "INVALID_DATA_PAYLOAD"),
        ({"schema": "nonsense", "data": {}}, "INVALID_IGLUURI"),
        ({"schema": "iglu:a/b/c/0-0-0", "data": {}}, "INVALID_SCHEMAVER"),
    ],
)
def test_what_is_not_self_describing(value, code):
    """The error carries the whole JSON, for the failed event."""
    with pytest.raises(SelfDescribingError) as refused:
        SelfDescribing.parse(value)
    assert refused.value.code == code
    assert refused.value.json == value


def test_data_keeps_its_spelling_where_it_is_known():
    item = SelfDescribing(SchemaKey.parse(URI), {"a": 1.1}, literal='{"a":1.10}')
    assert item.json_text() == '{"schema":"iglu:a/b/c/1-0-0","data":{"a":1.10}}'

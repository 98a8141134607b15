"""What was sent is in the JSON columns, but for what such a column cannot say, which is exactly what the docs list."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowgauge.store.base import StoreBatch
from snowgauge.store.clickhouse.columns import field_name
from snowgauge.store.clickhouse.rows import schema_data
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.events import described, web_page_view

_numbers = itertools.count(1)
URI = "iglu:com.acme/anything/jsonschema/1-0-0"
NAMES = st.sampled_from(["a", "A", "camelCase", "camel_case", "CamelCase", "camel-case", "b", "a_2", "1", ""])
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), NUMBERS, TEXTS)
ARRAYS = st.one_of(*(st.lists(st.one_of(st.none(), kind), max_size=3) for kind in (st.booleans(), NUMBERS, TEXTS)))
VALUES = st.recursive(
    st.one_of(LEAVES, ARRAYS),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=3), st.lists(st.dictionaries(NAMES, inner, max_size=3), max_size=3)
    ),
    max_leaves=6,
)
DATA = st.dictionaries(NAMES, VALUES, max_size=5)


def leaves(value: Any) -> list[str]:
    """Every value that is not null, nor empty, wherever it stands."""
    if isinstance(value, dict):
        return sorted(leaf for inner in value.values() for leaf in leaves(inner))
    if isinstance(value, list):
        return sorted(leaf for inner in value for leaf in leaves(inner))
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the same number in JSON
    return [] if value is None else [json.dumps(value)]


def sayable(value: Any) -> Any:
    """As the column says it: no nulls and no empty objects as fields; in arrays of nothing but these they are alike."""
    if isinstance(value, dict):
        inner = {key: sayable(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one is not None and one != {}}
    if isinstance(value, list):
        some = [sayable(one) for one in value]
        return [None if one == {} else one for one in some]
    return value


def stored(store: ClickHouseStore, documents: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Any]]:
    """Each document beside what its JSON column says, all written as one batch."""
    number = next(_numbers)
    events = [
        web_page_view(1000 * number + place, unstruct_event=described(URI, document), contexts=[], derived_contexts=[])
        for place, document in enumerate(documents)
    ]
    store.write(StoreBatch(f"json-{number}", events))
    answer = store.connection.raw(
        "SELECT toString(event_id) AS id, unstruct_event_com_acme_anything_1 AS said, unstruct_event AS sent "
        f"FROM {store.layout.name('events')}",
        "JSONEachRow",
    )
    rows = {row["id"]: row for row in map(json.loads, answer.splitlines())}
    found = []
    for event, document in zip(events, documents, strict=True):
        row = rows[str(event.event_id)]
        assert json.loads(row["sent"])["data"]["data"] == document, "the raw column has it as it was sent"
        found.append((document, row["said"]))
    return found


def test_whatever_is_sent_together_each_value_is_where_it_was_sent(clickhouse: ClickHouseStore) -> None:
    @settings(max_examples=20, deadline=None)
    @given(st.lists(DATA, min_size=1, max_size=8))
    def check(documents: list[dict[str, Any]]) -> None:
        for document, said in stored(clickhouse, documents):
            assert sayable(said) == sayable(json.loads(schema_data(document)))
            assert leaves(said) == leaves(document)

    check()


@settings(max_examples=300, deadline=None)
@given(DATA)
def test_no_value_is_lost_to_another_with_the_same_name(document: dict[str, Any]) -> None:
    made = json.loads(schema_data(document, "1-0-0"))
    assert made.pop("_schema_version") == "1-0-0"
    assert leaves(made) == leaves(document)
    for key, value in document.items():
        if [field_name(other) for other in document].count(field_name(key)) == 1 and not isinstance(value, dict | list):
            assert made[field_name(key)] == value


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ({"A": 1, "a": 2}, {"a": 1, "a_2": 2}),
        ({"camelCase": 1, "camel_case": 2, "camel-case": 3}, {"camel_case": 1, "camel_case_2": 2, "camel_case_3": 3}),
        ({"A": None, "a": 2}, {"a": 2}),
        ({"A": 1, "a": None}, {"a": 1}),
        ({"A": 1, "a": 2, "a_2": 3}, {"a": 1, "a_3": 2, "a_2": 3}),
        ({"x": {"A": [1], "a": {"B": 1, "b": 2}}}, {"x": {"a": [1], "a_2": {"b": 1, "b_2": 2}}}),
    ],
)
def test_names_that_meet_are_numbered(document: dict[str, Any], made: dict[str, Any]) -> None:
    assert json.loads(schema_data(document)) == made


def test_a_field_with_our_name_is_put_beside_ours() -> None:
    assert json.loads(schema_data({"_schema_version": "mine"}, "1-0-2")) == {
        "_schema_version": "1-0-2",
        "_schema_version_2": "mine",
    }


def test_what_the_column_cannot_say(clickhouse: ClickHouseStore) -> None:
    """The page of promises lists these; if one of them should ever be said right, take it out there."""
    documents = [{"a": [{"x": 1}]}, {"a": [None]}, {"a": None}, {"a": {}}, {"a": {"b": None}}]
    assert [said for _, said in stored(clickhouse, documents)] == [{"a": [{"x": 1}]}, {"a": [{}]}, {}, {}, {}]
    assert [said for _, said in stored(clickhouse, [{"a": [None]}])] == [{"a": [None]}]
    mixed = [{"a": [False, 0]}, {"b": ["x", True]}, {"c": [2**53 + 1, 0.5]}]
    assert [said for _, said in stored(clickhouse, mixed)] == [
        {"a": [0, 0]},
        {"b": ["x", "true"]},
        {"c": [2**53, 0.5]},
    ]

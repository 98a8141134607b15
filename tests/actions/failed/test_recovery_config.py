"""Snowplow's event-recovery configuration does here what it does in event-recovery 0.7.2."""

from __future__ import annotations

import base64
import json

import pytest

from snowgauge.actions.failed.recovery_config import config_of
from snowgauge.actions.failed.recovery_steps import StepFailed
from snowgauge.errors import ActionRefused

SCHEMA = "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/4-0-0"
BADROWS = "iglu:com.snowplowanalytics.snowplow.badrows"
ROW = f"{BADROWS}/schema_violations/jsonschema/2-0-1"


def coded(value):
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def with_flows(*flows, key=f"{BADROWS}/schema_violations/jsonschema/2-0-*"):
    return config_of({"schema": SCHEMA, "data": {key: list(flows)}})


def flow(*steps, conditions=(), name="main"):
    return {"name": name, "conditions": list(conditions), "steps": list(steps)}


def run(value, step):
    return with_flows(flow({"path": "$.x", **step})).edited(ROW, {"payload": {"x": value}})["x"]


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("a-b-b", {"op": "Replace", "match": "b", "value": "c"}, "a-c-c"),
        ("ab", {"op": "Replace", "value": "c"}, "c"),
        ("john", {"op": "Replace", "match": "(?U)^.*$", "value": "shop"}, "shop"),
        ("a1", {"op": "Replace", "match": "([a-z])(\\d)", "value": "$2$1"}, "1a"),
        ("a1", {"op": "Replace", "match": "(?<letter>[a-z])", "value": "${letter}\\$"}, "a$1"),
        (None, {"op": "Replace", "value": "c"}, "c"),
        (True, {"op": "Replace", "value": False}, False),
        (1, {"op": "Replace", "value": 2.5}, 2.5),
        (["a", "b"], {"op": "Replace", "match": "a", "value": ["c"]}, ["b", "c"]),
        (["a", "b"], {"op": "Replace", "match": "a", "value": "c"}, ["c", "b"]),
        (["a"], {"op": "Replace", "value": "c"}, ["c"]),
        ({"a": 1}, {"op": "Replace", "match": '"a"', "value": '"b"'}, {"b": 1}),
        ("abc", {"op": "Remove"}, ""),
        ("abc", {"op": "Remove", "match": "b"}, "ac"),
        ("a", {"op": "Cast", "from": "String", "to": "Array"}, ["a"]),
        (1, {"op": "Cast", "from": "Numeric", "to": "Array"}, [1]),
        ("a", {"op": "Cast", "from": "String", "to": "String"}, '"a"'),
        (1, {"op": "Cast", "from": "Numeric", "to": "String"}, "1"),
        (0, {"op": "Cast", "from": "Numeric", "to": "Boolean"}, False),
        (2, {"op": "Cast", "from": "Numeric", "to": "Boolean"}, True),
        (True, {"op": "Cast", "from": "Boolean", "to": "Numeric"}, 1),
        ("1", {"op": "Cast", "from": "String", "to": "Numeric"}, 1.0),
        (1, {"op": "Add", "value": 2}, 3),
        ("a", {"op": "Add", "value": "b"}, "ab"),
        (["a"], {"op": "Add", "value": "b"}, ["a", "b"]),
        ({"a": 1}, {"op": "Add", "value": {"b": 2}}, {"a": 1, "b": 2}),
        (None, {"op": "Add", "value": 5}, 5),
    ],
)
def test_a_step(before, step, after):
    found = run(before, step)
    assert found == after
    assert type(found) is type(after)


@pytest.mark.parametrize(
    ("before", "step"),
    [
        (True, {"op": "Replace", "value": "x"}),
        (1, {"op": "Replace", "value": "x"}),
        (1, {"op": "Remove"}),
        (True, {"op": "Remove"}),
        ({"a": 1}, {"op": "Replace", "match": "a", "value": '"'}),
        (["a"], {"op": "Replace", "match": r"\[.*\]", "value": "1"}),
        ("x", {"op": "Cast", "from": "String", "to": "Numeric"}),
        ("x", {"op": "Cast", "from": "String", "to": "Boolean"}),
        ("x", {"op": "Cast", "from": "Numeric", "to": "String"}),
        ("x", {"op": "Add", "value": 1}),
        ("x", {"op": "Replace", "match": "x", "value": "$1"}),
        ("x", {"op": "Replace", "match": "x", "value": "${name}"}),
    ],
)
def test_a_step_that_is_refused(before, step):
    with pytest.raises(StepFailed, match=r"main.*\$\.x"):
        run(before, step)


@pytest.mark.parametrize(
    ("matcher", "value", "holds"),
    [
        ({"value": "a"}, "a", True),
        ({"value": 1}, True, False),
        ({"value": {"a": [1]}}, {"a": [1]}, True),
        ({"regex": "com.snow.*"}, "com.snowplow", True),
        ({"regex": "^com"}, "com", False),  # the text has its quotes
        ({"regex": '^"com"$'}, "com", True),
        ({"regex": '"a":1'}, {"a": 1}, True),
        ({"size": {"eq": 3}}, "abc", True),
        ({"size": {"gt": 2}}, [1, 2], False),
        ({"size": {"lt": 3}}, 2.1, False),  # rounded up
        ({"size": {"eq": 3}}, 2.1, True),
    ],
)
def test_a_condition(matcher, value, holds):
    config = with_flows(flow(conditions=[{"op": "Test", "path": "$.payload.x", "value": matcher}]))
    assert bool(config.matching(ROW, {"payload": {"x": value}})) is holds
    assert not config.matching(ROW, {"payload": {}})


def test_paths_go_through_parameters_base64_and_filters():
    entities = {"data": [{"schema": "iglu:a/b", "data": {"n": "1"}}, {"schema": "iglu:c/d", "data": {"n": "2"}}]}
    payload = {
        "raw": {
            "parameters": [
                {"name": "aid", "value": "x"},
                {"name": "cx", "value": coded(entities)},
                {"name": "ue_pr", "value": json.dumps({"data": {"data": {"q": 1}}})},
            ]
        }
    }
    config = with_flows(
        flow(
            {"op": "Replace", "path": "$.raw.parameters.aid", "value": "y"},
            {"op": "Replace", "path": "$.raw.parameters.cx.data[?(@.schema=~iglu:c/.*)].data.n", "value": "3"},
            {"op": "Replace", "path": "$.raw.parameters.ue_pr.data.data.q", "value": 2},
        )
    )
    found = config.edited(ROW, {"payload": payload})["raw"]["parameters"]
    assert found[0]["value"] == "y"
    changed = json.loads(base64.urlsafe_b64decode(found[1]["value"]))
    assert [one["data"]["n"] for one in changed["data"]] == ["1", "3"]
    assert json.loads(found[2]["value"]) == {"data": {"data": {"q": 2}}}
    with pytest.raises(StepFailed, match="nothing at this path"):
        config.edited(ROW, {"payload": {"raw": {"parameters": []}}})


def test_all_flows_that_match_are_taken_and_none_leaves_the_row_alone():
    add = [{"op": "Add", "path": "$.x", "value": letter} for letter in "bcd"]
    config = config_of(
        {
            "schema": SCHEMA,
            "data": {
                f"{BADROWS}/schema_violations/jsonschema/2-0-*": [flow(add[0]), flow(add[1], name="two")],
                f"{BADROWS}/schema_violations/jsonschema/*-*-*": [flow(add[2], name="three")],
                f"{BADROWS}/adapter_failures/jsonschema/1-0-0": [flow()],
            },
        }
    )
    assert config.edited(ROW, {"payload": {"x": "a"}}) == {"x": "abcd"}
    assert config.edited(f"{BADROWS}/enrichment_failures/jsonschema/2-0-1", {"payload": {"x": "a"}}) is None
    assert config.edited(f"{BADROWS}/adapter_failures/jsonschema/1-0-0", {"payload": {"x": "a"}}) == {"x": "a"}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"schema": "iglu:x/y/jsonschema/1-0-0", "data": {}}, "recoveries"),
        ({"schema": SCHEMA, "data": []}, "flows by schema"),
        ({"schema": SCHEMA, "data": {"nonsense": []}}, "nonsense"),
        ({"schema": SCHEMA, "data": {ROW: [{"name": "a b"}]}}, "name"),
        ({"schema": SCHEMA, "data": {ROW: [flow({"op": "Drop", "path": "$.x"})]}}, "Drop"),
        ({"schema": SCHEMA, "data": {ROW: [flow({"op": "Remove", "path": "x"})]}}, r"begins with \$"),
        ({"schema": SCHEMA, "data": {ROW: [flow({"op": "Remove", "path": "$.x", "match": "("})]}}, "regular"),
        ({"schema": SCHEMA, "data": {ROW: [flow({"op": "Cast", "path": "$.x", "from": "A", "to": "B"})]}}, "Cast"),
    ],
)
def test_a_wrong_configuration_names_the_place(document, named):
    with pytest.raises(ActionRefused, match=named):
        config_of(document)

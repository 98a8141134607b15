"""Paths and edits: what they change, what they leave, and that no row is ever lost over them."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.actions.failed.document import document_of, written
from snowgauge.actions.failed.edits import EditOptions, apply
from snowgauge.actions.failed.subject import Subject
from snowgauge.errors import ActionRefused
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.tracker import TrackerEvent
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.failing import CART, FailingPipeline, b64, cart_schema, entities, tracked, ue

EVENT = {
    "event": {"schema": CART, "data": {"a": 1, "list": [{"p": 1}, {"p": 2}], "x.y": "dotted", "none": None}},
    "contexts": [{"schema": "iglu:com.acme/user/jsonschema/1-0-0", "data": {"id": "7"}}, {"schema": CART, "data": {}}],
    "parameters": {"aid": "shop", "p": None},
    "payload": {},
}


def edited(**options):
    document = copy.deepcopy(EVENT)
    apply(EditOptions(**options).edits(), document, whole_request=False)
    return document


@pytest.mark.parametrize(
    ("options", "look", "found"),
    [
        ({"set": ["event.data.a=5"]}, lambda d: d["event"]["data"]["a"], 5),
        ({"set": ['event.data.a="5"']}, lambda d: d["event"]["data"]["a"], "5"),
        ({"set": ["event.data.b.c=x"]}, lambda d: d["event"]["data"]["b"], {"c": "x"}),
        ({"set": ["event.data.list[*].p=0"]}, lambda d: d["event"]["data"]["list"], [{"p": 0}, {"p": 0}]),
        ({"set": ["event.data.list[1].p=0"]}, lambda d: d["event"]["data"]["list"], [{"p": 1}, {"p": 0}]),
        ({"set": ["event.data.list[9].p=0"]}, lambda d: d, EVENT),
        ({"set": ['event.data["x.y"]=z']}, lambda d: d["event"]["data"]["x.y"], "z"),
        ({"set": ["contexts[com.acme/user].data.id=8"]}, lambda d: d["contexts"][0]["data"]["id"], 8),
        ({"set": ["contexts[com.acme/user/2-*-*].data.id=8"]}, lambda d: d, EVENT),
        ({"default": ["parameters.aid=x", "parameters.p=web", "event.data.none=1"]},
         lambda d: (d["parameters"], d["event"]["data"]["none"]), ({"aid": "shop", "p": "web"}, 1)),
        ({"unset": ["contexts[*]"]}, lambda d: d["contexts"], []),
        ({"unset": ["event.data.list[0]"]}, lambda d: d["event"]["data"]["list"], [{"p": 2}]),
        ({"unset": ["event.data.nothing.there"]}, lambda d: d, EVENT),
        ({"rename": ["event.data.a=b"]}, lambda d: next(iter(d["event"]["data"])), "b"),
        ({"cast": ["contexts[*].data.id=integer"]}, lambda d: d["contexts"][0]["data"]["id"], 7),
        ({"cast": ["event.data.x=integer", "parameters.aid=number"]}, lambda d: d, EVENT),
        ({"cast": ["event.data.a=array"]}, lambda d: d["event"]["data"]["a"], [1]),
        ({"cast": ["event.data.a=string"]}, lambda d: d["event"]["data"]["a"], "1"),
        ({"schema": ["iglu:com.acme/cart/jsonschema/*-*-*=iglu:com.acme/basket/jsonschema/2-0-0"]},
         lambda d: [d["event"]["schema"], d["contexts"][1]["schema"]], ["iglu:com.acme/basket/jsonschema/2-0-0"] * 2),
    ],
)  # fmt: skip
def test_an_edit(options, look, found):
    assert look(edited(**options)) == found


@pytest.mark.parametrize(
    "options",
    [
        {"set": ["data.x=1"]}, {"set": ["event.data"]}, {"unset": ["event..x"]}, {"unset": [""]}, {"unset": ["event["]},
        {"cast": ["event.data.x=date"]}, {"schema": ["iglu:a/b/jsonschema/1-0-0=x"]}, {"rename": ["event.data.x"]},
        {"python": "/nowhere.py"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(options):
    with pytest.raises(ActionRefused, match=r"path|--"):
        EditOptions(**options).edits()


def test_what_is_not_edited_keeps_its_text():
    text = '{"schema" : "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data":{"a":1.10}}'
    tracker = TrackerEvent(
        {"ue_pr": text, "cx": b64(entities((CART, {"n": 1}))), "aid": "x"}, "v", "tp2", CollectorPayload()
    )
    subject = Subject(tracker.payload, tracker)
    before = document_of(subject)
    assert written(subject, before, copy.deepcopy(before)) == subject
    after = copy.deepcopy(before)
    after["contexts"][0]["data"]["n"] = 2
    found = written(subject, before, after).tracker.parameters
    assert found["ue_pr"] == text
    assert (
        document_of(Subject(tracker.payload, TrackerEvent(found, "v", "tp2", tracker.payload)))["contexts"]
        == after["contexts"]
    )
    after = copy.deepcopy(before)
    after["event"]["b"] = 2
    assert '"a":1.10' in written(subject, before, after).tracker.parameters["ue_pr"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_step = st.sampled_from(
    [".data", ".schema", ".quantity", "[0]", "[*]", "[com.acme/cart]", '[""]', ".aid", ".body", ".headers",
     ".timestamp", ".querystring", ".data.data"]
)  # fmt: skip
_path = st.builds(
    lambda root, steps: root + "".join(steps),
    st.sampled_from(["event", "contexts", "parameters", "payload"]),
    st.lists(_step, max_size=3),
)
_value = _json.map(lambda value: __import__("json").dumps(value))


@given(
    st.lists(st.tuples(_path, _value), max_size=3),
    st.lists(_path, max_size=2),
    st.lists(st.tuples(_path, st.text(min_size=1, max_size=3)), max_size=2),
    st.lists(
        st.tuples(_path, st.sampled_from(["integer", "string", "array", "json", "boolean", "number"])), max_size=2
    ),
)
def test_no_row_is_lost_whatever_is_edited(tmp_path_factory, sets, unsets, renames, casts):
    p = FailingPipeline(MemoryStore(), tmp_path_factory.getbasetemp() / "shared_schemas")
    if not (p.schemas / "com.acme").exists():
        p.publish(cart_schema())
    p.take(
        tracked({"ue_pr": ue({"quantity": "1"}), "co": entities((CART, {"quantity": 1}))}),
        tracked({"e": "pv", "extra": "x"}),
    )
    rows = len(p.failed())
    assert rows == 2
    done = p.recover(
        set=[f"{path}={value}" for path, value in sets],
        unset=unsets,
        rename=[f"{path}={name}" for path, name in renames],
        cast=[f"{path}={to}" for path, to in casts],
    )
    assert done.recovered + done.failed + done.dropped + done.left + done.waiting + done.lost == done.rows == rows
    by_status = [row.status for row in p.failed()][:rows]
    assert len(p.failed()) >= rows
    assert by_status.count("recovered") <= len(p.good()) + done.already + done.new_failures
    assert all(row.data and row.record for row in p.failed()[:rows])

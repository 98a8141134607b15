"""Drafted schemas accept what they were drafted from, and say what was seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.build import build
from snowgauge.iglu.compiled import compile_schema
from snowgauge.iglu.diff import diff, needed_part
from snowgauge.iglu.infer import infer
from snowgauge.iglu.lint import lint
from snowgauge.iglu.publish import NotPublished, publish
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.settings import IgluSettings
from snowgauge.iglu.validation import check_data

KEY = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")


def test_a_draft():
    seen = [
        {
            "id": "6d1cf1a1-2c2f-4b29-8b6e-7c6f0c5b2b11",
            "n": n,
            "price": 1.5,
            "kind": "ab"[n % 2],
            "note": None,
            "tags": ["x"],
        }
        for n in range(40)
    ]
    del seen[3]["price"]
    draft = infer(KEY, seen)
    assert draft["self"] == {"vendor": "com.acme", "name": "cart", "format": "jsonschema", "version": "1-0-0"}
    properties = draft["properties"]
    assert properties["id"] == {"type": "string", "format": "uuid"}
    assert properties["n"] == {"type": "integer", "minimum": 0, "maximum": 32767}
    assert properties["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert properties["note"] == {"type": "null"}
    assert properties["tags"]["items"] == {"type": "string", "maxLength": 16}
    assert draft["required"] == ["id", "n", "kind", "tags"]
    assert draft["additionalProperties"] is False
    assert [finding for finding in lint(draft, KEY) if finding.level == "error"] == []


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), _json), min_size=1, max_size=6))
def test_a_draft_accepts_its_data_and_is_a_schema(seen):
    draft = infer(KEY, seen)
    assert [finding for finding in lint(draft, KEY) if finding.level == "error"] == []
    rules = compile_schema(draft, 50)
    for one in seen:
        assert check_data(rules, one, 50) == []


OLD = {
    "type": "object",
    "properties": {"a": {"type": "integer", "maximum": 5}, "b": {"enum": ["x"]}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({}, None),
        ({"description": "d"}, "cosmetic"),
        ({"required": ["a", "b"]}, "breaking"),
        ({"required": []}, "compatible"),
        ({"properties": {**OLD["properties"], "c": {"type": "string"}}}, "compatible"),
        ({"properties": {"a": OLD["properties"]["a"]}}, "breaking"),
        ({"properties": {**OLD["properties"], "a": {"type": "integer", "maximum": 6}}}, "compatible"),
        ({"properties": {**OLD["properties"], "a": {"type": "integer", "maximum": 4}}}, "breaking"),
        ({"properties": {**OLD["properties"], "a": {"type": "integer"}}}, "compatible"),
        ({"properties": {**OLD["properties"], "a": {"type": "number", "maximum": 5}}}, "compatible"),
        ({"properties": {**OLD["properties"], "a": {"type": "string", "maximum": 5}}}, "breaking"),
        ({"properties": {**OLD["properties"], "b": {"enum": ["x", "y"]}}}, "compatible"),
        ({"properties": {**OLD["properties"], "b": {"enum": ["y"]}}}, "breaking"),
        ({"additionalProperties": True}, "compatible"),
        ({"pattern": "x"}, "breaking"),
    ],
)
def test_what_a_change_does(change, effect):
    found = diff(OLD, {**OLD, **change})
    assert (found[0].effect if found else None) == effect
    assert needed_part(found) == {None: "none", "breaking": "model"}.get(effect, "addition")


def registry(folder: Path):
    return build(IgluSettings(iglu_central=False), folder)


def test_publishing_never_changes_a_published_version(tmp_path):
    first = infer(KEY, [{"n": 1}])
    done = publish(first, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert json.loads(done.path.read_text()) == first
    assert publish(first, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0]).unchanged
    other = infer(KEY, [{"n": "text"}])
    with pytest.raises(NotPublished, match="new version"):
        publish(other, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert json.loads(done.path.read_text()) == first
    newer = infer(SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-1"), [{"n": "text"}])
    second = publish(newer, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert second.before == KEY
    assert "/properties/n/type" in [change.pointer for change in second.breaking]
    _, validator = registry(tmp_path)
    assert not hasattr(validator.check(SelfDescribing(KEY, {"n": 2})), "error")


def test_a_schema_with_errors_is_not_published(tmp_path):
    with pytest.raises(NotPublished, match="errors") as refused:
        publish(
            {**infer(KEY, [{"n": 1}]), "type": "objekt"}, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0]
        )
    assert refused.value.findings
    assert not (tmp_path / "schemas").exists()

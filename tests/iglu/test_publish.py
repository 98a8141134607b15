"""The two doors by which schemas are published (the folder's own, and the Iglu Server API) keep one set of rules."""

import json

import pytest

from snowgauge.actions.registry.schema_report import blocks, report
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.build import build
from snowgauge.iglu.lint import lint
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA
from snowgauge.iglu.publish import NotPublished, publish
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.settings import IgluSettings

TEXT = {"type": "string", "maxLength": 10}


def schema(version="1-0-0", vendor="com.acme", **body):
    own = {"vendor": vendor, "name": "cart", "format": "jsonschema", "version": version}
    return {"$schema": IGLU_META_SCHEMA, "self": own, "type": "object", "properties": {"a": TEXT}, **body}


def registry(folder):
    return build(IgluSettings(iglu_central=False), folder)


@pytest.mark.parametrize(
    "document",
    [
        schema(type="objekt"),
        schema(properties={"a": {"type": "string", "pattern": "("}}),
        schema(required=["b"]),
        schema(properties={"o": {"type": "object", "properties": {"a": TEXT}, "required": ["a", "b"]}}),
        schema(properties={"a": {"type": "string", "minLength": 9, "maxLength": 3}}),
        schema(properties={"n": {"oneOf": [{"type": "integer", "minimum": 9, "maximum": 3}, {"type": "null"}]}}),
        schema(vendor=".."),
        schema(vendor="com acme"),
        schema(version="1.0.0"),
        schema(version="0-0-0"),
        {**schema(), "self": {**schema()["self"], "format": "avro"}},
        {**schema(), "self": {**schema()["self"], "name": "c.art"}},
        {**schema(), "self": "com.acme/cart/jsonschema/1-0-0"},
        {name: value for name, value in schema().items() if name != "$schema"},
    ],
    ids=lambda document: json.dumps(document)[-90:],
)
def test_what_one_door_refuses_the_other_refuses_too(tmp_path, document):
    assert any(finding.level == "error" for finding in lint(document))
    assert blocks(report(document))
    with pytest.raises(NotPublished):
        publish(document, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert not (tmp_path / "schemas").exists()


@pytest.mark.parametrize(
    "document",
    [
        schema(),
        schema(properties={}),
        schema(required=["b"], patternProperties={"^b": TEXT}),
        schema(properties={"n": {"type": "integer"}}),
        schema(properties={"n": {"type": "integer", "minimum": 3, "maximum": 3}}),
        schema(vendor="com.acme-shop"),
    ],
    ids=lambda document: json.dumps(document)[-90:],
)
def test_what_one_door_takes_the_other_takes_too(tmp_path, document):
    assert not blocks(report(document))
    done = publish(document, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert json.loads(done.path.read_text()) == document


def test_a_version_may_supersede_those_before_it(tmp_path):
    publish(schema("1-0-0"), FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    newer = schema("1-0-1", properties={"a": {"type": "string", "maxLength": 100}}, **{"$supersedes": ["1-0-0"]})
    publish(newer, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    key = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")
    assert registry(tmp_path)[1].check(SelfDescribing(key, {"a": "x" * 50})).superseded_by == "1-0-1"


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (["1-0-5"], "do not exist"),
        (["1-0-1"], "do not exist"),
        ("1-0-0", "list of versions"),
        ([7], "list of versions"),
    ],
)
def test_what_cannot_be_superseded_is_said_and_nothing_is_published(tmp_path, versions, says):
    publish(schema("1-0-0"), FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    newer = schema("1-0-1", **{"$supersedes": versions})
    with pytest.raises(NotPublished, match=says):
        publish(newer, FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert len(FolderRegistry(tmp_path / "schemas").keys()) == 1


def test_a_folder_with_schemas_below_it_is_written_to_where_it_is_read(tmp_path):
    (tmp_path / "schemas" / "schemas").mkdir(parents=True)
    done = publish(schema(), FolderRegistry(tmp_path / "schemas"), registry(tmp_path)[0])
    assert done.path.parent.parent.parent.parent == tmp_path / "schemas" / "schemas"
    assert registry(tmp_path)[0].schema(done.key)["properties"] == {"a": TEXT}
    assert not list((tmp_path / "schemas").rglob(".*"))

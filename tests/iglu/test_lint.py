"""What is said about a schema before it is published."""

import pytest

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.lint import lint
from snowgauge.iglu.metaschema import IGLU_META_SCHEMA

KEY = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")
GOOD = {
    "$schema": IGLU_META_SCHEMA,
    "self": {"vendor": "com.acme", "name": "cart", "format": "jsonschema", "version": "1-0-0"},
    "description": "A cart",
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 20},
        "made": {"type": "string", "format": "date-time"},
        "kind": {"type": ["string", "null"], "enum": ["a", None]},
        "total": {"type": ["number", "null"], "minimum": 0, "maximum": 1e9},
        "lines": {"type": "array", "items": {"type": "boolean"}},
    },
    "required": ["id"],
    "additionalProperties": False,
}


def test_a_good_schema_has_no_findings():
    assert lint(GOOD, KEY) == []


def changed(**inside):
    return GOOD | {"properties": GOOD["properties"] | inside}


@pytest.mark.parametrize(
    ("schema", "level", "pointer", "words"),
    [
        ([], "error", "", "must be a JSON object"),
        ({k: v for k, v in GOOD.items() if k != "$schema"}, "error", "", "$schema is missing"),
        (GOOD | {"$schema": "http://json-schema.org/draft-04/schema#"}, "error", "", "Unknown meta-schema"),
        ({k: v for k, v in GOOD.items() if k != "self"}, "error", "", "self"),
        (GOOD | {"self": {"vendor": "a", "name": "b"}}, "error", "/self", "format, version"),
        (GOOD | {"self": GOOD["self"] | {"version": "1.0"}}, "error", "/self", "INVALID_IGLUURI"),
        (GOOD | {"self": GOOD["self"] | {"version": "0-0-1"}}, "error", "/self", "INVALID_SCHEMAVER"),
        (GOOD | {"self": GOOD["self"] | {"version": "1-0-1"}}, "error", "/self", "its place says"),
        (GOOD | {"self": GOOD["self"] | {"format": "avro"}}, "error", "/self/format", "must be jsonschema"),
        (GOOD | {"$supersededBy": "1-0-0"}, "error", "/$supersededBy", "above 1-0-0"),
        (changed(id={"type": "text"}), "error", "/properties/id/type", "enumeration"),
        (changed(id={"type": "string", "pattern": "(", "maxLength": 5}), "error", "/properties/id/pattern", "Unclosed"),
        (changed(id={"$ref": "#/definitions/x"}), "error", "/properties/id", "cannot be resolved"),
        (changed(id={"$ref": "http://a/b"}), "warning", "/properties/id/$ref", "never fetched"),
        (changed(id={"type": "string"}), "warning", "/properties/id", "maxLength"),
        (changed(n={"type": "integer", "minimum": 0}), "warning", "/properties/n", "minimum and maximum"),
        (changed(n={"type": "integer", "minimum": 3, "maximum": 1}), "error", "/properties/n", "above"),
        (changed(n={"type": "boolean", "maxLength": 1}), "warning", "/properties/n", "no effect on the type boolean"),
        (changed(n={"const": 1}), "warning", "/properties/n/const", "draft 04"),
        (changed(n={"format": "regex"}), "warning", "/properties/n/format", "not checked"),
        (changed(n={"type": "boolean", "enum": [True, None]}), "warning", "/properties/n/enum", "never occur"),
        (changed(**{"a/b": {"items": {"type": "string"}}}), "warning", "/properties/a~1b/items", "maxLength"),
        (changed(n={"oneOf": [{}, {"type": "string"}]}), "warning", "/properties/n/oneOf/1", "maxLength"),
        (GOOD | {"required": ["other"]}, "error", "", "don't exist in schema properties"),
        (
            {k: v for k, v in GOOD.items() if k != "additionalProperties"},
            "warning",
            "",
            "additionalProperties is not set",
        ),
    ],
)
def test_findings(schema, level, pointer, words):
    findings = lint(schema, KEY)
    assert [(f.level, f.pointer) for f in findings if words in f.message] == [(level, pointer)], findings


def test_errors_come_first():
    levels = [f.level for f in lint(changed(a={"type": "string"}, b={"type": "integer", "minimum": 2, "maximum": 1}))]
    assert levels == sorted(levels)
    assert set(levels) == {"error", "warning"}

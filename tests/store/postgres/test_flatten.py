"""From JSON Schema to columns: Postgres loader 0.3.3's rules, its own example, and examples of Iglu Central."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.postgres.flatten import Style, columns, leaves
from snowgauge.store.postgres.types import PgType, loader_type

LOADER = Style(snowplow_types=True)
WIDE = Style()


def shown(versions: list[dict[str, Any]], style: Style = LOADER) -> list[str]:
    return [
        f"{column.name} {column.type.ddl}{' NOT NULL' if column.required else ''}"
        for column in columns(versions, style)
    ]


@pytest.mark.parametrize(
    ("schema", "ddl"),
    [
        ({"enum": ["a", 1]}, "JSONB"),
        ({"enum": [True, False]}, "JSONB"),
        ({"type": "boolean", "enum": [True]}, "JSONB"),
        ({"type": ["string", "integer"]}, "JSONB"),
        ({"type": ["string", "integer", "null"], "maxLength": 5}, "JSONB"),
        ({"type": "array", "items": {"type": "string"}}, "JSONB"),
        ({"type": ["array", "null"]}, "JSONB"),
        ({"type": "string", "format": "date-time", "maxLength": 40}, "TIMESTAMP"),
        ({"type": ["string", "null"], "format": "date-time"}, "TIMESTAMP"),
        ({"type": "string", "format": "date"}, "DATE"),
        ({"type": "integer", "maximum": 2147483647}, "INTEGER"),
        ({"type": "integer", "maximum": 2147483648}, "BIGINT"),
        ({"type": "integer", "minimum": -(10**12), "maximum": 1}, "INTEGER"),
        ({"type": "integer", "maximum": 9007199254740991.0}, "INTEGER"),
        ({"type": "integer"}, "BIGINT"),
        ({"type": ["integer", "null"]}, "BIGINT"),
        ({"type": "integer", "enum": [1, 2, None]}, "INTEGER"),
        ({"type": "integer", "enum": [1, 10**10]}, "BIGINT"),
        ({"enum": [1, 2]}, "INTEGER"),
        ({"enum": [1, 10**10]}, "BIGINT"),
        ({"enum": [1.5, 2]}, "JSONB"),
        ({"type": "number", "multipleOf": 1}, "INTEGER"),
        ({"type": "number", "multipleOf": 0.01}, "DOUBLE PRECISION"),
        ({"type": "number"}, "DOUBLE PRECISION"),
        ({"type": ["integer", "number"]}, "DOUBLE PRECISION"),
        ({"type": ["integer", "number", "null"]}, "DOUBLE PRECISION"),
        ({"type": ["boolean", "null"]}, "BOOLEAN"),
        ({"type": "string", "minLength": 3, "maxLength": 3}, "CHAR(3)"),
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}, "CHAR(36)"),
        ({"type": "string", "maxLength": 128}, "VARCHAR(128)"),
        ({"type": "string", "format": "uri"}, "VARCHAR(4096)"),
        ({"type": ["string", "null"]}, "VARCHAR(4096)"),
        ({"type": "string", "enum": ["a", "abc", None]}, "VARCHAR(3)"),
        ({"enum": ["ab", "abcd"]}, "VARCHAR(4)"),
        ({"type": "object"}, "JSONB"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "JSONB"),
        ({"type": "null"}, "JSONB"),
        ({}, "JSONB"),
    ],
    ids=str,
)
def test_types(schema: dict[str, Any], ddl: str) -> None:
    assert loader_type(schema).ddl == ddl


def test_an_optional_untyped_enum_of_numbers_is_jsonb_and_one_of_strings_is_text() -> None:
    assert loader_type({"enum": [1, 2]}, required=False).ddl == "JSONB"
    assert loader_type({"enum": ["a", "bc"]}, required=False).ddl == "VARCHAR(2)"


def test_the_loaders_own_example() -> None:
    first = {
        "type": "object",
        "properties": {
            "requiredString": {"type": "string"},
            "requiredUnion": {"type": ["string", "integer"]},
            "id": {"type": "string", "format": "uuid"},
            "someArray": {"type": "array"},
            "nested": {
                "type": "object",
                "properties": {"a": {"type": "number"}, "b": {"type": "object"}},
                "required": ["b"],
            },
        },
        "required": ["requiredUnion", "requiredString"],
    }
    second = {**first, "properties": {
        **first["properties"],
        "someDate": {"type": "string", "format": "date-time"},
        "nested": {"type": "object", "properties": {"a": {"type": "number"}, "b": {}, "c": {"type": "integer"}}},
    }}  # fmt: skip
    third = {**second, "properties": {**second["properties"], "bigInt": {"type": "integer"}}}
    assert shown([first, second, third]) == [
        "required_string VARCHAR(4096) NOT NULL",
        "required_union JSONB NOT NULL",
        "id UUID",
        "nested.a DOUBLE PRECISION",
        "nested.b JSONB",
        "some_array JSONB",
        "nested.c BIGINT",
        "some_date TIMESTAMP",
        "big_int BIGINT",
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("com.snowplowanalytics.snowplow/web_page/1", ["id VARCHAR(4096) NOT NULL"]),
        (
            "com.snowplowanalytics.snowplow/client_session/1",
            ["session_id UUID NOT NULL", "session_index INTEGER NOT NULL", "storage_mechanism VARCHAR(13) NOT NULL",
             "user_id VARCHAR(4096) NOT NULL", "previous_session_id UUID", "first_event_id UUID",
             "event_index INTEGER", "first_event_timestamp TIMESTAMP"],
        ),
        (
            "com.iab.snowplow/spiders_and_robots/1",
            ["category VARCHAR(24) NOT NULL", "primary_impact VARCHAR(23) NOT NULL", "reason VARCHAR(17) NOT NULL",
             "spider_or_robot BOOLEAN NOT NULL"],
        ),
        (
            "com.snowplowanalytics.snowplow/ua_parser_context/1",
            ["device_family VARCHAR(4096) NOT NULL", "os_family VARCHAR(4096) NOT NULL",
             "useragent_family VARCHAR(4096) NOT NULL", "os_major VARCHAR(4096)", "os_minor VARCHAR(4096)",
             "os_patch VARCHAR(4096)", "os_patch_minor VARCHAR(4096)", "os_version VARCHAR(4096)",
             "useragent_major VARCHAR(4096)", "useragent_minor VARCHAR(4096)", "useragent_patch VARCHAR(4096)",
             "useragent_version VARCHAR(4096)"],
        ),
        (
            "com.snowplowanalytics.snowplow/web_vitals/1",
            ["cls DOUBLE PRECISION", "fcp DOUBLE PRECISION", "fid DOUBLE PRECISION", "inp DOUBLE PRECISION",
             "lcp DOUBLE PRECISION", "navigation_type VARCHAR(128)", "ttfb DOUBLE PRECISION"],
        ),
        ("com.snowplowanalytics.snowplow/cmp_visible/1", ["elapsed_time DOUBLE PRECISION NOT NULL"]),
        (
            "com.snowplowanalytics.snowplow/consent_preferences/1",
            ["basis_for_processing VARCHAR(20) NOT NULL", "consent_scopes JSONB NOT NULL",
             "consent_url VARCHAR(4096) NOT NULL", "consent_version VARCHAR(16) NOT NULL",
             "domains_applied JSONB NOT NULL", "event_type VARCHAR(16) NOT NULL", "gdpr_applies BOOLEAN"],
        ),
        (
            "com.snowplowanalytics.mobile/screen_view/1",
            ["id UUID NOT NULL", "name VARCHAR(4096) NOT NULL", "previous_id UUID", "previous_name VARCHAR(4096)",
             "previous_type VARCHAR(4096)", "transition_type VARCHAR(4096)", "type VARCHAR(4096)"],
        ),
    ],
)  # fmt: skip
def test_examples_of_iglu_central(bundled, schema: str, expected: list[str]) -> None:
    vendor, name, model = schema.split("/")
    found = shown([bundled.schema(key) for key in bundled.versions(vendor, name, int(model))])
    # the columns are compared in order; what a bundled schema has not is not asked for
    assert found == expected


def test_nested_fields_of_a_webhook(bundled) -> None:
    found = shown([bundled.schema(SchemaKey.parse("iglu:com.getvero/bounced/jsonschema/1-0-0"))])
    for column in (
        "bounce_code VARCHAR(64)",
        "campaign.id VARCHAR(255)",
        "event.data JSONB",
        "event.triggered_at TIMESTAMP",
        "user.email VARCHAR(4096)",
        "user.id VARCHAR(255)",
    ):
        assert column in [one.removesuffix(" NOT NULL") for one in found]


def test_wide_types_have_no_length_that_the_schema_does_not_give(bundled) -> None:
    def wide(vendor: str, name: str) -> list[str]:
        found = shown([bundled.schema(key) for key in bundled.versions(vendor, name, 1)], WIDE)
        return [one.removesuffix(" NOT NULL") for one in found]

    assert wide("com.snowplowanalytics.snowplow", "web_page") == ["id TEXT"]
    session = wide("com.snowplowanalytics.snowplow", "client_session")
    assert session[:4] == ["session_id VARCHAR(36)", "session_index INTEGER", "storage_mechanism VARCHAR(13)",
                           "user_id TEXT"]  # fmt: skip


def test_arrays_are_text_where_asked() -> None:
    schema = {"properties": {"a": {"type": "array"}, "b": {"type": "object"}}}
    assert shown([schema], Style(text_arrays=True)) == ["a TEXT", "b JSONB"]


@pytest.mark.parametrize(
    ("node", "paths"),
    [
        ({"type": "object", "properties": {"a": {}}}, ["n.a"]),
        ({"type": ["object", "null"], "properties": {"a": {}}}, ["n.a"]),
        ({"type": ["object", "string"], "properties": {"a": {}}}, ["n"]),
        ({"properties": {"a": {}}}, ["n.a"]),
        ({"type": "object", "properties": {"a": {}}, "oneOf": [{"type": "object"}, {"type": "string"}]}, ["n"]),
        ({"type": "object", "properties": {"a": {}}, "anyOf": [{"type": "object"}, {"type": "string"}]}, ["n.a"]),
        ({"type": "object"}, ["n"]),
        ({"type": "object", "properties": {}}, ["n"]),
        ({"type": "object", "patternProperties": {"x": {"type": "integer"}}}, ["n"]),
        ({"type": "array", "items": {"type": "object", "properties": {"a": {}}}}, ["n"]),
        ({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}, ["n.a.b"]),
        (True, ["n"]),
    ],
    ids=str,
)
def test_what_is_expanded(node: Any, paths: list[str]) -> None:
    assert [".".join(leaf.path) for leaf in leaves({"properties": {"n": node}})] == paths


def test_a_column_is_required_only_when_everything_above_it_is() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    maybe = {**inner, "type": ["object", "null"]}
    schema = {"properties": {"must": inner, "may": inner, "null": maybe, "e": {"enum": ["x", None]}},
              "required": ["must", "null", "e"]}  # fmt: skip
    assert {leaf.path: leaf.required for leaf in leaves(schema)} == {
        ("must", "a"): True,
        ("may", "a"): False,
        ("null", "a"): True,
        ("e",): False,
    }


def test_two_properties_of_one_name_share_a_column() -> None:
    [column] = columns([{"properties": {"fooBar": {"type": "integer"}, "foo_bar": {"type": "string"}}}], WIDE)
    assert (column.name, column.type, column.paths) == ("foo_bar", PgType("bigint"), (("fooBar",), ("foo_bar",)))


def test_texts_grow_with_later_versions_and_nothing_else_changes() -> None:
    first = {"properties": {"t": {"type": "string", "maxLength": 10}, "n": {"type": "integer"},
                            "e": {"enum": ["a"]}}}  # fmt: skip
    later = {"properties": {"t": {"type": "string", "maxLength": 20}, "n": {"type": "string"},
                            "e": {"enum": ["a", "bcd"]}}}  # fmt: skip
    assert shown([first, later], WIDE) == ["e VARCHAR(3)", "n BIGINT", "t VARCHAR(20)"]
    assert shown([later, first], WIDE) == ["e VARCHAR(3)", "n TEXT", "t VARCHAR(20)"]
    assert shown([first, {"properties": {"t": {"type": "string"}}}], WIDE)[2] == "t TEXT"


def test_columns_of_long_names_stay_apart() -> None:
    long = "x" * 70
    names = [column.name for column in columns([{"properties": {f"{long}1": {}, f"{long}2": {}}}], WIDE)]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NODE = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "object", ["object", "null"], ["string", "array"], 7, "x"]),
            "enum": _JSON,
            "maxLength": _JSON,
            "maximum": _JSON,
            "format": st.sampled_from(["date-time", "date", "uuid", "x", 5]),
            "oneOf": _JSON,
        },
    ),
    lambda node: st.fixed_dictionaries(
        {"properties": st.dictionaries(st.text(max_size=6), node, max_size=4)},
        optional={"type": st.sampled_from(["object", ["object", "null"]]), "required": _JSON},
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_NODE, min_size=1, max_size=3))
def test_any_schema_gives_columns_that_can_be_made(versions: list[dict[str, Any]]) -> None:
    for style in (WIDE, LOADER, Style(separator="_", text_arrays=True)):
        names = [column.name for column in columns(versions, style)]
        assert len(set(names)) == len(names)
        assert all(0 < len(name.encode()) <= 63 for name in names)

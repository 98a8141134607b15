"""The enriched event as text; Snowplow's own analytics SDK reads the TSV back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import snowplow_analytics_sdk.event_transformer as sdk
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import (
    NotEnriched,
    as_json,
    bad_row_columns,
    float_text,
    from_tsv,
    json_text,
    narrowed,
    to_tsv,
)
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.timestamps import MAX_MS
from snowgauge.events.tsv_text import tsv_safe

PAGE = SchemaKey("com.snowplowanalytics.snowplow", "web_page", "jsonschema", 1, 0, 0)
_STRINGS = {
    "string": st.text(st.characters(codec="utf-8"), max_size=20).map(tsv_safe),
    "uuid": st.uuids().map(str),
    "timestamp": st.integers(-62135596800000, MAX_MS),
    "int": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    "float": st.floats(-180, 180, width=32),
    "event": st.just(SelfDescribing(PAGE, {"id": "x"}, '{"id":"x"}')),
    "entities": st.lists(st.just(SelfDescribing(PAGE, {"n": 1.1}, '{"n":1.10}')), max_size=2),
}
EVENTS = st.fixed_dictionaries({}, optional={field.name: _STRINGS[field.kind] for field in ATOMIC_FIELDS}).map(
    lambda columns: EnrichedEvent(**columns)
)


def full(**more: Any) -> EnrichedEvent:
    columns: dict[str, Any] = {
        "app_id": "shop", "event_id": "2dfeb9b7-5a87-4214-8a97-a8b23176856b", "v_collector": "c", "v_etl": "e",
        "collector_tstamp": 1_700_000_000_000, "etl_tstamp": 1_700_000_000_001, "event": "unstruct", "txn_id": 3,
        "br_cookies": True, "br_features_pdf": False, "se_value": "1.10", "geo_latitude": 42.1, "page_urlport": 443,
        "unstruct_event": SelfDescribing(PAGE, {"id": "x"}),
        "contexts": [SelfDescribing(PAGE, {"n": 1.1}, '{"n":1.10}')],
    }  # fmt: skip
    return EnrichedEvent(**(columns | more))


def test_nothing_is_130_tabs() -> None:
    assert to_tsv(EnrichedEvent()) == "\t" * 130


def test_fields_of_a_line() -> None:
    fields = dict(zip([field.name for field in ATOMIC_FIELDS], to_tsv(full()).split("\t"), strict=True))
    assert fields["collector_tstamp"] == "2023-11-14 22:13:20.000"
    assert (fields["br_cookies"], fields["br_features_pdf"], fields["se_value"]) == ("1", "0", "1.10")
    assert (fields["geo_latitude"], fields["page_urlport"], fields["derived_contexts"]) == ("42.1", "443", "")
    assert fields["contexts"] == (
        '{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1",'
        '"data":[{"schema":"iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0","data":{"n":1.10}}]}'
    )


@given(EVENTS)
def test_a_line_reads_back(event: EnrichedEvent) -> None:
    line = to_tsv(event)
    assert line.count("\t") == 130
    assert not {"\n", "\r"} & set(line)
    assert to_tsv(from_tsv(line)) == line


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a\tb", "found 2"),
        ("\t" * 6 + "\tx" + "\t" * 123, "column txn_id holds 'x'"),
        ("\t" * 52 + "{" + "\t" * 78, "column contexts"),
    ],
)
def test_what_is_no_line(line: str, says: str) -> None:
    with pytest.raises(NotEnriched, match=says):
        from_tsv(line)


def test_snowplows_sdk_reads_the_line() -> None:
    read = sdk.transform(to_tsv(full()))
    assert read["event_id"] == "2dfeb9b7-5a87-4214-8a97-a8b23176856b"
    assert read["collector_tstamp"] == "2023-11-14T22:13:20.000Z"
    assert (read["br_cookies"], read["se_value"], read["txn_id"]) == (True, "1.10", 3)
    assert read["contexts_com_snowplowanalytics_snowplow_web_page_1"] == [{"n": 1.1}]
    assert read["unstruct_event_com_snowplowanalytics_snowplow_web_page_1"] == {"id": "x"}


def test_canonical_json() -> None:
    values = as_json(full())
    assert list(values) == [field.name for field in ATOMIC_FIELDS]
    assert (values["txn_id"], values["br_cookies"], values["se_value"]) == (3, True, "1.10")
    assert values["etl_tstamp"] == "2023-11-14 22:13:20.001"
    assert values["unstruct_event"]["data"]["data"] == {"id": "x"}
    assert values["derived_contexts"] is None
    assert b'"n":1.10' in json_text(full())


def test_columns_of_a_bad_row() -> None:
    values = bad_row_columns(full())
    assert list(values) == [field.name for field in ATOMIC_FIELDS]
    assert (values["txn_id"], values["br_cookies"], values["page_urlport"], values["se_value"]) == ("3", 1, 443, "1.10")
    assert json.loads(values["contexts"])["data"][0]["data"] == {"n": 1.1}
    assert values["geo_latitude"] == 42.1


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (42.1, "42.1"),
        (0.0, "0.0"),
        (-0.1, "-0.1"),
        (100.0, "100.0"),
        (1e-5, "1.0E-5"),
        (37.751, "37.751"),
        (12345678.0, "1.2345678E7"),
    ],
)
def test_floats_as_java_prints_them(number: float, text: str) -> None:
    assert float_text(number) == text


@pytest.mark.parametrize(
    ("number", "narrow"), [(43.880001068115234, 43.88), (43.88, 43.88), (0.1234567891, 0.12345679)]
)
def test_a_narrowed_number_has_the_digits_that_tsv_shows(number: float, narrow: float) -> None:
    assert narrowed(number) == narrow

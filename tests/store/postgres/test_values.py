"""Values as PostgreSQL's COPY takes them: nothing is cut, what does not fit is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowgauge.store.postgres.types import PgType
from snowgauge.store.postgres.values import Misfit, converter, escaped, pg_time


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("text", "a\tb\\c\n\r", "a\\tb\\\\c\\n\\r"),
        ("text", "a\x00b", "ab"),
        ("text", {"a": [1, None]}, '{"a":[1,null]}'),
        ("text", 1.5, "1.5"),
        ("bigint", 5, "5"),
        ("bigint", 5.0, "5"),
        ("integer", -(2**31), "-2147483648"),
        ("double", 5, "5.0"),
        ("double", 1e308, "1e+308"),
        ("boolean", True, "t"),
        ("timestamp", "2024-05-01T12:00:00Z", "2024-05-01 12:00:00"),
        ("timestamp", "2024-05-01T12:00:00.123456789Z", "2024-05-01 12:00:00.123456"),
        ("timestamp", "2024-05-01T12:00:00+01:00", "2024-05-01 11:00:00"),
        ("timestamp", "2024-05-01T23:30:00.5-0330", "2024-05-02 03:00:00.5"),
        ("timestamp", "2024-05-01t12:00:00z", "2024-05-01 12:00:00"),
        ("timestamp", "2024-05-01T12:00:00", "2024-05-01 12:00:00"),
        ("timestamp", "2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
        ("timestamp", "0000-01-01T00:00:00Z", "0001-01-01 00:00:00 BC"),
        ("date", "2024-05-01", "2024-05-01"),
        ("uuid", "2DFEB9B7-5A87-4214-8A97-A8B23176856B", "2dfeb9b7-5a87-4214-8a97-a8b23176856b"),
        ("jsonb", {"a\x00": "b\x00\ud800"}, '{"a":"b?"}'),
        ("jsonb", 2**70, "1180591620717411303424"),
        ("jsonb", "a\nb", '"a\\\\nb"'),
    ],
)
def test_what_fits(kind: Any, value: Any, field: str) -> None:
    assert converter(PgType(kind))(value) == field


@pytest.mark.parametrize(
    ("kind", "size", "value"),
    [
        ("varchar", 3, "abcd"),
        ("varchar", 3, {"a": 1}),
        ("integer", 0, 2**31),
        ("bigint", 0, 2**63),
        ("bigint", 0, 1.5),
        ("bigint", 0, True),
        ("bigint", 0, "5"),
        ("double", 0, "5"),
        ("double", 0, 10**400),
        ("double", 0, False),
        ("boolean", 0, 1),
        ("timestamp", 0, "yesterday"),
        ("timestamp", 0, "2024-02-30T00:00:00Z"),
        ("timestamp", 0, "2024-02-01T25:00:00Z"),
        ("timestamp", 0, "2024-02-01T12:00:61Z"),
        ("timestamp", 0, 5),
        ("date", 0, "2024-02-30"),
        ("date", 0, 5),
        ("uuid", 0, "x"),
        ("uuid", 0, 5),
    ],
)
def test_what_does_not_fit(kind: Any, size: int, value: Any) -> None:
    with pytest.raises(Misfit):
        converter(PgType(kind, size))(value)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01 00:00:00.000"),
        (-1, "1969-12-31 23:59:59.999"),
        (-62135596800000, "0001-01-01 00:00:00.000"),
        (-62135596800001, "0001-12-31 23:59:59.999 BC"),
        (-62167219200000, "0001-01-01 00:00:00.000 BC"),
        (253402300800000, "10000-01-01 00:00:00.000"),
    ],
)
def test_instants(ms: int, text: str) -> None:
    assert pg_time(ms) == text


def test_instants_beyond_the_calendar_do_not_fit() -> None:
    for ms in (-(2**60), 2**60):
        with pytest.raises(Misfit):
            pg_time(ms)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["varchar", "text", "uuid", "integer", "bigint", "double", "boolean", "timestamp", "date",
                        "jsonb", "other"]), _JSON)  # fmt: skip
def test_any_value_becomes_one_field_or_does_not_fit(kind: Any, value: Any) -> None:
    try:
        field = converter(PgType(kind))(value)
    except Misfit:
        return
    assert not set("\t\n\r\x00") & set(field)
    field.encode("utf-8", "replace")


@given(st.text())
def test_escaping_keeps_fields_and_lines_apart(text: str) -> None:
    assert not set("\t\n\r\x00") & set(escaped(text))

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.events.json_text import (
    BadJson,
    FloatLiteral,
    IntLiteral,
    compact,
    comparable,
    deeper_than,
    parse,
    plain,
    read,
)


@pytest.mark.parametrize(
    "text",
    [
        "1.10", "1e3", "1E400", "-0", "0.10", "123456789012345678901234567890", '{"a":[1.0,{"b":2.50}]}', '"\\u007f"',
        "null", "[]", '{"a":1}', "18446744073709551615", "-9223372036854775808", "0.1", "1e-7", "-0.0", "9" * 5000,
    ],
)  # fmt: skip
def test_compact_text_comes_back_as_it_was(text: str) -> None:
    assert compact(read(text, 50)) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('{ "a" : [ 1 , 2.50 ] }', '{"a":[1,2.50]}'),
        ('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'),
        (r'"\u00e9\/\u0009"', '"é/\\t"'),
        (r'"a\ud800b"', '"a?b"'),
        (r'"\ud83d\ude00"', '"😀"'),
        ('"\x80"', '"\\u0080"'),
    ],
)
def test_printing_makes_text_canonical(text: str, printed: str) -> None:
    assert compact(read(text, 50)) == printed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "exhausted input"),
        ("  ", "exhausted input"),
        ('{"a":', "exhausted input"),
        ('"abc', "exhausted input"),
        ("foo", "expected json value got 'foo' (line 1, column 1)"),
        ("[1 2]", "expected ] or , got '2]' (line 1, column 4)"),
        ('{"a" 1}', "expected : got '1}' (line 1, column 6)"),
        ('{"a":1 "b"}', "expected } or , got '\"b\"}' (line 1, column 8)"),
        ("{a:1}", "expected \" got 'a:1}' (line 1, column 2)"),
        ("[\n1,\n]", "expected json value got ']' (line 3, column 1)"),
        ("1 // comment", "expected whitespace or eof got '// com...' (line 1, column 3)"),
        ("Infinity", "expected json value got 'Infini...' (line 1, column 1)"),
    ],
)
def test_what_is_not_json_is_said_as_enrich_says_it(text: str, says: str) -> None:
    with pytest.raises(BadJson) as error:
        read(text, 50)
    assert str(error.value) == f"invalid json: {says}"


@pytest.mark.parametrize(
    ("text", "levels"), [("1", 1), ("[]", 1), ("[1]", 2), ('{"a":[1]}', 3), ('[[],[[2]],"[[[["]', 4)]
)
def test_depth_counts_scalars_as_a_level(text: str, levels: int) -> None:
    read(text, levels)
    with pytest.raises(BadJson, match="maximum allowed JSON depth exceeded"):
        read(f"[{text}]", levels)


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000])
def test_bombs_are_too_deep(text: str) -> None:
    with pytest.raises(BadJson, match="maximum allowed JSON depth exceeded"):
        read(text, 50)


def test_plain_numbers_are_ones_that_any_library_prints() -> None:
    value = read('{"a":[1.10,123456789012345678901234567890,-0,1e999,-1e999]}', 50)
    assert isinstance(value["a"][0], FloatLiteral)
    assert isinstance(value["a"][1], IntLiteral)
    numbers = plain(value)["a"]
    assert numbers == [1.1, 123456789012345678901234567890.0, 0, "1e999", "-1e999"]
    assert [type(number) for number in numbers] == [float, float, int, str, str]
    assert json.loads(json.dumps(numbers)) == numbers
    assert [type(number) for number in comparable(value)["a"]] == [float, int, int, float, float]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_printing_loses_nothing(value: object) -> None:
    text = json.dumps(value)
    parsed = parse(text, 50)
    printed = compact(parsed.value)
    assert json.loads(printed) == json.loads(text)
    assert compact(read(printed, 50)) == printed


@given(st.text())
def test_any_text_is_json_or_refused(text: str) -> None:
    with suppress(BadJson):
        value = read(text, 50)
        json.loads(compact(value))
        assert not deeper_than(value, 50)

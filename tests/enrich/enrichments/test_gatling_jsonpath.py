"""JSONPath in Gatling's dialect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.gatling_jsonpath import JsonPathError, compile_path

DATA = {
    "a": {"b": [{"c": 1, "d": "x"}, {"c": 2, "d": "y"}, {"c": 3}], "a": {"a": 0}},
    "a-b": 5,
    "@id": "i",
    "sp ace": 6,
    "it's": 7,
    "list": [0, 1, 2, 3, 4],
    "limit": 2,
    "nothing": None,
    "yes": True,
    "half": 2.5,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [DATA]),
        (" $ . limit ", [2]),
        ("$.a-b", [5]),
        ("$.@id", ["i"]),
        ("$['sp ace']", [6]),
        ('$["a-b"]', [5]),
        ("$['it\\'s']", [7]),
        ("$['limit','a-b', 'gone']", [2, 5]),
        ("$.gone", []),
        ("$.limit.x", []),
        ("$.limit[0]", []),
        ("$.a.b.c", []),
        ("$.nothing", [None]),
        ("$.list[0]", [0]),
        ("$.list[-1]", [4]),
        ("$.list[0,2,9]", [0, 2]),
        ("$.list[9]", []),
        ("$.list[*]", [0, 1, 2, 3, 4]),
        ("$.list[1:3]", [1, 2]),
        ("$.list[:2]", [0, 1]),
        ("$.list[3:]", [3, 4]),
        ("$.list[-2:]", [3, 4]),
        ("$.list[::2]", [0, 2, 4]),
        ("$.list[::-1]", [4, 3, 2, 1, 0]),
        ("$.a.b[*].c", [1, 2, 3]),
        ("$.a['*'].a", [0]),
        ("$.a.b.*", []),
        ("$.a.a.*", [0]),
        ("$..c", [1, 2, 3]),
        ("$..a", [DATA["a"], {"a": 0}, 0]),
        ("$.a.a..*", [0]),
        ("$.a.b[?(@.c > 1)].c", [2, 3]),
        ("$.a.b[?(@.c >= $.limit)].c", [2, 3]),
        ("$.a.b[?(@.d)].c", [1, 2]),
        ("$.a.b[?(@.d == 'y')].c", [2]),
        ('$.a.b[?(@.d != "y")].c', [1]),
        ("$.a.b[?(2 <= @.c)].c", [2, 3]),
        ("$.a.b[?(@.c == 1 || @.c == 2 && @.d == 'x')].c", [1]),
        ("$.a.b[?(@.c == '1')].c", []),
        ("$.a.b[?(@.c == 1.0)].c", [1]),
        ("$.a.b[?(@.c < 'x')].c", []),
        ("$[?(@.yes == true)].limit", [2]),
        ("$[?(@.yes == 1)].limit", []),
        ("$[?(@.nothing == null)].limit", [2]),
        ("$[?(@.half > -1.5)].limit", [2]),
        ("$.a[?(@.gone)]", []),
        ("$..[?(@.c == 3)].c", [3]),
        ("$.list[?(@ > 2)]", [3, 4]),
    ],
)
def test_found(path, found):
    assert compile_path(path).find(DATA) == found


@pytest.mark.parametrize(
    ("path", "folded"), [("$.gone", []), ("$.limit", 2), ("$.a.b[*].c", [1, 2, 3]), ("$.list[0]", 0)]
)
def test_one_hit_is_the_value_and_more_or_none_an_array(path, folded):
    assert compile_path(path).fold(DATA) == folded


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".x", "'$' expected but '.' found"),
        ("", "'$' expected but end of source found"),
        ("x", "'$' expected but 'x' found"),
        ("$.a[b]", "':' expected but 'b' found"),
    ],
)
def test_errors_have_the_parsers_text(path, message):
    with pytest.raises(JsonPathError) as caught:
        compile_path(path)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "path",
    ["$.['a']", "$.", "$..", "$a", "$[", "$[]", "$['a]", "$.a[?(@.b", "$.a[?()]", "$.a[?((@.b))]", "$.a[?(@.b=~/x/)]",
     "$.a[?(@.b.length())]", "$.a[1,]", "$.a]", "$.a b", "$[?(1 == 1)]", "$[?(@.a == )]"],
)  # fmt: skip
def test_what_the_dialect_does_not_have_is_refused(path):
    with pytest.raises(JsonPathError, match=" expected but "):
        compile_path(path)


@given(st.text(alphabet="$@.*['\"]a0-:,?()=<&|! "))
def test_any_text_is_a_path_or_an_error(text):
    try:
        path = compile_path("$" + text)
    except JsonPathError:
        return
    path.find(DATA)

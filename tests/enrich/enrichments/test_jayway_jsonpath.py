"""JSONPath in Jayway's dialect."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.jayway_jsonpath import compile_path

DATA = {
    "a": {"b": [{"c": 1, "d": "xY", "t": ["p", "q"]}, {"c": 2, "d": "z", "t": []}, {"c": 3}], "e": "s"},
    "a-b": 5,
    "@id": "i",
    "sp ace": 6,
    "it's": 7,
    "list": [0, 1, 2, 3],
    "limit": 2,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [DATA]),
        ("$.limit", [2]),
        ("$.a-b", [5]),
        ("$.@id", ["i"]),
        ("$['sp ace']", [6]),
        ("$['it\\'s']", [7]),
        ('$["limit"]', [2]),
        ("$.['limit']", [2]),
        ("$.['limit', 'a-b', 'gone']", [2, 5]),
        ("$.gone", []),
        ("$.limit.x", []),
        ("$.a.e", ["s"]),
        ("$.a.b.c", []),
        ("$.nothing", [None]),
        ("$.nothing.x", []),
        ("$.a.*", [DATA["a"]["b"], "s"]),
        ("$.a[*]", [DATA["a"]["b"], "s"]),
        ("$.list[*]", [0, 1, 2, 3]),
        ("$.list.*", [0, 1, 2, 3]),
        ("$.list[0]", [0]),
        ("$.list[-1]", [3]),
        ("$.list[0,2,9]", [0, 2]),
        ("$.list[1:3]", [1, 2]),
        ("$.list[:2]", [0, 1]),
        ("$.list[2:]", [2, 3]),
        ("$.list[-2:]", [2, 3]),
        ("$.a.b[*].c", [1, 2, 3]),
        ("$..c", [1, 2, 3]),
        ("$..['c','d']", [1, "xY", 2, "z", 3]),
        ("$..t[0]", ["p"]),
        ("$.a.b..*", [*DATA["a"]["b"], 1, "xY", ["p", "q"], "p", "q", 2, "z", [], 3]),
        ("$.a.b[?(@.c > 1)].c", [2, 3]),
        ("$.a.b[?(@.c>=$.limit)].c", [2, 3]),
        ("$.a.b[?(@.d)].c", [1, 2]),
        ("$.a.b[?(!@.d)].c", [3]),
        ("$.a.b[?(@['d'] == 'z')].c", [2]),
        ("$.a.b[?(@.d == 'z' || @.c == 3 && @.c != 4)].c", [2, 3]),
        ("$.a.b[?((@.d == 'z' || @.c == 3) && @.c < 3)].c", [2]),
        ("$.a.b[?(@.d =~ /X./i)].c", [1]),
        ("$.a.b[?(@.d =~ /x/i)].c", []),
        ("$.a.b[?(@.c in [1, 3])].c", [1, 3]),
        ("$.a.b[?(@.c nin [1,3])].c", [2]),
        ("$.a.b[?('p' in @.t)].c", [1]),
        ("$.a.b[?(@.t contains 'q')].c", [1]),
        ("$.a.b[?(@.d contains 'Y')].c", [1]),
        ("$.a.b[?(@.t subsetof ['p','q','r'])].c", [1, 2]),
        ("$.a.b[?(@.t anyof ['q'])].c", [1]),
        ("$.a.b[?(@.t noneof ['q'])].c", [2]),
        ("$.a.b[?(@.t size 2)].c", [1]),
        ("$.a.b[?(@.t empty true)].c", [2]),
        ("$.a.b[?(@.t empty false)].c", [1]),
        ("$.a.b[?(@.c == '1')].c", []),
        ("$.a.b[?(@.c < 'x')].c", []),
        ("$.list[?(@ >= 2)]", [2, 3]),
        ("$.a[?(@.e == 's')].e", ["s"]),
        ("$..[?(@.c == 3)].c", [3]),
    ],
)  # fmt: skip
def test_found(path, found):
    assert compile_path(path).values(DATA) == found


def test_a_place_can_be_written_to():
    document = {"a": [{"b": 1}, {"b": 2}]}
    for container, key in compile_path("$.a[*].b").places([document]):
        container[key] = "x"
    assert document == {"a": [{"b": "x"}, {"b": "x"}]}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a.b", "JSONPath 'a.b': expected '\\$' at character 1, found 'a'"),
        ("", "expected '\\$' at character 1, found the end"),
        ("$.", "expected a name at character 3, found the end"),
        ("$x", "expected '.', '\\[' or the end at character 2, found 'x'"),
        ("$.a[", "expected a name in quotes, an index, '\\*' or '\\?\\('"),
        ("$.a[b]", "expected a name in quotes, an index"),
        ("$['a", 'expected "\'" at character 5, found the end'),
        ("$.a.length()", "functions lead to nothing that can be replaced"),
        ("$.a[?(@.b]", "expected '\\)'"),
        ("$.a[?(1)]", "expected an operator"),
        ("$.a[?(@.b ==)]", "expected a value"),
        ("$.a[?(@.b =~ /(/)]", "/\\(/ is no regular expression"),
        ("$.a b", "expected '.', '\\[' or the end"),
    ],
)
def test_a_path_that_is_none_is_refused(path, words):
    with pytest.raises(ValueError, match=words):
        compile_path(path)


@given(st.text(alphabet="$@.*['\"]a0-:,?()=<&|!/ \\"))
def test_any_text_is_a_path_or_an_error(text):
    with suppress(ValueError):
        compile_path("$" + text).values(DATA)

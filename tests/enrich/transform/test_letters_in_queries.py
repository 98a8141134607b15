"""Letters that stand unescaped in a querystring or form."""

from contextlib import suppress
from urllib.parse import quote_plus

from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.querystrings import BadQuery, parse

letters = st.text(st.characters(categories=["L", "N", "So"]) | st.just("+"), max_size=12)


@given(letters, letters)
def test_they_are_the_text_as_sent_also_beside_escapes(raw: str, escaped: str) -> None:
    pairs = parse(f"a={raw}{quote_plus(escaped)}&{raw}=x")
    assert pairs[0] == ("a", raw.replace("+", " ") + escaped)
    assert pairs[1:] == ([(raw.replace("+", " "), "x")] if raw else [])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_itself_or_refused(text: str) -> None:
    if set(text) & set("%+&;=#"):
        return
    with suppress(BadQuery):
        assert parse(f"a={text}") == [("a", text)]


def test_they_need_not_be_of_the_payloads_encoding() -> None:
    assert parse("a=日+%E9", "ISO-8859-1") == [("a", "日 é")]
    assert parse("a=é+%93%FA%96A", "Shift_JIS") == [("a", "é 日泡")]

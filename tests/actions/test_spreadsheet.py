"""CSV that is opened in a spreadsheet."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.actions.spreadsheet import cell, neutralised


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://a.example","x")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM(A1)",
        "=",
        "-",
    ],
)
def test_what_begins_like_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "a=b", "-1", "+1.5e-7", "-.5", "-inf", "2024-05-01", "'=1", " =1", "user@a.example"]
)
def test_what_does_not_is_left(text: str) -> None:
    assert cell(text) == text


texts = st.text(st.sampled_from("=+-@\t\r\n\",;'1.e a\\ü"), max_size=6)


@given(st.lists(st.lists(texts | st.integers(), min_size=1, max_size=3), max_size=5), st.lists(st.integers(0, 80)))
def test_a_file_in_pieces_is_the_same_table_with_safe_cells(rows: list[list[str | int]], cuts: list[int]) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
    whole = file.getvalue().encode()
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    safe = b"".join(neutralised(whole[a:b] for a, b in pairwise(places)))
    read = list(csv.reader(io.StringIO(safe.decode(), newline="")))
    assert read == [[cell(str(value)) for value in row] for row in rows]


def test_bytes_that_are_no_text_are_left() -> None:
    assert b"".join(neutralised([b'"=\xff","\xfe"\n'])) == b'"\'=\xff","\xfe"\n'

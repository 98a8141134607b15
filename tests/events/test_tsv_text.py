"""Cleaning of strings for the enriched TSV."""

import pytest

from snowgauge.events.tsv_text import tsv_safe


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("a\tb", "a    b"),
        ("a\r\n\x00\x1f\x7fb", "ab"),
        ("\n", None),
        ("", None),
        (None, None),
        ("é\u2028 \u0085x ", "é\u2028 \u0085x "),
    ],
)
def test_tabs_become_spaces_and_ascii_controls_go(text, cleaned):
    assert tsv_safe(text) == cleaned

"""Base64 that never fails."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.transform.base64_text import decode_text


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("dGVzdA", "test"),
        ("dGVzdA==", "test"),
        ("dG Vz\ndA==", "test"),
        ("w7w_", "ü?"),
        ("w7w/", "ü?"),
        ("_-8", "\ufffd\ufffd"),
        ("dGVzdAB", "test\x00"),
        ("dGVzd", "tes"),
        ("dGVz=dA", "tes"),
        ("é?!", ""),
        ("", ""),
    ],
)
def test_both_alphabets_no_padding_foreign_characters(text, content):
    assert decode_text(text) == content


@given(st.text())
def test_reads_what_was_written(content):
    assert decode_text(base64.b64encode(content.encode()).decode()) == content
    assert decode_text(base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")) == content


@given(st.text())
def test_never_fails(text):
    decode_text(text)

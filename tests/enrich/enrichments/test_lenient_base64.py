"""Base64 that never fails."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.lenient_base64 import decode


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("dGVzdA", b"test"),
        ("dGVzdA==", b"test"),
        ("dG Vz\ndA==", b"test"),
        ("_-8", b"\xff\xef"),
        ("/+8", b"\xff\xef"),
        ("dGVzdAB", b"test\x00"),
        ("dGVzd", b"tes"),
        ("dGVz=dA", b"tes"),
        ("é?!", b""),
        ("", b""),
    ],
)
def test_both_alphabets_no_padding_foreign_characters(text, content):
    assert decode(text) == content


@given(st.binary())
def test_reads_what_was_written(content):
    assert decode(base64.b64encode(content).decode()) == content
    assert decode(base64.urlsafe_b64encode(content).decode().rstrip("=")) == content


@given(st.text())
def test_never_fails(text):
    decode(text)

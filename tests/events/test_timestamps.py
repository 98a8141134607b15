"""Instants as text and back."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.events.timestamps import MAX_MS, MIN_MS, instant_text, iso_text, parse_ms, tsv_text

YEAR_ONE = -62135596800000


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01 00:00:00.000"),
        (-1, "1969-12-31 23:59:59.999"),
        (1_714_557_600_123, "2024-05-01 10:00:00.123"),
        (1_709_164_800_000, "2024-02-29 00:00:00.000"),
        (YEAR_ONE, "0001-01-01 00:00:00.000"),
        (YEAR_ONE - 1, "0000-12-31 23:59:59.999"),
        (-62162035200000, "0000-03-01 00:00:00.000"),
        (-62162035200001, "0000-02-29 23:59:59.999"),
        (MIN_MS, "0000-01-01 00:00:00.000"),
        (MAX_MS, "9999-12-31 23:59:59.999"),
    ],
)
def test_the_tsv_form(ms, text):
    assert tsv_text(ms) == text
    assert iso_text(ms) == text.replace(" ", "T") + "Z"
    assert tsv_text(ms) == text


@given(st.integers(YEAR_ONE, MAX_MS))
def test_texts_agree_with_the_calendar_and_are_read_back(ms):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    assert iso_text(ms) == f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    assert tsv_text(ms) == tsv_text(ms)
    assert parse_ms(tsv_text(ms)) == parse_ms(iso_text(ms)) == parse_ms(instant_text(ms)) == ms


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (MAX_MS + 1, "10000-01-01 00:00:00.000"),
        (MIN_MS - 1, "-0001-12-31 23:59:59.999"),
        (MAX_MS + 146_097 * 86_400_000, "10399-12-31 23:59:59.999"),
    ],
)
def test_years_that_four_digits_do_not_hold(ms, text):
    assert tsv_text(ms) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_instant_can_be_written(ms):
    """Year, month and day come back as the same instant when the 400-year cycles are taken off."""
    text = tsv_text(ms)
    sign = -1 if text.startswith("-") else 1
    year, rest = text.lstrip("-").split("-", 1)
    cycles, within = divmod(sign * int(year), 400)
    assert parse_ms(f"{within + 2000}-{rest}") + (cycles - 5) * 146_097 * 86_400_000 == ms


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (1_714_557_600_000, "2024-05-01T10:00:00Z"),
        (1_714_557_600_100, "2024-05-01T10:00:00.100Z"),
        (1_714_557_600_001, "2024-05-01T10:00:00.001Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_the_form_of_javas_instant(ms, text):
    assert instant_text(ms) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-05-01T10:00:00Z", 1_714_557_600_000),
        ("2024-05-01T10:00:00.123456Z", 1_714_557_600_123),
        ("2024-05-01T10:00:00.9999Z", 1_714_557_600_999),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2024-05-01T10:00:00.123456789Z", 1_714_557_600_123),
        ("2024-05-01T12:00:00+02:00", 1_714_557_600_000),
        ("2024-05-01 10:00:00.000", 1_714_557_600_000),
        ("2024-05-01", 1_714_521_600_000),
    ],
)
def test_forms_that_are_read(text, ms):
    assert parse_ms(text) == ms


@given(st.text(st.sampled_from("0123456789-:TZ+. W")) | st.text())
def test_other_text_is_a_value_error(text):
    with suppress(ValueError):
        assert isinstance(parse_ms(text), int)

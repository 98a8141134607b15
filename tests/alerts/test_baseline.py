"""What is usual: against a calculation by hand, and what must hold of any history."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.alerts.baseline import band

HISTORIES = st.lists(st.integers(0, 10**7), min_size=1, max_size=30)


def by_hand(history: list[int], sensitivity: float, share: float, least: float) -> tuple[float, float, float]:
    """The definition, step by step."""

    def middle_of(values: list[float]) -> float:
        ordered = sorted(values)
        half = len(ordered) // 2
        return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

    middle = middle_of([float(one) for one in history])
    mad = middle_of([abs(one - middle) for one in history])
    half = max(sensitivity * 1.4826 * mad, sensitivity * middle**0.5, share * middle, least)
    return max(0.0, middle - half), middle, middle + half


@given(HISTORIES, st.floats(1, 20), st.floats(0, 1), st.floats(0, 100))
def test_as_by_hand(history, sensitivity, share, least):
    found = band(history, sensitivity=sensitivity, least_share=share, least=least)
    assert found == pytest.approx(by_hand(history, sensitivity, share, least))


@given(HISTORIES)
def test_the_middle_is_usual_whatever_the_order(history):
    found = band(history)
    assert 0 <= found.low <= found.middle <= found.high
    assert found == band(sorted(history))


@given(st.lists(st.integers(900, 1100), min_size=3, max_size=9), st.integers(0, 10**7))
def test_one_wild_week_among_quiet_ones_moves_little(history, wild):
    quiet, with_it = band(history), band([*history, wild])
    assert abs(with_it.middle - quiet.middle) <= 200
    assert with_it.high < 2 * quiet.high


@given(HISTORIES, st.floats(1, 10))
def test_more_sensitive_is_narrower(history, sensitivity):
    narrow, wide = band(history, sensitivity=sensitivity), band(history, sensitivity=sensitivity * 2)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_nothing_is_usual_without_history():
    with pytest.raises(ValueError, match="history"):
        band([])


def test_the_noise_of_counting_is_usual():
    # four weeks that are alike by chance say nothing of how counts scatter
    assert band([100, 100, 100, 100]).high >= 100 + 4 * math.sqrt(100)

"""Trends equal what plain Python makes of the same events, on both stores."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.trends.engine import answer
from snowgauge.analytics.reports.trends.formula import read_formula
from snowgauge.analytics.reports.trends.question import read_trends
from snowgauge.testing.figures.asking import Populated, happenings, is_of
from snowgauge.testing.figures.people import AMOUNT, Did

PERIOD = ["2026-03-03", "2026-03-12"]


def series() -> st.SearchStrategy[dict[str, Any]]:
    counted = st.tuples(happenings(), st.sampled_from(["count", "people", "per_person"])).map(
        lambda one: {**one[0], "measure": one[1]}
    )
    measured = st.sampled_from(["sum", "mean", "min", "max", "median", "p90", "sum_per_person"]).map(
        lambda one: {"kind": "event", "name": "play", "filters": [], "measure": one, "property": AMOUNT}
    )
    return counted | measured


def figure(measure: str, some: list[Did]) -> float | None:
    people = len({one.person for one in some})
    numbers = sorted(one.amount for one in some if one.amount is not None)
    match measure:
        case "count":
            return len(some)
        case "people":
            return people
        case "per_person":
            return len(some) / people if people else None
        case "sum":
            return sum(numbers)
        case "mean":
            return statistics.mean(numbers) if numbers else None
        case "min":
            return min(numbers, default=None)
        case "max":
            return max(numbers, default=None)
        case "sum_per_person":
            having = len({one.person for one in some if one.amount is not None})
            return sum(numbers) / having if having else None
    if not numbers:
        return None
    place = (0.5 if measure == "median" else 0.9) * (len(numbers) - 1)
    low = int(place)
    return numbers[low] + (numbers[min(low + 1, len(numbers) - 1)] - numbers[low]) * (place - low)


def expected(one: dict[str, Any], labels: list[str], did: list[Did]) -> tuple[list[float | None], float | None]:
    """The values of one series, day by day, and its total."""
    by_day: dict[str, list[Did]] = {label: [] for label in labels}
    # one event can reach several goals, and is one event all the same
    for one_did in {done.moment: done for done in did if is_of(one, done)}.values():
        day = datetime.fromtimestamp(one_did.ms / 1000, UTC).date().isoformat()
        if day in by_day:
            by_day[day].append(one_did)
    nothing = {"sum": None}
    values = [
        figure(one["measure"], some) if some else nothing.get(one["measure"], figure(one["measure"], []))
        for some in by_day.values()
    ]
    return values, figure(one["measure"], [each for some in by_day.values() for each in some])


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(listed=st.lists(series(), min_size=1, max_size=3))
def test_any_trend(populated: Populated, listed: list[dict[str, Any]]) -> None:
    asked = {"date_range": PERIOD, "interval": "day", "series": listed}
    found = answer(read_trends(asked, populated.around), populated.reporter(), asked)
    for one, line in zip(listed, found.results, strict=True):
        values, total = expected(one, found.labels, populated.did)
        assert line.values == pytest.approx(values), one
        assert line.total == pytest.approx(total)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(listed=st.lists(series(), min_size=1, max_size=2), limit=st.integers(1, 3))
def test_any_breakdown_compared(populated: Populated, listed: list[dict[str, Any]], limit: int) -> None:
    asked = {
        "date_range": PERIOD, "interval": "day", "series": listed, "breakdown": "visit:country", "limit": limit,
        "include": {"comparisons": {"mode": "previous_period"}},
    }  # fmt: skip
    found = answer(read_trends(asked, populated.around), populated.reporter(), asked)
    assert found.labels_before is not None
    first = {done.moment: done for done in populated.did if is_of(listed[0], done)}.values()
    counts = Counter(
        one.country for one in first if datetime.fromtimestamp(one.ms / 1000, UTC).date().isoformat() in found.labels
    )
    kept = sorted(counts, key=lambda country: (-counts[country], country))[:limit]
    per_series = [[line for line in found.results if line.series == at] for at in range(len(listed))]
    for one, lines in zip(listed, per_series, strict=True):
        assert [line.value or "" for line in lines if not line.other] == kept
        for line in lines:
            some = [
                did
                for did in populated.did
                if (did.country not in kept if line.other else did.country == (line.value or ""))
            ]
            values, total = expected(one, found.labels, some)
            assert line.values == pytest.approx(values), (one, line)
            assert line.total == pytest.approx(total)
            values, total = expected(one, found.labels_before, some)
            assert line.before == pytest.approx(values), (one, line)
            assert line.total_before == pytest.approx(total)


def test_a_formula_of_series(populated: Populated) -> None:
    listed = [{"kind": "page", "measure": "people"}, {"kind": "event", "name": "play", "measure": "people"}]
    formulas = [{"formula": "B / A * 100", "label": "Share"}, {"formula": "-(A - B) / (A - A)"}]
    asked = {"date_range": PERIOD, "interval": "day", "series": listed, "formulas": formulas}
    found = answer(read_trends(asked, populated.around), populated.reporter(), asked)
    pages, plays, share, nothing = found.results
    assert [line.series for line in found.results] == [0, 1, None, None]
    assert share.label == "Share"
    pairs = list(zip(pages.values, plays.values, strict=True))
    assert share.values == pytest.approx([100 * b / a if a and b is not None else None for a, b in pairs])
    assert share.total == pytest.approx(100 * (plays.total or 0) / (pages.total or 1))
    assert set(nothing.values) == {None}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A / C", "no series 'C'"), ("A +", "no formula"), ("__import__('os')", "no formula"), ("A ** 9", "no formula"),
        ("1j", "no formula"), ("True", "no formula"), ("(" * 150 + "A" + ")" * 150, "at most 200"),
        ("A if B else 1", "no formula"), ("9" * 100, "no formula"), ("", "no formula"),
    ],
)  # fmt: skip
def test_what_is_no_formula(text: str, says: str) -> None:
    with pytest.raises(QuestionRefused, match=says):
        read_formula(text, "", 2, "formulas[0].formula")


@given(
    a=st.one_of(st.none(), st.floats(-1e9, 1e9)), b=st.one_of(st.none(), st.floats(-1e9, 1e9)),
    sign=st.sampled_from(["+", "-", "*", "/"]),
)  # fmt: skip
def test_any_formula(a: float | None, b: float | None, sign: str) -> None:
    found = read_formula(f"(A {sign} 2.5) {sign} +B", "", 2, "").of({"A": a, "B": b})
    if a is None or b is None or (sign == "/" and b == 0):
        assert found is None
    else:
        first = {"+": a + 2.5, "-": a - 2.5, "*": a * 2.5, "/": a / 2.5}[sign]
        with contextlib.suppress(ZeroDivisionError, OverflowError):
            result = {"+": first + b, "-": first - b, "*": first * b, "/": first / b if b else math.inf}[sign]
            assert found == (pytest.approx(round(result, 6)) if math.isfinite(result) else None)

"""Trends equal what plain Python makes of the same events, on both stores."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.reports.trends import answer, read_trends
from snowgauge.testing.figures.asking import Populated, happenings, is_of
from snowgauge.testing.figures.people import AMOUNT, Did


def series() -> st.SearchStrategy[dict[str, Any]]:
    counted = st.tuples(happenings(), st.sampled_from(["count", "people", "per_person"])).map(
        lambda one: {**one[0], "measure": one[1]}
    )
    measured = st.sampled_from(["sum", "mean", "median", "p90"]).map(
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
    if not numbers:
        return None
    place = (0.5 if measure == "median" else 0.9) * (len(numbers) - 1)
    low = int(place)
    return numbers[low] + (numbers[min(low + 1, len(numbers) - 1)] - numbers[low]) * (place - low)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(listed=st.lists(series(), min_size=1, max_size=3))
def test_any_trend(populated: Populated, listed: list[dict[str, Any]]) -> None:
    asked = {"date_range": ["2026-03-03", "2026-03-12"], "interval": "day", "series": listed}
    found = answer(read_trends(asked, populated.around), populated.reporter(), asked)
    for one, line in zip(listed, found.results, strict=True):
        by_day: dict[str, list[Did]] = {label: [] for label in found.labels}
        # one event can reach several goals, and is one event all the same
        for did in {done.moment: done for done in populated.did if is_of(one, done)}.values():
            day = datetime.fromtimestamp(did.ms / 1000, UTC).date().isoformat()
            if day in by_day:
                by_day[day].append(did)
        nothing = {"sum": None}
        expected = [
            figure(one["measure"], some) if some else nothing.get(one["measure"], figure(one["measure"], []))
            for some in by_day.values()
        ]
        assert line.values == pytest.approx(expected), one
        assert line.total == pytest.approx(figure(one["measure"], [did for some in by_day.values() for did in some]))

"""Periods, comparisons and buckets: zones with clock changes and odd offsets, leap days, starts of the week."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.analytics.buckets import INTERVALS, Interval, buckets, offsets
from snowgauge.analytics.patterns import PatternRefused, common, wildcard
from snowgauge.analytics.periods import PERIODS, Period, WeekStart, before, between, local, named, of_days, year_before
from snowgauge.analytics.refusals import QuestionRefused

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo",
         "Pacific/Apia", "Africa/Casablanca", "Pacific/Kiritimati"]  # fmt: skip
DAY = 86_400_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def period(name: Any, now: str, zone: str = "UTC", week_start: WeekStart = "monday", **more: Any) -> Period:
    given = {"include_today": False, "earliest": None, **more}
    return named(name, now=ms(now), zone=zone, week_start=week_start, **given)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("day", "2026-03-11", "2026-03-11"), ("yesterday", "2026-03-10", "2026-03-10"),
        ("7d", "2026-03-04", "2026-03-10"),
        ("28d", "2026-02-11", "2026-03-10"), ("week", "2026-03-09", "2026-03-15"),
        ("month", "2026-03-01", "2026-03-31"),
        ("last_month", "2026-02-01", "2026-02-28"), ("6mo", "2025-09-01", "2026-02-28"),
        ("12mo", "2025-03-01", "2026-02-28"),
        ("year", "2026-01-01", "2026-12-31"),
    ],
)  # fmt: skip
def test_the_dates_of_periods(name: Any, first: str, last: str) -> None:
    found = period(name, "2026-03-11T12:00:00+00:00")
    assert (str(found.first), str(found.last)) == (first, last)


def test_a_period_belongs_to_its_zone() -> None:
    # in Kathmandu it is the next day already
    found = period("day", "2026-03-11T20:00:00+00:00", "Asia/Kathmandu")
    assert str(found.first) == "2026-03-12"
    assert found.start == ms("2026-03-12T00:00:00+05:45")


def test_a_day_of_a_clock_change_has_23_or_25_hours() -> None:
    forward = of_days(date(2026, 3, 29), date(2026, 3, 29), "Europe/Berlin", "monday")
    back = of_days(date(2026, 10, 25), date(2026, 10, 25), "Europe/Berlin", "monday")
    assert (forward.end - forward.start, back.end - back.start) == (23 * 3_600_000, 25 * 3_600_000)
    labels = [one.label for one in buckets(back, "hour", 0, where="")]
    assert len(labels) == 25
    assert "2026-10-25T02:00:00+02:00" in labels
    assert "2026-10-25T02:00:00+01:00" in labels


def test_weeks_begin_when_the_week_does() -> None:
    for start, first in (("monday", "2026-03-09"), ("sunday", "2026-03-08"), ("saturday", "2026-03-07")):
        found = period("week", "2026-03-11T12:00:00+00:00", week_start=start)  # type: ignore[arg-type]
        assert str(found.first) == first
        inside = between("2026-03-05", "2026-03-19", zone="UTC", week_start=start)  # type: ignore[arg-type]
        weeks = buckets(inside, "week", 0, where="")
        assert weeks[1].label == first
        assert weeks[0].partial
        assert weeks[-1].partial


def test_a_running_period_is_compared_with_as_much_of_the_one_before() -> None:
    now = "2026-03-11T12:00:00+00:00"
    today = period("day", now)
    yesterday = before(today, ms(now))
    assert (yesterday.start, yesterday.end) == (ms("2026-03-10T00:00+00:00"), ms("2026-03-10T12:00+00:00"))
    month = before(period("month", now), ms(now))
    assert (str(month.first), str(month.last)) == ("2026-01-29", "2026-02-08")


def test_a_year_before_keeps_the_weekday_or_the_date() -> None:
    # the first week of 2023 began on a Sunday
    week = between("2023-01-01", "2023-01-07", zone="UTC", week_start="monday")
    matched = year_before(week, 0, match_day_of_week=True)
    assert (str(matched.first), str(matched.last)) == ("2022-01-02", "2022-01-08")
    exact = year_before(week, 0, match_day_of_week=False)
    assert (str(exact.first), str(exact.last)) == ("2022-01-01", "2022-01-07")


def test_29_february_is_28_february_a_year_before() -> None:
    leap = between("2024-02-29", "2024-02-29", zone="UTC", week_start="monday")
    found = year_before(leap, 0, match_day_of_week=False)
    assert (str(found.first), str(found.last)) == ("2023-02-28", "2023-02-28")


@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(date(2005, 1, 1), date(2035, 1, 1)),
    days=st.integers(0, 70),
    interval=st.sampled_from(list(INTERVALS)),
    week_start=st.sampled_from(["monday", "sunday", "saturday"]),
)
def test_buckets_tile_the_period(zone: str, first: date, days: int, interval: Interval, week_start: WeekStart) -> None:
    if interval == "minute":
        days = min(days, 3)
    whole = of_days(first, first + timedelta(days=days), zone, week_start)
    found = buckets(whole, interval, 0, where="")
    assert found[0].start == whole.start
    assert found[-1].end == whole.end
    assert all(one.end == other.start and one.start < one.end for one, other in pairwise(found))
    assert len({one.label for one in found}) == len(found)
    for one in found:
        inside = {local(at, zone).date() for at in (one.start, (one.start + one.end) // 2, one.end - 1)}
        if interval == "day":
            assert inside == {date.fromisoformat(one.label)}
        if interval == "month":
            assert {(day.year, day.month) for day in inside} == {
                (local(one.start, zone).year, local(one.start, zone).month)
            }
        if interval == "hour":
            assert one.end - one.start <= 3_600_000


@given(
    zone=st.sampled_from(ZONES), first=st.dates(date(2005, 1, 1), date(2035, 1, 1)), days=st.integers(0, 400),
    part=st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_offsets_are_those_of_the_zone(zone: str, first: date, days: int, part: float) -> None:
    whole = of_days(first, first + timedelta(days=days), zone, "monday")
    if whole.start == whole.end:
        return  # a day that a zone left out
    at = whole.start + int(part * (whole.end - whole.start))
    known = [offset for since, offset in offsets(whole) if since <= at][-1]
    real = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert real is not None
    assert known == real // timedelta(milliseconds=1)


def test_too_many_buckets_are_refused() -> None:
    year = between("2026-01-01", "2026-12-31", zone="UTC", week_start="monday")
    with pytest.raises(QuestionRefused, match="longer interval"):
        buckets(year, "minute", 0, where="dimensions[0]")


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-02", "2026-03-01"), ("2026-13-01", "2026-13-02"), ("1900-01-01", "1900-01-02"), ("x", "y"),
     ("2026-03-01T00:00:00", "2026-03-02T00:00:00"), ("9999-12-31", "9999-12-31")],
)  # fmt: skip
def test_dates_that_are_none_are_refused(first: str, last: str) -> None:
    with pytest.raises(QuestionRefused, match="date_range"):
        between(first, last, zone="UTC", week_start="monday")


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Europe/berlin ", "", "x" * 10_000])
def test_zones_that_are_none_are_refused(zone: str) -> None:
    with pytest.raises(QuestionRefused, match="timezone"):
        between("2026-03-01", "2026-03-02", zone=zone, week_start="monday")


def test_every_period_has_dates_in_every_zone() -> None:
    for zone in ZONES:
        for name in PERIODS:
            found = period(name, "2026-03-29T00:30:00+00:00", zone)
            assert found.start < found.end, (zone, name)


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?i)a", r"\bword", r"(a)\1", "[[:alpha:]]", "a{200}", "a++", "(", "[a", "a\\", r"\p{L}", "*a"]
)
def test_patterns_that_the_databases_read_differently_are_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        common(pattern)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [(r"\d+", "[0-9]+"), ("a{2}", "a{2}"), ("a{b", r"a\{b"), ("[]a]", r"[\]a]"), (r"[\w.]", "[0-9A-Za-z_.]")],
)
def test_patterns_are_rewritten_into_what_both_know(pattern: str, meant: str) -> None:
    assert common(pattern) == meant


@given(text=st.text(max_size=20), pattern=st.text("ab*/.[", max_size=8))
def test_a_wildcard_is_literal_but_for_its_stars(text: str, pattern: str) -> None:
    made = wildcard(pattern)
    assert re.search(made, pattern.replace("**", "x/y").replace("*", "x"), re.DOTALL)
    if "*" not in pattern:
        assert bool(re.search(made, text, re.DOTALL)) == (text in (pattern, f"{pattern}\n"))

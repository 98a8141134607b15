"""Intervals of a chart: the instants at which its buckets begin, their labels, and which of them are whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from snowgauge.analytics.periods import Period, add_months, local, midnight, week_of
from snowgauge.analytics.refusals import QuestionRefused

Interval = Literal["minute", "hour", "day", "week", "month", "year"]
INTERVALS: dict[Interval, int] = {
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 28 * 86_400_000,
    "year": 365 * 86_400_000,
}
"""Every interval, with the least time (ms) that a whole one takes."""

MOST = 10_000
_DAY = 86_400_000


@dataclass(frozen=True)
class Bucket:
    """``label``: the local date of days and longer ones, else the local time with its offset.

    ``partial``: the period cuts it. ``running``: it holds now. ``future``: it has not begun.
    """

    start: int
    end: int
    label: str
    partial: bool = False
    running: bool = False
    future: bool = False


def buckets(period: Period, interval: Interval, now: int, *, where: str) -> list[Bucket]:
    """The whole period, cut at every beginning of an interval in its zone. Hours and minutes are counted from the
    local day's beginning. Raises ``QuestionRefused`` where there would be too many."""
    if (period.end - period.start) // INTERVALS[interval] > MOST:
        raise QuestionRefused(
            where,
            f"the period has more than {MOST:,} intervals of a {interval}: use a longer interval or a shorter period",
        )
    edges = list(_edges(period, interval))
    found = []
    for begin, end in itertools.pairwise(edges):
        start, stop = max(begin, period.start), min(end, period.end)
        if start < stop:
            found.append(
                Bucket(
                    start,
                    stop,
                    _label(start, interval, period.zone),
                    partial=(start, stop) != (begin, end),
                    running=start <= now < stop,
                    future=start > now,
                )
            )
    return found


def widened(period: Period, interval: Interval) -> Period:
    """The period from the beginning of its first interval to the end of its last one."""
    edges = list(_edges(period, interval))
    start = max(edge for edge in edges if edge <= period.start)
    end = min(edge for edge in edges if edge >= period.end)
    first, last = (local(ms, period.zone).date() for ms in (start, end - 1))
    return Period(start, end, period.zone, period.week_start, first, last)


def offered(period: Period) -> list[Interval]:
    """The intervals that suit the length of a period, the usual one first."""
    length = period.end - period.start
    if length <= 3_600_000:
        return ["minute"]
    if length <= 2 * _DAY + 3_600_000:
        return ["hour", "minute"]
    if length <= 7 * _DAY + 3_600_000:
        return ["day", "hour"]
    if length <= 93 * _DAY:
        return ["day", "week"]
    if length <= 367 * _DAY:
        return ["month", "week", "day"]
    return ["month", "week", "year"]


def _edges(period: Period, interval: Interval) -> Iterator[int]:
    """Ascending instants, the first at or before the period's start, the last at or after its end."""
    zone = period.zone
    first = local(period.start, zone).date()
    if interval in ("minute", "hour"):
        yield from _steps(period, first, INTERVALS[interval])
        return
    day = _first_day(first, interval, period)
    while True:
        edge = midnight(day, zone)
        yield edge
        if edge >= period.end:
            return
        day = _next_day(day, interval)


def _steps(period: Period, day: date, step: int) -> Iterator[int]:
    zone = period.zone
    begin = midnight(day, zone)
    while True:
        day += timedelta(days=1)
        end = midnight(day, zone)
        at = max(begin, begin + (period.start - begin) // step * step)
        while at < end:
            yield at
            if at >= period.end:
                return
            at += step
        begin = end


def _first_day(day: date, interval: Interval, period: Period) -> date:
    if interval == "day":
        return day
    if interval == "week":
        return week_of(day, period.week_start)
    return day.replace(day=1) if interval == "month" else date(day.year, 1, 1)


def _next_day(day: date, interval: Interval) -> date:
    if interval in ("day", "week"):
        return day + timedelta(days=1 if interval == "day" else 7)
    return add_months(day, 1 if interval == "month" else 12)


def _label(start: int, interval: Interval, zone: str) -> str:
    moment = local(start, zone)
    return moment.isoformat(timespec="seconds") if interval in ("minute", "hour") else moment.date().isoformat()


def offsets(period: Period) -> list[tuple[int, int]]:
    """The zone's distance from UTC (ms) in the period: pairs of the instant from which it holds, and itself."""
    found: list[tuple[int, int]] = []
    at = period.start
    while at < period.end:
        offset = _offset(at, period.zone)
        if not found or found[-1][1] != offset:
            found.append((_change(found, at, offset, period.zone), offset))
        at += _DAY
    last = _offset(period.end - 1, period.zone)
    if found[-1][1] != last:
        found.append((_change(found, period.end - 1, last, period.zone), last))
    return found


def _change(found: list[tuple[int, int]], known: int, offset: int, zone: str) -> int:
    """The instant within the day before ``known`` at which the offset became what it is there."""
    if not found:
        return known
    low, high = known - _DAY, known
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == offset else (middle, high)
    return high


def _offset(ms: int, zone: str) -> int:
    distance = local(ms, zone).utcoffset()
    assert distance is not None
    return distance // timedelta(milliseconds=1)

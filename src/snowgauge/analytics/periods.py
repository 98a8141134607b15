"""Periods: words such as ``28d``, or two dates, as two instants; and the periods that they are compared with.

A period belongs to a time zone. Its bounds are computed once, from local dates, so that a day of a clock change has its
23 or 25 hours. ``start`` is in the period, ``end`` is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from snowgauge.analytics.refusals import QuestionRefused

PeriodName = Literal[
    "realtime", "hour", "24h", "day", "yesterday", "7d", "28d", "30d", "91d", "week", "month", "last_month", "6mo",
    "12mo", "year", "all",
]  # fmt: skip
PERIODS: dict[PeriodName, str] = {
    "realtime": "the last 30 minutes",
    "hour": "the last 60 minutes",
    "24h": "the last 24 hours, in whole hours, this one included",
    "day": "today",
    "yesterday": "yesterday",
    "7d": "the last 7 days, to yesterday",
    "28d": "the last 28 days, to yesterday",
    "30d": "the last 30 days, to yesterday",
    "91d": "the last 91 days, to yesterday",
    "week": "this week",
    "month": "this month",
    "last_month": "last month",
    "6mo": "the last 6 months, to the end of last month",
    "12mo": "the last 12 months, to the end of last month",
    "year": "this year",
    "all": "everything that is stored",
}
"""Every period that has a name, in words."""

WeekStart = Literal["monday", "sunday", "saturday"]
_FIRST_WEEKDAY: dict[WeekStart, int] = {"monday": 0, "sunday": 6, "saturday": 5}
_DAYS: dict[str, int] = {"7d": 7, "28d": 28, "30d": 30, "91d": 91}
_MONTHS: dict[str, int] = {"6mo": 6, "12mo": 12}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST, _LATEST = date(1971, 1, 1), date(2199, 12, 31)
assert set(PERIODS) == set(get_args(PeriodName))


@dataclass(frozen=True)
class Calendar:
    """Whose days and weeks."""

    zone: str = "UTC"
    week_start: WeekStart = "monday"


@dataclass(frozen=True)
class Period:
    """From ``start`` to ``end`` (ms since 1970, ``end`` not included), in the zone and weeks of its calendar.

    ``first`` and ``last`` are its local dates (``last`` included) where it is made of whole days.
    """

    start: int
    end: int
    zone: str
    week_start: WeekStart = "monday"
    first: date | None = None
    last: date | None = None

    @property
    def days(self) -> int | None:
        """How many days it has, where it is made of whole ones."""
        return None if self.first is None or self.last is None else (self.last - self.first).days + 1

    def running(self, now: int) -> bool:
        """Is it not over yet?"""
        return self.start <= now < self.end


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=64)
def zone_info(name: str) -> ZoneInfo:
    """Raises ``QuestionRefused`` for a zone that is none."""
    if name not in _zones():
        raise QuestionRefused("timezone", f"{name[:60]!r} is not a time zone: use a name such as Europe/Berlin or UTC")
    return ZoneInfo(name)


def midnight(day: date, zone: str) -> int:
    """The instant (ms) at which a local day begins: at midnight, or when the clock goes past it."""
    return _ms(datetime(day.year, day.month, day.day, tzinfo=zone_info(zone)))


def local(ms: int, zone: str) -> datetime:
    """An instant in the zone."""
    return datetime.fromtimestamp(ms / 1000, zone_info(zone))


def of_days(first: date, last: date, zone: str, week_start: WeekStart) -> Period:
    """Whole days, ``last`` included."""
    return Period(midnight(first, zone), midnight(last + timedelta(days=1), zone), zone, week_start, first, last)


def named(
    name: PeriodName, *, now: int, zone: str, week_start: WeekStart, include_today: bool, earliest: int | None
) -> Period:
    """A period by its name. ``earliest``: the first instant that anything is known of, for ``all``."""
    today = local(now, zone).date()
    if name in ("realtime", "hour"):
        minute = now - now % 60_000 + 60_000
        return Period(minute - (30 if name == "realtime" else 60) * 60_000, minute, zone, week_start)
    if name == "24h":
        clock = local(now, zone)
        hour = now - (clock.minute * 60 + clock.second) * 1000 - now % 1000 + 3_600_000
        return Period(hour - 24 * 3_600_000, hour, zone, week_start)
    first, last = _dates(name, today, week_start, include_today, earliest, zone)
    return of_days(first, last, zone, week_start)


def _dates(
    name: PeriodName, today: date, week_start: WeekStart, include_today: bool, earliest: int | None, zone: str
) -> tuple[date, date]:
    one = timedelta(days=1)
    month = today.replace(day=1)
    if name == "day":
        return today, today
    if name == "yesterday":
        return today - one, today - one
    if name in _DAYS:
        last = today if include_today else today - one
        return last - timedelta(days=_DAYS[name] - 1), last
    if name == "week":
        first = week_of(today, week_start)
        return first, first + timedelta(days=6)
    if name == "month":
        return month, add_months(month, 1) - one
    if name == "last_month":
        return add_months(month, -1), month - one
    if name in _MONTHS:
        after = add_months(month, 1) if include_today else month
        return add_months(after, -_MONTHS[name]), after - one
    if name == "year":
        return date(today.year, 1, 1), date(today.year, 12, 31)
    return (min(local(earliest, zone).date(), today) if earliest is not None else today), today


def between(first: str, last: str, *, zone: str, week_start: WeekStart, where: str = "date_range") -> Period:
    """Two dates (both included), or two times with an offset (the second not included)."""
    if _DATE.fullmatch(first) and _DATE.fullmatch(last):
        begin, end = _date(first, where), _date(last, where)
        if end < begin:
            raise QuestionRefused(where, f"it ends ({last}) before it begins ({first})")
        return of_days(begin, end, zone, week_start)
    start, stop = _time(first, where), _time(last, where)
    if stop <= start:
        raise QuestionRefused(where, f"it ends ({last}) before it begins ({first})")
    return Period(start, stop, zone, week_start)


def week_of(day: date, week_start: WeekStart) -> date:
    """The first day of the week that holds the day."""
    return day - timedelta(days=(day.weekday() - _FIRST_WEEKDAY[week_start]) % 7)


def add_months(day: date, months: int) -> date:
    """The same day of another month, or the last that it has."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for candidate in range(day.day, 27, -1):
        try:
            return date(year, month + 1, candidate)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 28))


def before(period: Period, now: int) -> Period:
    """As many days, or as much time, immediately before."""
    if period.first is None or period.last is None:
        return Period(period.start - (period.end - period.start), period.start, period.zone, period.week_start)
    days = timedelta(days=(period.last - period.first).days + 1)
    return _as_far(period, _moved(period, period.first - days, period.last - days), now)


def year_before(period: Period, now: int, *, match_day_of_week: bool) -> Period:
    """The same dates one year before (29 February: 28), or with the weekdays of the period: from the nearest such day
    after that date on, unless this would be the period's own first day."""
    if period.first is None or period.last is None:
        start, end = (_ms(_year_earlier(local(ms, period.zone))) for ms in (period.start, period.end))
        return Period(start, end, period.zone, period.week_start)
    first = add_months(period.first, -12)
    length = period.last - period.first
    if match_day_of_week:
        moved = first + timedelta(days=(period.first.weekday() - first.weekday()) % 7)
        first = moved if moved != period.first else moved - timedelta(days=7)
        last = first + length
    else:
        last = add_months(period.last, -12)
    return _as_far(period, _moved(period, first, last), now)


def _as_far(period: Period, compared: Period, now: int) -> Period:
    """Where the period is still running: as much of the other one as has gone by of this."""
    if not period.running(now) or period.first is None or compared.first is None:
        return compared
    if period.first == period.last:
        return Period(
            compared.start, min(compared.end, compared.start + now - period.start), period.zone, period.week_start,
            compared.first, compared.last,
        )  # fmt: skip
    gone = local(now, period.zone).date() - period.first
    last = min(compared.first + gone, compared.last or compared.first)
    return _moved(period, compared.first, last)


def _moved(period: Period, first: date, last: date) -> Period:
    return of_days(first, max(first, last), period.zone, period.week_start)


def _year_earlier(moment: datetime) -> datetime:
    day = add_months(moment.date(), -12)
    return moment.replace(year=day.year, month=day.month, day=day.day)


def _date(text: str, where: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise QuestionRefused(where, f"{text!r} is not a date") from None
    if not _EARLIEST <= day <= _LATEST:
        raise QuestionRefused(where, f"{text} is out of range: use dates from {_EARLIEST} to {_LATEST}")
    return day


def _time(text: str, where: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QuestionRefused(
            where, f"{text[:60]!r} is neither a date nor a time such as 2026-03-10T12:00:00+01:00"
        ) from None
    if moment.tzinfo is None:
        raise QuestionRefused(where, f"{text!r} has no offset: write it with Z or +01:00, or give two dates")
    if not _EARLIEST <= moment.date() <= _LATEST:
        raise QuestionRefused(where, f"{text} is out of range: use times from {_EARLIEST} to {_LATEST}")
    return _ms(moment)


def _ms(moment: datetime) -> int:
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)

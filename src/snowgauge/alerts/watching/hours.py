"""The same hour of earlier weeks, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from snowgauge.alerts.rules import HOUR_MS

WEEKS = 4


def hour_of(at: int) -> int:
    """The start of the hour (ms)."""
    return at - at % HOUR_MS


def earlier(start: int, zone: ZoneInfo, weeks: int = WEEKS) -> list[int]:
    """When the wall clock said the same, one to ``weeks`` weeks before (ms): people keep to it when clocks change."""
    wall = datetime.fromtimestamp(start / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    found = []
    for back in range(1, weeks + 1):
        moment = (wall - timedelta(days=7 * back)).replace(tzinfo=zone)
        found.append(round(moment.timestamp()) * 1000)
    return found


def spans(start: int, length: int, zones: set[ZoneInfo], weeks: int = WEEKS) -> list[tuple[int, int]]:
    """Every span that a look at ``start`` reads."""
    starts = {start, *(one for zone in zones for one in earlier(start, zone, weeks))}
    return [(one, one + length) for one in starts]

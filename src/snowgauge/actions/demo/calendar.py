"""When people come: more in the evening than at night, less at the weekend, and a little more every week."""

from __future__ import annotations

from random import Random

from snowgauge.actions.demo.chance import Shares

HOUR = 3_600_000
DAY = 24 * HOUR

_HOURS = (1.2, 0.7, 0.5, 0.4, 0.5, 0.9, 1.8, 3.1, 4.4, 5.2, 5.6, 5.8, 6.0, 5.5, 5.2, 5.3, 5.6, 6.0, 6.6, 7.4, 7.9, 7.0,
          4.8, 2.6)  # fmt: skip
"""Visits by hour of the day, UTC."""
_WEEKDAYS = (1.08, 1.1, 1.06, 1.02, 0.92, 0.78, 0.94)
"""Visits by day of the week, from Monday."""
_GROWTH = 0.25
"""How much more comes on the last day than on the first."""
_TRIES = 3


class Calendar:
    """The days that end at ``until`` (ms)."""

    def __init__(self, days: int, until: int) -> None:
        self.since, self.until = until - days * DAY, until
        hours = range(self.since // HOUR, -(-until // HOUR))
        self._hours = [(self._busy(hour * HOUR), hour * HOUR) for hour in hours]
        self._shares = Shares(self._hours)

    def first(self, chance: Random) -> int:
        """The time of someone's first visit."""
        while True:
            at = self._shares.pick(chance) + chance.randrange(HOUR)
            if self.since <= at < self.until:
                return at

    def next(self, at: int, chance: Random) -> int:
        """When someone who came at ``at`` comes again; may be later than ``until``."""
        tries = [at + HOUR + int(chance.expovariate(1 / (3.5 * DAY))) for _ in range(_TRIES)]
        return max(tries, key=lambda time: self._busy(time) * chance.random())

    def _busy(self, at: int) -> float:
        day, hour = at // DAY, at // HOUR % 24
        growth = 1 + _GROWTH * (at - self.since) / (self.until - self.since)
        return _HOURS[hour] * _WEEKDAYS[(day + 3) % 7] * growth  # 1970 began on a Thursday

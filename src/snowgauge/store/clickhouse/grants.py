"""Which schemas get a column of their own: by use, so that nobody takes all columns with names alone.

Anyone can send events, and an event can name any schema that a registry has. The first half of the columns goes to
schemas at first sight, since a site's own are among the first. The rest has to be earned, and goes slowly: by a hundred
events of applications that bring a share of all events, and a tenth of all columns in an hour.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_PER_EVENT = 10
"""Columns that are given on account of one event."""
_USES = 100
"""Events that earn a column of the second half."""
_SHARE = 100
"""An application counts that brings one in so many events."""
_HOUR = 3600.0
_MOST_NAMES = 5000
_MOST_APPS = 1000


class Grants:
    """What one writer has seen of schemas without a column. ``limit`` is of all columns; ``clock`` is in seconds."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._uses: OrderedDict[str, int] = OrderedDict()
        self._apps: dict[str | None, int] = {}
        self._events = 0
        self._hour = float("-inf")
        self._given = 0

    def count(self, app_id: str | None) -> None:
        """An event of this application came."""
        self._events += 1
        self._apps[app_id] = self._apps.get(app_id, 0) + 1
        if len(self._apps) > _MOST_APPS:  # made up, most of them: what is left are those that come again and again
            self._apps = {app: half for app, count in self._apps.items() if (half := count // 2)}
            self._events = sum(self._apps.values())

    def earned(self, name: str, app_id: str | None, *, taken: int, of_event: int) -> bool:
        """Is the column ``name``, which an event of this application wants, to be made?

        ``taken``: columns that there are; ``of_event``: those given on account of the same event.
        """
        if self._apps.get(app_id, 0) * _SHARE >= self._events:
            self._uses[name] = self._uses.get(name, 0) + 1
            self._uses.move_to_end(name)
            if len(self._uses) > _MOST_NAMES:
                self._uses.popitem(last=False)
        if taken >= self._limit or of_event >= _PER_EVENT:
            return False
        if taken >= (self._limit + 1) // 2 and not self._second_half(name):
            return False
        self._uses.pop(name, None)
        return True

    def _second_half(self, name: str) -> bool:
        if self._uses.get(name, 0) < _USES:
            return False
        now = self._clock()
        if now - self._hour >= _HOUR:
            self._hour, self._given = now, 0
        if self._given >= max(1, self._limit // 10):
            return False
        self._given += 1
        return True

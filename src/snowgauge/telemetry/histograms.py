"""A histogram that takes many values at once.

The library's own writes two numbers that other processes can read for each value, which is a tenth of the collector's
work for a request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import prometheus_client


class Histogram(prometheus_client.Histogram):
    def observe_all(self, values: Sequence[float]) -> None:
        """As ``observe`` for each of them."""
        self._raise_if_not_observable()  # type: ignore[no-untyped-call]
        self._sum.inc(sum(values))
        bounds = self._upper_bounds  # the last is infinite
        for bucket, number in Counter([bisect_left(bounds, value) for value in values]).items():
            self._buckets[bucket].inc(number)

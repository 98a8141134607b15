"""A fixed window per address, as Simple Snowplow 0.5 counts it, in bounded memory."""

from __future__ import annotations

import math
from collections import OrderedDict

from snowgauge.collector.admission.addresses import Address


class RateLimit:
    """One per process. A window begins with an address's first request; request number ``max_requests`` + 1 and later
    ones are told to wait until it ends. Addresses of one IPv6 network of 64 bits are one visitor's."""

    def __init__(self, max_requests: int, window_seconds: float, max_addresses: int) -> None:
        self._max_requests = max_requests
        self._window = window_seconds
        self._max_addresses = max_addresses
        self._windows: OrderedDict[int, list[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def wait(self, address: Address, now: float) -> int:
        """Count one request: 0 lets it in, else whole seconds until the window ends, at least 1."""
        key = int(address) if address.version == 4 else -(int(address) >> 64) - 1
        window = self._windows.get(key)
        if window is None or now >= window[0] + self._window:
            if window is None and len(self._windows) >= self._max_addresses:
                self._windows.popitem(last=False)
            self._windows[key] = [now, 1]
            self._windows.move_to_end(key)
            return 0
        self._windows.move_to_end(key)
        if window[1] < self._max_requests:
            window[1] += 1
            return 0
        return max(1, math.ceil(window[0] + self._window - now))

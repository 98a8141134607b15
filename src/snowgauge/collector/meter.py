"""Counts of the collector, gathered in plain numbers and written to the metrics twice a second.

A counter that other processes can read costs more than the rest of a small request would have left for it.
"""

from __future__ import annotations

import asyncio

from snowgauge.telemetry.metrics import count, observe_all

_INTERVAL = 0.5


class Meter:
    """One per application; belongs to its event loop. ``flush`` at the end, or the last half second is missing."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], int] = {}
        self._refused: dict[str, int] = {}
        self._bytes = 0
        self._seconds: list[float] = []
        self._timer: asyncio.TimerHandle | None = None

    def answered(self, method: str, status: int) -> None:
        key = (method, status // 100)
        self._requests[key] = self._requests.get(key, 0) + 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_INTERVAL, self.flush)

    def refused(self, reason: str) -> None:
        self._refused[reason] = self._refused.get(reason, 0) + 1

    def kept(self, size: int) -> None:
        self._bytes += size

    def took(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        requests, self._requests = self._requests, {}
        refused, self._refused = self._refused, {}
        size, self._bytes = self._bytes, 0
        seconds, self._seconds = self._seconds, []
        for (method, hundreds), amount in requests.items():
            known = method if method in ("GET", "POST", "HEAD", "OPTIONS") else "other"
            count("collector_requests", amount, method=known, status=f"{hundreds}xx")
        for reason, amount in refused.items():
            count("collector_refused", amount, reason=reason)
        if size:
            count("collector_payload_bytes", size)
        if seconds:
            observe_all("collector_request_seconds", seconds)

"""``GET /``: Simple Snowplow's health check, which asks the database too.

Whether events can be received and kept is asked at ``/health`` and ``/sink-health``: that is what load balancers want,
since the event log goes on receiving while the database is unreachable.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec

from snowgauge.collector.pages.answers import Page, page
from snowgauge.collector.request import ASGIApp, Scope
from snowgauge.telemetry.logs import logger

_log = logger("collector")


def system_health(
    check: Callable[[], Mapping[str, bool]],
    table: str,
    *,
    keep_seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> ASGIApp:
    """``check`` says of each part whether it works, and may block; it is asked in a thread, by one request at a time,
    and its answer kept for ``keep_seconds``."""
    lock = asyncio.Lock()
    known: tuple[float, Page] | None = None

    async def make(_: Scope) -> Page:
        nonlocal known
        async with lock:
            if known is not None and monotonic() - known[0] < keep_seconds:
                return known[1]
            try:
                status = dict(await asyncio.to_thread(check))
            except Exception:
                _log.error("health_check_failed", exc_info=True)
                status = {}
            healthy = bool(status) and all(status.values())
            body: dict[str, object] = {"status": status, "healthy": healthy}
            if healthy:
                body["table"] = table
            answer = (200 if healthy else 502, [(b"content-type", b"application/json")], msgspec.json.encode(body))
            known = (monotonic(), answer)
            return answer

    return page("/", make)

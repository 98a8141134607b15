"""The private port that tests put on a real port."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from snowgauge.testing.console import listening


class Slow:
    """Answers a second late, and counts what is under way."""

    def __init__(self) -> None:
        self.under_way = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.under_way += 1
        try:
            await asyncio.sleep(1)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.under_way -= 1


def test_nothing_is_under_way_once_the_server_is_gone() -> None:
    """The next server has the same application, which would count it for ever."""
    app = Slow()
    with listening(app) as url, pytest.raises(httpx.ReadTimeout):  # as a page that is closed no longer waits
        httpx.get(url, timeout=0.2)
    assert app.under_way == 0

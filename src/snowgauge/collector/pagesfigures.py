"""The figures of all processes in Prometheus' text format, on the collector's port where that is asked for."""

from __future__ import annotations

import asyncio

from snowgauge.collector.pages.answers import Page, moved, page
from snowgauge.collector.request import ASGIApp, Receive, Scope, Send
from snowgauge.telemetry import metrics

_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


def figures(path: str) -> ASGIApp:
    """Served at ``path`` without a slash at its end; the address with one leads there, as Simple Snowplow's does."""
    plain = path.rstrip("/")

    async def make(_: Scope) -> Page:
        return 200, [(b"content-type", _TEXT)], await asyncio.to_thread(metrics.render)

    at_plain, at_slash = page(plain, make), moved(f"{plain}/", plain)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (at_slash if scope["path"].endswith("/") else at_plain)(scope, receive, send)

    return app

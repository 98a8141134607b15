"""Durations of an ASGI application's requests, for reporters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from snowgauge.telemetry.reporting import reports
from snowgauge.telemetry.reporting.base import TRANSACTION

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class Traced:
    """Wraps an application. ``name`` says what kind of request it was, once it is answered: few different names."""

    def __init__(self, app: _App, name: Callable[[_Scope], str]) -> None:
        self._app = app
        self._name = name

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http" or not reports.active():
            await self._app(scope, receive, send)
            return
        with reports.transaction("request", "request") as work:
            scope[TRANSACTION] = work

            async def noted(message: Any) -> None:
                if message["type"] == "http.response.start":
                    work.result = f"{message['status'] // 100}xx"
                    work.about["http.response.status_code"] = message["status"]
                await send(message)

            try:
                await self._app(scope, receive, noted)
            finally:
                work.name = f"{scope['method']} {self._name(scope)}"

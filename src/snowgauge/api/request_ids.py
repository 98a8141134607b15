"""An id for each request: on every log line that it causes, and in its answer as ``X-Request-ID``.

A proxy that gave the request an id already has it kept, if it looks like one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from snowgauge.telemetry.logs import about, logger

_log = logger("console")
_HEADER = b"x-request-id"
_LOOKS_LIKE_ONE = re.compile(rb"[0-9A-Za-z_-]{8,64}")
_Scope = MutableMapping[str, Any]
_App = Callable[[_Scope, Any, Any], Awaitable[None]]


class RequestIds:
    """ASGI middleware. What nobody caught becomes a log line and 500."""

    def __init__(self, app: _App) -> None:
        self._app = app

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
        name = given if _LOOKS_LIKE_ONE.fullmatch(given) else secrets.token_hex(8).encode()
        started = False

        async def named(message: _Scope) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (_HEADER, name)]
            await send(message)

        with about(request=name.decode()):
            try:
                await self._app(scope, receive, named)
            except Exception:
                path = str(getattr(scope.get("route"), "path", "page"))
                _log.error("request_failed", method=scope["method"], path=path, exc_info=True)
                if started:
                    raise
                await named(
                    {"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"application/json")]}
                )
                text = b'{"detail":"this went wrong in a way nobody foresaw; the log says how, under the request id"}'
                await send({"type": "http.response.body", "body": text})

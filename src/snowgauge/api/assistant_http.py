"""MCP over streamable HTTP at ``/mcp`` of the private port, for assistants that send an API key.

Each request is for itself: it has a server of its own with the key that it came with, so that nothing of one caller can
reach another. Logins and the open loopback port do not count here: a page in a browser has no key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import orjson
from fastapi import Request

from snowgauge.api.assistant import MISSING, Api, server
from snowgauge.api.doors import Doors, address
from snowgauge.errors import SettingsError

PATH = "/mcp"
LARGEST = 1_000_000
"""Bytes of a request."""
MOST_AT_ONCE = 16
_SELF = "http://127.0.0.1"

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class AssistantHttp:
    """ASGI application. ``app``: the private port, which answers what tools ask."""

    def __init__(self, app: App, doors: Doors) -> None:
        self._app = app
        self._doors = doors
        self._running = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        request = Request(scope)
        if scope["method"] != "POST":
            # there are no sessions, and nothing to listen to
            await _refuse(send, 405, "send requests of MCP as POST", (b"allow", b"POST"))
            return
        who = await asyncio.to_thread(self._doors.principal, request)
        if who is None or who.kind != "key":
            await _refuse(send, 401, "send an API key as Authorization: Bearer", (b"www-authenticate", b"Bearer"))
            return
        if self._running >= MOST_AT_ONCE:
            await _refuse(send, 503, "too many requests of assistants at once", (b"retry-after", b"1"))
            return
        key = request.headers["authorization"].partition(" ")[2].strip()
        self._running += 1
        try:
            await self._answer(scope, receive, send, key)
        finally:
            self._running -= 1

    async def _answer(self, scope: MutableMapping[str, Any], receive: Any, send: Any, key: str) -> None:
        own = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(address(Request(scope)), 0))
        try:
            made = server(Api(_SELF, key, own))
        except SettingsError:
            await _refuse(send, 501, MISSING)
            return
        from mcp.server.transport_security import TransportSecuritySettings

        # names of hosts and origins are checked by the private port, for this path as for the API
        checked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        web = made.streamable_http_app(
            streamable_http_path=PATH, json_response=True, stateless_http=True, max_request_body_size=LARGEST,
            transport_security=checked,
        )  # fmt: skip
        async with web.router.lifespan_context(web):
            await web(scope, receive, send)


async def _refuse(send: Any, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    body = orjson.dumps({"detail": text})
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind, *headers]})
    await send({"type": "http.response.body", "body": body})

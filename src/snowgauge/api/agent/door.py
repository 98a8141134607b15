"""What stands before every route of the agent API: rate limit, access token, CORS, and that nothing is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import orjson

from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.agent.tokens import NotAuthorized, TokenChecker
from snowgauge.collector.admission.addresses import Visitors
from snowgauge.collector.admission.settings import Network

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
Header = tuple[bytes, bytes]

_OPEN = "/openapi.json"
_MOST_ADDRESSES = 10_000
_ALWAYS: list[Header] = [(b"cache-control", b"no-store"), (b"vary", b"origin, authorization")]


class RateLimit:
    """So many requests per address and minute. ``clock`` gives seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._minute = -1
        self._seen: dict[str, int] = {}

    def wait(self, address: str) -> int:
        """0: go on; else the seconds after which asking again makes sense."""
        now = self._clock()
        minute = int(now // 60)
        if minute != self._minute or (len(self._seen) >= _MOST_ADDRESSES and address not in self._seen):
            self._minute = minute
            self._seen.clear()
        count = self._seen[address] = self._seen.get(address, 0) + 1
        return 0 if count <= self._most else 60 - int(now % 60)


class AgentDoor:
    """ASGI middleware. The description of the API alone needs no token. ``proxies``: networks whose word is taken for
    whom they pass on, so that one visitor of a proxy does not use up the limit of all."""

    def __init__(
        self,
        app: App,
        settings: AgentSettings,
        checker: TokenChecker,
        limit: RateLimit,
        proxies: Sequence[Network] = (),
    ) -> None:
        self._app = app
        self._origin = settings.allowed_origin.encode()
        self._checker = checker
        self._limit = limit
        self._visitors = Visitors(proxies)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: list[Header] = scope["headers"]
        origin = next((value for name, value in headers if name == b"origin"), b"")
        added = [*_ALWAYS, *(self._cors() if origin and origin == self._origin else [])]
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["method"] == "OPTIONS":
            allowed = bool(origin) and origin == self._origin
            await _answer(send, 204 if allowed else 403, [*added, *(_PREFLIGHT if allowed else [])])
            return
        client = scope.get("client")
        wait = self._limit.wait(str(self._visitors.behind(client[0] if client else None, headers)))
        if wait:
            retry = (b"retry-after", b"%d" % wait)
            await _answer(send, 429, [*added, retry], "too many requests from this address")
            return
        if path != _OPEN:
            tokens = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
            try:
                await asyncio.to_thread(self._checker.check, tokens)
            except NotAuthorized as refused:
                challenge = [] if refused.status == 503 else [(b"www-authenticate", refused.challenge.encode())]
                await _answer(send, refused.status, [*added, *challenge], refused.description)
                return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, with_headers)

    def _cors(self) -> list[Header]:
        return [(b"access-control-allow-origin", self._origin)]


_PREFLIGHT: list[Header] = [
    (b"access-control-allow-methods", b"GET"),
    (b"access-control-allow-headers", b"authorization"),
    (b"access-control-max-age", b"600"),
]


async def _answer(send: Any, status: int, headers: list[Header], text: str = "") -> None:
    body = orjson.dumps({"detail": text}) if text else b""
    kind: list[Header] = [(b"content-type", b"application/json")] if body else []
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*kind, length, *headers]})
    await send({"type": "http.response.body", "body": body})

"""Drives an ASGI application in this process, one request at a time, byte for byte as a server would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from types import EllipsisType
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

_App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

Chunk = bytes | None | EllipsisType


class Response(msgspec.Struct, frozen=True):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


def scope(
    method: str,
    target: str | bytes,
    headers: Iterable[tuple[str, str | bytes]] = (),
    *,
    client: tuple[str, int] | None = ("203.0.113.7", 50000),
    scheme: str = "http",
    http_version: str = "1.1",
) -> dict[str, Any]:
    """An ASGI scope as a server makes it of a request line and its headers (names lower-cased)."""
    raw = target if isinstance(target, bytes) else target.encode("latin-1")
    path, _, query = raw.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": http_version,
        "method": method,
        "scheme": scheme,
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value if isinstance(value, bytes) else value.encode("latin-1"))
            for name, value in headers
        ],
        "client": client,
        "server": ("127.0.0.1", 8000),
    }


async def call(app: _App, scope: MutableMapping[str, Any], chunks: Iterable[Chunk] = (b"",)) -> Response:
    """Send one request and read its answer. The body comes in ``chunks``; ``None`` is a client that leaves,
    ``...`` one that stalls."""
    waiting = list(chunks) or [b""]
    answer: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        chunk = waiting.pop(0)
        if isinstance(chunk, EllipsisType):
            await asyncio.Event().wait()
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        answer.append(message)

    await app(scope, receive, send)
    start = answer[0]
    assert start["type"] == "http.response.start", answer
    return Response(
        start["status"],
        [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in start.get("headers", ())],
        b"".join(message.get("body", b"") for message in answer[1:]),
    )


class Client:
    """Calls an application from ordinary code, on an event loop of its own; a context, so that the loop is closed."""

    def __init__(self, app: _App) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._runner.run(self._shutdown())
        finally:
            self._runner.close()

    def request(
        self,
        method: str,
        target: str | bytes,
        headers: Iterable[tuple[str, str | bytes]] = (),
        body: bytes | Iterable[Chunk] = b"",
        **more: Any,
    ) -> Response:
        chunks = [body] if isinstance(body, bytes) else body
        return self._runner.run(call(self._app, scope(method, target, headers, **more), chunks))

    def run(self, work: Awaitable[Any]) -> Any:
        """Run a coroutine of a test's own on the same loop."""

        async def wait() -> Any:
            return await work

        return self._runner.run(wait())

    async def _shutdown(self) -> None:
        """The end of the ASGI lifespan, with which applications close what they hold."""
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(_: Any) -> None:
            return None

        await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)

"""Answers of pages: one status, one content type, one body; GET and HEAD only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from snowgauge.collector.request import ASGIApp, Header, Receive, Scope, Send

Page = tuple[int, list[Header], bytes]

_NOT_HERE: Page = (404, [(b"content-type", b"text/plain; charset=UTF-8")], b"Not found")


def page(path: str, make: Callable[[Scope], Awaitable[Page]]) -> ASGIApp:
    """An application that serves one path: what is below it, and other methods, are not found, as everywhere at the
    collector."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - a page needs no body
        status, headers, body = _NOT_HERE
        if scope["method"] in ("GET", "HEAD") and scope["path"] == path:
            status, headers, body = await make(scope)
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, (b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def fixed(path: str, content_type: str, body: bytes) -> ASGIApp:
    """A page that is always the same."""

    async def make(_: Scope) -> Page:
        return 200, [(b"content-type", content_type.encode())], body

    return page(path, make)


def moved(path: str, to: str) -> ASGIApp:
    """307 to another path."""

    async def make(_: Scope) -> Page:
        return 307, [(b"location", to.encode())], b""

    return page(path, make)

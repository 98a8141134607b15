"""One HTTP request as the rest of the collector sees it: the ASGI scope with its headers made searchable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Header = tuple[bytes, bytes]


class Request:
    """``first`` holds the first value of each header under its lower-case name. ``raw_path`` and ``query`` are the
    bytes of the request line. Header text is ISO-8859-1, as in HTTP/1.1."""

    __slots__ = ("first", "headers", "method", "peer", "query", "raw_path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.query: bytes = scope.get("query_string") or b""
        self.headers: list[Header] = scope["headers"]
        self.first: dict[bytes, bytes] = dict(reversed(self.headers))
        client = scope.get("client")
        self.peer: str | None = client[0] if client else None

    @property
    def anonymous(self) -> bool:
        """Did the tracker ask for server-side anonymisation (any ``SP-Anonymous`` header, even an empty one)?"""
        return b"sp-anonymous" in self.first

    @property
    def host(self) -> str:
        """The ``Host`` header, or nothing when it is not a host."""
        return self.first.get(b"host", b"").decode("latin-1")

"""The built console as an ASGI application: files with long caching, every other path the page itself.

The page may load from this port only (Content-Security-Policy). Style elements that its libraries make carry a nonce,
which is new with each answer of the page. Where the console was never built, a page says how to.
"""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from snowgauge.console import docs
from snowgauge.console.answers import answer, policy
from snowgauge.console.docs import Docs

STATIC = Path(__file__).parent / "static"
_NONCE = b"__NONCE__"
_ROOT_FILES = {"/favicon.svg": "image/svg+xml", "/theme.js": "text/javascript"}
_SHARED = "/share/"
_NOT_PAGES = ("/api/", "/agent/", "/micro/", "/iglu/")
_MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Snowgauge</title>
<h1>The console is not built</h1>
<p>Everything else runs: events are collected, enriched and stored, and the API answers here
(<a href="/openapi.json">its description</a>).</p>
<p>To build the console, install Node.js 20 or newer and run <code>make console</code>; then reload this page.
An installed wheel brings it along.</p></html>
"""


class Console:
    """``static`` is the folder of built files. ``frames``: the origins that may embed the page of a share link, by its
    id."""

    def __init__(self, static: Path = STATIC, *, frames: Callable[[str], Sequence[str]] = lambda _: ()) -> None:
        self._static = static
        self._frames = frames
        self._docs = Docs()

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Any, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == docs.ROOT or path.startswith(f"{docs.ROOT}/"):
            await self._docs(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"", "text/plain", {"allow": "GET, HEAD"})
            return
        body_wanted = scope["method"] == "GET"
        if path.startswith(_NOT_PAGES):
            await answer(send, 404, b'{"detail":"there is nothing here"}', "application/json", {})
            return
        if path.startswith("/assets/"):
            await self._asset(path, dict(scope["headers"]), send, body_wanted)
            return
        if path in _ROOT_FILES:
            await self._file(self._static / path[1:], _ROOT_FILES[path], send, body_wanted)
            return
        shared = path.removeprefix(_SHARED) if path.startswith(_SHARED) else ""
        frames = await asyncio.to_thread(self._frames, shared) if shared else ()
        await self._page(send, body_wanted, frames)

    async def _page(self, send: Any, body_wanted: bool, frames: Sequence[str]) -> None:
        nonce = secrets.token_urlsafe(18)
        try:
            page = (self._static / "index.html").read_bytes().replace(_NONCE, nonce.encode())
            status = 200
        except FileNotFoundError:
            page, status = _MISSING.encode(), 503
        headers = {"cache-control": "no-cache", "content-security-policy": policy(nonce, frames=frames)}
        await answer(send, status, page if body_wanted else b"", "text/html; charset=utf-8", headers)

    async def _asset(self, path: str, headers: dict[bytes, bytes], send: Any, body_wanted: bool) -> None:
        """Names hold the content's hash, so they may be kept indefinitely; a compressed copy lies beside each text."""
        name = path.removeprefix("/assets/")
        file = self._static / "assets" / name
        if "/" in name or "\\" in name or name.startswith(".") or not file.is_file():
            await answer(send, 404, b"not found", "text/plain", {})
            return
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        extra = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
        packed = file.with_name(f"{name}.gz")
        if b"gzip" in headers.get(b"accept-encoding", b"") and packed.is_file():
            file, extra["content-encoding"] = packed, "gzip"
        await answer(send, 200, file.read_bytes() if body_wanted else b"", kind, extra)

    async def _file(self, file: Path, kind: str, send: Any, body_wanted: bool) -> None:
        if not file.is_file():
            await answer(send, 404, b"not found", "text/plain", {})
            return
        await answer(send, 200, file.read_bytes() if body_wanted else b"", kind, {"cache-control": "no-cache"})

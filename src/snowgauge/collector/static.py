"""Serves a folder of scripts to browsers of any site: the trackers' JavaScript, first-party.

Names that carry a version (or a hash) never change and are kept for a year; others are asked for again after an hour,
which an ETag makes cheap. Text is compressed once and kept in memory, as is every small file.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
import re
import stat
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote

import msgspec

from snowgauge.collector.request import Header, Receive, Scope, Send

_TYPES = {".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
          ".map": "application/json", ".json": "application/json", ".html": "text/html; charset=utf-8",
          ".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".svg": "image/svg+xml",
          ".ico": "image/x-icon", ".woff2": "font/woff2"}  # fmt: skip
_COMPRESSED = re.compile(r"text/|application/json|image/svg")
_VERSIONED = re.compile(r"[.\-_@/]v?\d+\.\d+\.\d+[.\-_/]|[.\-][0-9a-f]{8,}\.")
_LARGEST = 16 * 1024**2
_KEPT_BYTES = 64 * 1024**2
_ANYWHERE: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"timing-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
)


class _File(msgspec.Struct, frozen=True):
    mark: tuple[int, int]
    headers: tuple[Header, ...]
    etag: bytes
    body: bytes
    compressed: bytes | None


class StaticFiles:
    """An ASGI application for the files below ``folder``, at ``prefix``. The folder may come to be, and change, later.

    ``names`` maps further names to files of the folder. Nothing outside the folder is served, nor hidden files, nor
    what a symbolic link points to outside.
    """

    def __init__(
        self,
        folder: Path,
        *,
        prefix: str = "/static",
        names: Mapping[str, str] | None = None,
        max_age: timedelta = timedelta(hours=1),
    ) -> None:
        self._folder = folder
        self._prefix = prefix.rstrip("/") + "/"
        self._names = dict(names or {})
        self._max_age = int(max_age.total_seconds())
        self._kept: OrderedDict[str, _File] = OrderedDict()
        self._kept_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - no body is read
        method: str = scope["method"]
        status, headers, body = self._answer(method, scope)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    def _answer(self, method: str, scope: Scope) -> tuple[int, list[Header], bytes]:
        if method not in ("GET", "HEAD"):
            return 405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0")], b""
        raw = scope.get("raw_path") or scope["path"].encode()
        path = unquote(raw.decode("utf-8", "replace"))
        asked = path[len(self._prefix) :] if path.startswith(self._prefix) else ""
        name = self._names.get(path) or self._names.get(asked) or asked
        file = self._file(name)
        if file is None:
            body = b"Not found"
            length = (b"content-length", b"%d" % len(body))
            return 404, [(b"content-type", b"text/plain; charset=utf-8"), length, (b"cache-control", b"no-store")], body
        given = dict(scope["headers"])
        etag, body = file.etag, file.body
        headers = [*file.headers]
        if file.compressed is not None:
            headers.append((b"vary", b"accept-encoding"))
            if _accepts_gzip(given.get(b"accept-encoding", b"")):
                headers.append((b"content-encoding", b"gzip"))
                etag, body = etag[:-1] + b'-gzip"', file.compressed
        headers.append((b"etag", etag))
        if _matches(given.get(b"if-none-match"), etag):
            return 304, [pair for pair in headers if pair[0] not in (b"content-type", b"content-encoding")], b""
        headers.append((b"content-length", b"%d" % len(body)))
        return 200, headers, body

    def _file(self, name: str) -> _File | None:
        parts = name.split("/")
        if not name or "\x00" in name or "\\" in name or any(not part or part.startswith(".") for part in parts):
            return None
        path = self._folder.joinpath(*parts)
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
                return None
            mark = (found.st_mtime_ns, found.st_size)
            kept = self._kept.get(name)
            if kept is not None and kept.mark == mark:
                self._kept.move_to_end(name)
                return kept
            if not path.resolve().is_relative_to(self._folder.resolve()):
                return None
            body = path.read_bytes()
        except (OSError, ValueError):
            return None
        return self._keep(name, self._made(name, mark, body))

    def _made(self, name: str, mark: tuple[int, int], body: bytes) -> _File:
        suffix = os.path.splitext(name)[1].lower()
        kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        kept_for = b"public, max-age=%d" % self._max_age
        if _VERSIONED.search("/" + name):
            kept_for = b"public, max-age=31536000, immutable"
        packed = gzip.compress(body, 9, mtime=0) if _COMPRESSED.match(kind) and len(body) > 256 else None
        headers: tuple[Header, ...] = (
            (b"content-type", kind.encode()),
            (b"cache-control", kept_for),
            (b"last-modified", formatdate(mark[0] / 1e9, usegmt=True).encode()),
            *_ANYWHERE,
        )
        etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
        return _File(mark, headers, etag, body, packed if packed and len(packed) < len(body) else None)

    def _keep(self, name: str, file: _File) -> _File:
        old = self._kept.pop(name, None)
        self._kept_bytes += _size(file) - (_size(old) if old else 0)
        self._kept[name] = file
        while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._kept_bytes -= _size(self._kept.popitem(last=False)[1])
        return file


def _size(file: _File) -> int:
    return len(file.body) + len(file.compressed or b"")


def _accepts_gzip(header: bytes) -> bool:
    for part in header.lower().split(b","):
        coding, _, quality = part.strip().partition(b";")
        if coding.strip() in (b"gzip", b"*"):
            return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _matches(header: bytes | None, etag: bytes) -> bool:
    if header is None:
        return False
    return any(part.strip().removeprefix(b"W/") in (etag, b"*") for part in header.split(b","))

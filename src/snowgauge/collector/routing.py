"""Method and path to what happens: the routing table of stream-collector 3.4, with Simple Snowplow's paths added.

There is no list of vendors: any path of two segments is a tracking request, and only enrich tells them apart. A wrong
method on a known path is 404, never 405.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec

from snowgauge.collector.query_strings import decode_path
from snowgauge.collector.request import Scope
from snowgauge.collector.settings import CollectorSettings

Kind = Literal[
    "post", "pixel", "redirect", "preflight", "redirects_disabled", "root", "crossdomain", "health", "sink_health",
    "robots", "not_found",
]  # fmt: skip

TRACKER_PROTOCOL_2 = "/com.snowplowanalytics.snowplow/tp2"


class Route(msgspec.Struct, frozen=True):
    """``path`` is the one that is kept; empty where nothing is."""

    kind: Kind
    path: str = ""


_NOT_FOUND = Route("not_found")
_FIXED: dict[str, Kind] = {
    "/health": "health",
    "/sink-health": "sink_health",
    "/ready": "sink_health",
    "/robots.txt": "robots",
}


class Routes:
    def __init__(self, settings: CollectorSettings) -> None:
        self._paths = dict(settings.paths)
        self._posts = frozenset(settings.post_paths)
        self._pixels = {path: path if path in ("/i", "/ice.png") else "/i" for path in settings.pixel_paths}
        self._redirects = settings.enable_default_redirect
        self._fixed = dict(_FIXED)
        if settings.root_response.enabled:
            self._fixed["/"] = "root"
        if settings.cross_domain.enabled:
            self._fixed["/crossdomain.xml"] = "crossdomain"
        self._remembered = lru_cache(maxsize=2048)(self._find)

    def find(self, method: str, raw_path: bytes) -> Route:
        # long paths are not worth remembering, nor the memory a hostile client could fill with them
        return self._remembered(method, raw_path) if len(raw_path) <= 128 else self._find(method, raw_path)

    def _find(self, method: str, raw_path: bytes) -> Route:
        segments = [decode_path(segment) for segment in raw_path.split(b"/")]
        path = "/".join(segments)
        two = len(segments) == 3 and not segments[0] and bool(segments[1])
        if two and segments[1] == "r" and not self._redirects:
            return Route("redirects_disabled")
        if method == "OPTIONS":
            return Route("preflight")
        if method not in ("GET", "HEAD", "POST"):
            return _NOT_FOUND
        mapped = self._paths.get(path)
        if mapped is None:
            if method == "POST":
                if path in self._posts:
                    return Route("post", TRACKER_PROTOCOL_2)
            elif path in self._pixels:
                return Route("pixel", self._pixels[path])
            if not two:
                return Route(self._fixed[path]) if method == "GET" and path in self._fixed else _NOT_FOUND
            mapped = path
        if mapped.startswith("/r/"):
            return Route("redirect", mapped)
        return Route("post" if method == "POST" else "pixel", mapped)


def request_name(scope: Scope) -> str:
    """The sort of path that was asked for: few different names, and nothing of what visitors may have put into it."""
    segments = str(scope["path"]).split("/")[1:]
    if len(segments) == 2 and all(segments):
        return "/r" if segments[0] == "r" else "/{vendor}/{version}"
    path = f"/{segments[0]}" if len(segments) == 1 else ""
    return path if path in _FIXED or path in ("/", "/i", "/tracker", "/metrics", "/docs") else "other"

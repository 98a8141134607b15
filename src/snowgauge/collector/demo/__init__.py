"""A small shop, tracked with the tracker that the collector serves: `common.demo` puts it at `/demo/`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from snowgauge.collector.static import StaticFiles

PREFIX = "/demo"


def demo() -> StaticFiles:
    """The page's files as an ASGI application below ``PREFIX``."""
    names = {PREFIX: "index.html", PREFIX + "/": "index.html"}
    return StaticFiles(Path(__file__).parent / "files", prefix=PREFIX, names=names, max_age=timedelta(0))

"""Answers to browsers that ask from another origin (stream-collector 3.4).

The origin is echoed and credentials are allowed, always: a tracker's requests carry the cookie from any site. That goes
for ``null`` and ``file://``, too, where stream-collector answers ``*``: browsers refuse it together with credentials.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from snowgauge.collector.request import Header, Request
from snowgauge.collector.settings import CorsSettings

_ORIGIN = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*://(?P<host>\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
)
_NO_HOST = re.compile(r"null|[A-Za-z][A-Za-z0-9+.\-]*://")
"""What browsers send for a page without an origin of its own: a sandboxed frame, a file, an app's web view."""

_CREDENTIALS: Header = (b"access-control-allow-credentials", b"true")
_ANY: tuple[Header, ...] = ((b"access-control-allow-origin", b"*"), _CREDENTIALS)


def _parse(origin: bytes) -> tuple[tuple[str, ...], tuple[Header, ...]]:
    """The hosts of an Origin header, and the headers that answer it."""
    # a long one is not worth a place among the remembered ones, nor the memory a hostile client could fill with them
    return _remembered(origin) if len(origin) <= 256 else _read(origin)


def _read(origin: bytes) -> tuple[tuple[str, ...], tuple[Header, ...]]:
    parts = origin.decode("latin-1").split(" ")
    found = [match for part in parts if (match := _ORIGIN.fullmatch(part))]
    if found:
        return tuple(match["host"] for match in found), _allowing(found[0][0])
    return (), next((_allowing(part) for part in parts if _NO_HOST.fullmatch(part)), _ANY)


def _allowing(origin: str) -> tuple[Header, ...]:
    return (b"access-control-allow-origin", origin.encode("latin-1")), _CREDENTIALS


_remembered = lru_cache(maxsize=4096)(_read)


def origin_hosts(request: Request) -> tuple[str, ...]:
    """Hosts named by the first ``Origin`` header; ``null`` and what does not parse are left out."""
    origin = request.first.get(b"origin")
    return _parse(origin)[0] if origin else ()


def allow_headers(request: Request) -> tuple[Header, ...]:
    """The pair of headers on every tracking answer."""
    origin = request.first.get(b"origin")
    return _parse(origin)[1] if origin else _ANY


class Preflight:
    """Answers ``OPTIONS`` on any path; what the browser asks for makes no difference."""

    def __init__(self, settings: CorsSettings) -> None:
        self._allowed = (b"access-control-allow-headers", ", ".join(settings.allowed_headers).encode())
        self._max_age = _max_age(settings.access_control_max_age)
        self._by_path = {path.encode(): _max_age(age) for path, age in settings.access_control_max_age_by_path.items()}

    def headers(self, request: Request) -> list[Header]:
        max_age = self._by_path.get(request.raw_path, self._max_age)
        return [*allow_headers(request), self._allowed, max_age]


def _max_age(age: timedelta) -> Header:
    return (b"access-control-max-age", b"%d" % int(age.total_seconds()))

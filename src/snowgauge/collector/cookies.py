"""The cookies of a request and of its answer (stream-collector 3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache

from snowgauge.collector.cors import origin_hosts
from snowgauge.collector.request import Header, Request
from snowgauge.collector.settings import CookieSettings, DoNotTrackCookieSettings

_NOT_IN_COOKIES = re.compile(r"[\x00-\x1f\x7f;]|[^\x00-\xff]")


def find_cookie(request: Request, name: bytes) -> str | None:
    """The raw value of the first cookie of that name: not decoded, not unquoted.

    More lenient than Snowplow's collector, which sees no cookie of a header line that it cannot parse whole.
    """
    if b"cookie" not in request.first:
        return None
    for header, line in request.headers:
        if header == b"cookie" and name in line:
            for part in line.split(b";"):
                key, equals, value = part.partition(b"=")
                if equals and key.strip() == name:
                    return value.strip().decode("latin-1")
    return None


def do_not_track(settings: DoNotTrackCookieSettings) -> Callable[[Request], bool]:
    """Does a request carry the opt-out cookie with a value that matches whole?"""
    if not settings.enabled:
        return lambda _: False
    name, matches = settings.name.encode(), re.compile(settings.value).fullmatch

    def opted_out(request: Request) -> bool:
        value = find_cookie(request, name)
        return value is not None and matches(value) is not None

    return opted_out


class CookieJar:
    """Reads the network user id's cookie and writes it, the client cookie included."""

    def __init__(self, settings: CookieSettings) -> None:
        self._enabled = settings.enabled
        self._domains = settings.domains
        self._fallback = f"; Domain={settings.fallback_domain}" if settings.fallback_domain else ""
        self._name = settings.name.encode()
        self._max_age = int(settings.expiration.total_seconds())
        secure = settings.secure or settings.same_site == "None"
        tail = "; Path=/"
        if settings.same_site:
            tail += f"; SameSite={settings.same_site}"
        if secure:
            tail += "; Secure"
        self._tails = [(settings.name, f"{tail}; HttpOnly" if settings.http_only else tail)]
        if settings.client_cookie_name:
            self._tails.append((settings.client_cookie_name, tail))

    def read(self, request: Request) -> str | None:
        return find_cookie(request, self._name)

    def write(self, request: Request, now_ms: int, network_user_id: str, cookie: str | None) -> list[Header]:
        """``Set-Cookie`` headers. ``cookie`` is what ``read`` gave: under SP-Anonymous it is taken back."""
        if not self._enabled:
            return []
        seconds = now_ms // 1000
        if request.anonymous:
            if cookie is None:
                return []
            value, seconds = "", seconds - self._max_age
        else:
            value = network_user_id
            if _NOT_IN_COOKIES.search(value):
                value = _NOT_IN_COOKIES.sub("", value)
            seconds += self._max_age
        domain = self._domain(request) if self._domains else self._fallback
        middle = f"={value}; Expires={_http_date(seconds)}{domain}"
        return [(b"set-cookie", f"{name}{middle}{tail}".encode("latin-1")) for name, tail in self._tails]

    def _domain(self, request: Request) -> str:
        """The first configured domain that a host of the Origin equals or lies below."""
        hosts = origin_hosts(request)
        for domain in self._domains:
            if any(host == domain or host.endswith(f".{domain}") for host in hosts):
                return f"; Domain={domain}"
        return self._fallback


@lru_cache(maxsize=16)
def _http_date(second: int) -> str:
    return formatdate(max(0, min(second, 253_402_300_799)), usegmt=True)

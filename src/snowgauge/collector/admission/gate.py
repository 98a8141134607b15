"""The gate in front of everything the collector serves: wrong host, plain HTTP, too many requests.

Where nothing of it is asked for there is no gate, and requests pay nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from snowgauge.collector.admission.addresses import Networks, Visitors
from snowgauge.collector.admission.rate_limit import RateLimit
from snowgauge.collector.admission.settings import SecuritySettings
from snowgauge.collector.cors import allow_headers
from snowgauge.collector.endpoints import Answer, text
from snowgauge.collector.redirects import https_location
from snowgauge.collector.request import Header, Request

_PROBES = (b"/health", b"/sink-health", b"/ready")
"""What load balancers ask for, by address and without TLS. They tell nothing and cost nothing."""
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def gate(settings: SecuritySettings, monotonic: Callable[[], float] = time.monotonic) -> Gate | None:
    """``None`` where everything may come in."""
    wanted = settings.enable_https_redirect or settings.rate_limiting.enabled or "*" not in settings.trusted_hosts
    return Gate(settings, monotonic) if wanted else None


class Gate:
    """``refusal`` says why a request may not come in; ``headers`` go onto every answer."""

    def __init__(self, settings: SecuritySettings, monotonic: Callable[[], float]) -> None:
        limiting = settings.rate_limiting
        self._monotonic = monotonic
        hosts = settings.trusted_hosts
        self._any_host = "*" in hosts
        self._hosts = frozenset(host for host in hosts if not host.startswith("*"))
        self._below = tuple(host[1:] for host in hosts if host.startswith("*."))
        self._redirect = settings.enable_https_redirect
        self._believe = settings.trust_proxy_headers
        self._visitors = Visitors(settings.trusted_proxies if settings.trust_proxy_headers else ())
        self._limit = (
            RateLimit(limiting.max_requests, limiting.window_seconds, limiting.max_addresses)
            if limiting.enabled
            else None
        )
        self._never_limited = Networks(limiting.ip_whitelist)
        self._paths = tuple(path.rstrip("/").encode() for path in limiting.path_whitelist if path not in _PROBE_TEXTS)
        self.headers: list[Header] = [_HSTS] if self._redirect else []

    def refusal(self, request: Request) -> tuple[str, Answer] | None:
        """A word for the count of refused requests, and the answer."""
        path = request.raw_path
        if path in _PROBES:
            return None
        if not self._any_host and not self._trusted(request.host):
            return "host", text(400, b"Invalid host header")
        if self._redirect and path != b"/" and self._plain(request):
            location = https_location(request, 443)
            if location is None:
                return "host", text(400, b"Invalid host header")
            return "https", (307, [(b"location", location), *allow_headers(request)], b"")
        if self._limit is not None and request.method != "OPTIONS" and not self._free(path):
            address = self._visitors.address(request)
            if address is not None and address not in self._never_limited:
                wait = self._limit.wait(address, self._monotonic())
                if wait:
                    status, headers, body = text(429, b"Too many requests")
                    return "rate", (status, [*allow_headers(request), (b"retry-after", b"%d" % wait), *headers], body)
        return None

    def _trusted(self, host: str) -> bool:
        name = host.strip().lower()
        name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
        name = name.rstrip(".")
        return name in self._hosts or (bool(self._below) and name.endswith(self._below))

    def _plain(self, request: Request) -> bool:
        """Plain HTTP, as a proxy says, or else as the connection is. Any proxy: who lies about it fools only himself,
        and a proxy that is not known would be redirected in a loop."""
        forwarded = request.first.get(b"x-forwarded-proto") if self._believe else None
        if forwarded:
            return forwarded.split(b",")[0].strip().lower() == b"http"
        scheme: str = request.scope.get("scheme", "http")
        return scheme == "http"

    def _free(self, path: bytes) -> bool:
        return any(path == free or path.startswith(free + b"/") for free in self._paths)


_PROBE_TEXTS = frozenset(probe.decode() for probe in _PROBES)
"""Left out of the paths that stand for everything below them: `/health/x` is a tracking request."""

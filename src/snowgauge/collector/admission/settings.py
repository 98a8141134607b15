"""Settings of what may come in at the public door, under the names of Simple Snowplow's ``security`` section."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from snowgauge.part_settings import PartSettings

Network = IPv4Network | IPv6Network
"""An address or a range of addresses: ``192.0.2.7``, ``10.0.0.0/8``, ``2001:db8::/32``."""


def _host(value: str) -> str:
    pattern = value.strip().lower()
    if not re.fullmatch(r"\*|(\*\.)?[a-z0-9_.\-]+|\[[0-9a-f:.]+\]", pattern):
        raise ValueError(f"expected a host such as 'example.com' or '*.example.com', without a port, found {value!r}")
    return pattern


HostPattern = Annotated[str, AfterValidator(_host)]
"""A host name without its port; ``*.example.com`` is any host below example.com; ``*`` is any host."""


def _prefix(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"expected a path with a leading slash, found {value!r}")
    return value


PathPrefix = Annotated[str, AfterValidator(_prefix)]
"""A path that also stands for everything below it."""


class RateLimitingSettings(PartSettings):
    """How many requests one address may make. Each collector process counts for itself, so with several collectors on
    one port an address gets up to that many times the limit."""

    enabled: bool = False
    """Limit requests."""

    max_requests: int = Field(default=100, ge=1)
    """Requests that one address may make in one window; further ones get 429 until it ends."""

    window_seconds: int = Field(default=60, ge=1)
    """Length of the window, which begins with an address's first request."""

    ip_whitelist: list[Network] = []
    """Addresses and ranges that are never limited."""

    path_whitelist: list[PathPrefix] = ["/health"]
    """Paths that are never limited, with everything below them. `/health` and `/sink-health` themselves never are."""

    max_addresses: int = Field(default=100_000, ge=1000)
    """Addresses that one process remembers, some 200 bytes each. Beyond it the one that was silent longest is
    forgotten."""

    @field_validator("ip_whitelist", mode="before")
    @classmethod
    def _of_one(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class SecuritySettings(PartSettings):
    """Which requests the collector's port takes, and what it tells about itself."""

    disable_docs: bool = False
    """Do not serve the description of the public paths: `/docs`, `/redoc`, `/openapi.json`."""

    trusted_hosts: list[HostPattern] = ["*"]
    """Hosts under which the collector may be addressed; requests for others get 400. `*.example.com` is any host below
    it. `/health` and `/sink-health` answer under any, since load balancers ask by address."""

    enable_https_redirect: bool = False
    """Answer plain HTTP with 307 to HTTPS, and insist on HTTPS from then on (HSTS). For a collector behind a proxy that
    ends TLS and says so in `X-Forwarded-Proto`. `/`, `/health` and `/sink-health` answer on plain HTTP too."""

    trust_proxy_headers: bool = True
    """Believe `X-Forwarded-For` of `trusted_proxies` for rate limiting, and `X-Forwarded-Proto` for the redirect to
    HTTPS. The address kept with an event is found as Snowplow's collector does, whatever this says."""

    trusted_proxies: list[Network] = [
        IPv4Network("127.0.0.0/8"),
        IPv4Network("10.0.0.0/8"),
        IPv4Network("172.16.0.0/12"),
        IPv4Network("192.168.0.0/16"),
        IPv4Network("169.254.0.0/16"),
        IPv4Network("100.64.0.0/10"),
        IPv6Network("::1/128"),
        IPv6Network("fc00::/7"),
        IPv6Network("fe80::/10"),
    ]
    """Addresses of your own proxies. The visitor is the last address of `X-Forwarded-For` that is not one of them;
    what stands before it can be made up by anybody."""

    rate_limiting: RateLimitingSettings = RateLimitingSettings()
    """How many requests one address may make."""

"""Settings of the analytics proxy: the names of Simple Snowplow's, which had no limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from snowgauge.part_settings import ByteSize, Duration, PartSettings


def _host(value: str) -> str:
    if not value or any(sign in value for sign in "/@:*? "):
        raise ValueError(f"expected the name of a host, such as 'www.googletagmanager.com', found {value!r}")
    return value.lower().rstrip(".")


def _relative(value: str) -> str:
    return value.removeprefix("/")


class ProxySettings(PartSettings):
    """Third-party scripts by way of the collector's own host, below `common.snowplow.endpoints.proxy_endpoint`.
    Only what both lists allow is fetched."""

    enabled: bool = False
    """Serve the proxy."""

    domains: list[Annotated[str, AfterValidator(_host)]] = ["google-analytics.com", "www.googletagmanager.com"]
    """Hosts that may be asked, matched exactly."""

    paths: list[Annotated[str, AfterValidator(_relative)]] = ["analytics.js", "gtm.js"]
    """Paths that may be asked, without the leading slash, matched exactly."""

    allow_private_hosts: bool = False
    """Let hosts of `domains` be at loopback, private or link-local addresses."""

    timeout: Duration = timedelta(seconds=10)
    """Longest time one fetch may take."""

    max_bytes: ByteSize = Field(default=4 * 1024**2, ge=1024)
    """Largest answer that is passed on."""

    max_requests: int = Field(default=20, ge=1)
    """Fetches under way at a time, per process; further ones are answered 503."""

    cache_for: Duration = timedelta(hours=1)
    """How long an answer is kept and given to browsers; `0` keeps none."""

    cache_bytes: ByteSize = Field(default=32 * 1024**2, ge=0)
    """Memory for kept answers, per process."""

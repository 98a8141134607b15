"""Where other deployments are, and how they are asked."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import field_validator

from snowgauge.part_settings import PartSettings, Secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


class OtherDeployment(PartSettings):
    """A deployment whose agent API is asked."""

    url: str
    """Address below which its agent API is, such as `https://collector.shop.example`; `/agent/v1` is added."""

    token: Secret
    """Access token: its `agent.static_token`, or one that its identity provider issues."""

    allow_private_hosts: bool = False
    """Allow an address that is not public: loopback or a private network."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"use an address such as https://collector.example.com, without a query; found {url!r}")
        return url.rstrip("/").removesuffix("/agent/v1")

    @field_validator("token")
    @classmethod
    def _some_token(cls, token: Secret) -> Secret:
        if not token.get_secret_value().isascii() or not token.get_secret_value().strip():
            raise ValueError("a token is one or more ASCII characters")
        return token


def checked_names(deployments: dict[str, OtherDeployment]) -> dict[str, OtherDeployment]:
    """The deployments, once each has a name that can be shown. Raises ``ValueError``."""
    for name in deployments:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"a deployment's name has 1 to 40 letters, digits, spaces, dots, - and _; found {name[:60]!r}"
            )
    return deployments

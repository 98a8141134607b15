"""Addresses of hosts."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_private(host: str) -> bool:
    return is_ip(host) and ipaddress.ip_address(host).is_private


def is_local(url: str) -> bool:
    host = urlsplit(url).hostname or "localhost"
    return host == "localhost" or is_private(host)

"""Whose request it is, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from snowgauge.collector.admission.settings import Network
from snowgauge.collector.request import Request

Address = IPv4Address | IPv6Address


@lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    """An address, also with a port or in brackets; IPv4 in the form of IPv6 is IPv4."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


class Networks:
    """Ranges of addresses, asked often."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)
        self._remembered = lru_cache(maxsize=4096)(self._find)

    def __contains__(self, address: Address) -> bool:
        return self._remembered(address)

    def _find(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)


class Visitors:
    """Finds the visitor behind proxies: addresses count from the right, as far as each hop is a proxy of ours."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = Networks(proxies)

    def address(self, request: Request) -> Address | None:
        """``None``: the connection has no address that could be read (a Unix socket)."""
        return self.behind(request.peer, request.headers)

    def behind(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> Address | None:
        """Who sent these headers over a connection of ``peer``'s."""
        here = parse(peer) if peer else None
        if here is None or here not in self._proxies:
            return here
        hops = b",".join([value for name, value in headers if name == b"x-forwarded-for"])
        for text in reversed(hops.decode("latin-1").split(",")[-32:] if hops else ()):
            address = parse(text) if len(text) <= 64 else None
            if address is None:  # the proxy before wrote something that is no address: believe that proxy only
                return here
            here = address
            if address not in self._proxies:
                return address
        return here

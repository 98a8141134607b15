"""Outgoing HTTP with limits: time, size, retries, and a guard against reaching the inside of a network.

Events and visitors decide parts of the addresses that are asked for, so a host is resolved here, every address it has
is checked, and the connection goes to the very address that was checked: neither a name that resolves differently the
second time, nor an odd spelling of an address (``0x7f.1``), nor a redirect leads around the check.
"""

from __future__ import annotations

import base64
import ipaddress
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import msgspec

from snowgauge import __version__

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_READ_ONLY = frozenset({"GET", "HEAD"})
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f]")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class PrivateAddress(OSError):
    """A host of the inside was asked for and the deployment does not allow it."""


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet, also when an IPv4 address is wrapped in an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and (address in _NAT64 or address in _COMPATIBLE):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def checked_addresses(host: str, port: int, cure: str = "") -> list[str]:
    """The addresses of ``host``. Raises :class:`PrivateAddress` when any of them is not public; ``cure`` is what its
    text tells the operator to do, where anything can be done."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OSError(f"host {host!r} could not be resolved: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        if not is_public(ipaddress.ip_address(text.partition("%")[0])):
            raise PrivateAddress(
                f"host {host!r} is at {text}, which is not a public address" + (f"; {cure}" if cure else "")
            )
    return addresses


class _GuardedBackend(httpcore.SyncBackend):
    """Connects to checked addresses only. TLS above it still verifies the host's name."""

    def __init__(self, cure: str) -> None:
        self._cure = cure

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = checked_addresses(host, port, self._cure)
        except PrivateAddress:
            raise
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        last: Exception | None = None
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
        raise last or httpcore.ConnectError(f"host {host!r} has no address")


class Answer(msgspec.Struct):
    """Header names are lower-case; of a repeated header the last counts."""

    status: int
    body: bytes
    headers: dict[str, str]
    url: str


class _Request(msgspec.Struct):
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout: float
    max_bytes: int


class HttpClient:
    """Pooled, usable from several threads; implements what enrichments expect of ``HttpFetch``.

    ``retries`` count connection errors of every method, and 5xx answers of methods that change nothing. Waits between
    attempts double from 0.2 s, with jitter. Proxies of the environment are not used: the guard could not see behind
    them. ``private_hosts_cure`` ends the message about a host that is not public.
    """

    def __init__(
        self,
        *,
        timeout: float = 5.0,
        max_bytes: int = 1024**2,
        retries: int = 2,
        connections: int = 20,
        allow_private_hosts: bool = False,
        private_hosts_cure: str = "",
        sleep: Callable[[float], None] = time.sleep,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._retries = retries
        self._sleep = sleep
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=None if allow_private_hosts else _GuardedBackend(private_hosts_cure),
        )

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
    ) -> tuple[int, bytes]:
        answer = self.ask(method, url, headers=headers, body=body, auth=auth, timeout=timeout)
        return answer.status, answer.body

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        redirects: int = 0,
    ) -> Answer:
        """Follow up to ``redirects`` redirects of a GET, each checked as the first address was; credentials stay with
        the host they were meant for. Raises ``OSError``; ``TimeoutError`` where it was time that ran out."""
        sent = {"user-agent": f"snowgauge/{__version__}", "accept": "*/*", "accept-encoding": "identity"}
        sent.update({name.lower(): value for name, value in (headers or {}).items()})
        if auth is not None:
            sent["authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        limit = max_bytes or self._max_bytes
        while True:
            answer = self._with_retries(_Request(method.upper(), url, sent, body, timeout or self._timeout, limit))
            target = answer.headers.get("location")
            if not redirects or answer.status not in _REDIRECTS or not target:
                return answer
            redirects -= 1
            following = urljoin(url, target)
            if urlsplit(following)[:2] != urlsplit(url)[:2]:
                sent.pop("authorization", None)
            url = following

    def close(self) -> None:
        self._pool.close()

    def _with_retries(self, request: _Request) -> Answer:
        method, url = request.method, request.url
        attempt = 0
        while True:
            try:
                answer = self._once(request)
                if answer.status < 500 or method not in _READ_ONLY or attempt >= self._retries:
                    return answer
            except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.RemoteProtocolError) as error:
                if attempt >= self._retries:
                    raise _failure(method, url, error) from error
            except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
                if attempt >= self._retries or method not in _READ_ONLY:
                    raise _failure(method, url, error) from error
            except httpcore.UnsupportedProtocol as error:
                raise OSError(f"address {url!r} cannot be asked: only http and https are possible") from error
            self._sleep(0.2 * 2**attempt * (0.5 + random.random()))  # noqa: S311 (jitter, not a secret)
            attempt += 1

    def _once(self, request: _Request) -> Answer:
        method, url, timeout = request.method, request.url, request.timeout
        limits = {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}
        deadline = time.monotonic() + timeout
        if _NOT_IN_A_URL.search(url):
            raise OSError(f"address {url!r} is not valid: it holds a space or a control character")
        try:
            target = httpcore.URL(url)
            request_headers = [
                (name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers.items()
            ]
        except (ValueError, UnicodeError) as error:
            raise OSError(f"address {url!r} or a header of the request is not valid: {error}") from error
        if not target.host:
            raise OSError(f"address {url!r} cannot be asked: it names no host")
        with self._pool.stream(
            method,
            target,
            headers=[(b"host", _host_header(target)), *request_headers],
            content=request.body,
            extensions={"timeout": limits},
        ) as response:
            pieces, size = [], 0
            for piece in response.iter_stream():
                size += len(piece)
                if size > request.max_bytes:
                    raise OSError(f"{method} {_shown(url)}: the answer is larger than {request.max_bytes} bytes")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{method} {_shown(url)}: no whole answer within {timeout:g} s")
                pieces.append(piece)
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, b"".join(pieces), found, url)


def _host_header(url: httpcore.URL) -> bytes:
    host = b"[" + url.host + b"]" if b":" in url.host else url.host
    usual = {b"http": 80, b"https": 443}.get(url.scheme)
    return host if url.port in (None, usual) else b"%b:%d" % (host, url.port)


def _shown(url: str) -> str:
    """An address without its query and credentials, which may hold keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _failure(method: str, url: str, error: Exception) -> OSError:
    slow = isinstance(error, httpcore.TimeoutException)
    kind = "no answer in time" if slow else "no connection"
    text = f"{method} {_shown(url)}: {kind} ({str(error) or type(error).__name__})"
    return TimeoutError(text) if slow else OSError(text)

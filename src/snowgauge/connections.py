"""Keeps a listening port reachable: watches the open connections of a server that runs inside this process.

Granian has a deadline for the head of an HTTP/1 request and none before it: telling HTTP/1 from HTTP/2, a TLS handshake
and an HTTP/2 connection without a request take as long as the client likes, and each holds one of the places. The
server's sockets are file descriptors of this process, so they are found there; which of them speak is known from the
requests that pass through :class:`ConnectionGuard`. A connection is ended with ``shutdown``, which the server sees as
the client's own end, and never by closing a descriptor that is the server's.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
Peer = tuple[str, int]

_DESCRIPTORS = "/dev/fd"
_LAST_DATA_RECEIVED = struct.Struct("=52xI")
"""Milliseconds since data came in, in Linux's ``struct tcp_info`` (linux/tcp.h)."""
_TICK = 0.05  # seconds; the kernel counts in steps


@dataclass(frozen=True)
class ConnectionLimits:
    """``head_seconds``: from the connection to its first request, and from the first byte of a later one to the end of
    its head. ``idle_seconds``: from one request to the next.
    ``most``: where so many are open, those that are silent longest make room. ``most_per_address``: of one address,
    ``None`` for any number; ``unlimited`` names the addresses this does not apply to."""

    most: int
    head_seconds: float
    idle_seconds: float
    most_per_address: int | None = None
    unlimited: Callable[[str], bool] = lambda _: False

    @property
    def interval(self) -> float:
        """Seconds between two looks."""
        return max(0.02, min(1.0, self.head_seconds / 4, self.idle_seconds / 4))


class _Connection:
    __slots__ = ("begun", "descriptor", "opened", "peer")

    def __init__(self, descriptor: int, peer: Peer, opened: float) -> None:
        self.descriptor = descriptor
        self.peer = peer
        self.opened = opened
        self.begun: tuple[float, float] | None = None
        """The last request's end, and when a further request was first seen to have begun since."""


class _Talk:
    """What passed over the connection with one peer: requests under way, when the last one ended, and whether one
    follows the other."""

    __slots__ = ("busy", "one_at_a_time", "spoke")

    def __init__(self, *, one_at_a_time: bool) -> None:
        self.busy = 0
        self.spoke: float | None = None
        self.one_at_a_time = one_at_a_time


_SILENT = _Talk(one_at_a_time=False)
"""Of a connection that no request has come over."""


class ConnectionGuard:
    """An ASGI application around another. ``keep`` watches the connections of ``port`` until it is cancelled.

    A connection with a request under way is never ended: how long one may take is the application's affair.
    """

    def __init__(
        self, app: App, port: int, limits: ConnectionLimits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._port = port
        self._limits = limits
        self._clock = clock
        self._talks: dict[tuple[str, str | int], _Talk] = {}
        self._known: dict[int, _Connection] = {}
        self._others: set[int] = set()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        peer = scope.get("client")
        if peer is None:  # no request, or a connection that has no address
            await self._app(scope, receive, send)
            return
        talk = self._talks.get(peer)
        if talk is None:
            http1 = str(scope.get("http_version", "")).startswith("1")
            talk = self._talks[peer] = _Talk(one_at_a_time=http1)
        talk.busy += 1
        try:
            await self._app(scope, receive, send)
        finally:
            talk.busy -= 1
            talk.spoke = self._clock()

    def _talk(self, peer: Peer) -> _Talk:
        # the server gives the port as text
        return self._talks.get((peer[0], str(peer[1]))) or self._talks.get(peer) or _SILENT

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(self._limits.interval)
            self.look()

    def look(self) -> None:
        """End the connections that are overdue or one too many."""
        now = self._clock()
        self._find(now)
        overdue, silent = self._silent(now)
        ending = overdue + self._too_many(silent)
        if len(self._known) - len(ending) >= self._limits.most:
            ending += [each for each in silent if each not in ending][: max(1, self._limits.most // 4)]
        for connection in ending:
            self._end(connection)

    def _silent(self, now: float) -> tuple[list[_Connection], list[_Connection]]:
        """Connections without a request under way: those that had all their time, and the others that have been silent
        for a while, the longest first."""
        overdue, silent = [], []
        for connection in self._known.values():
            talk = self._talk(connection.peer)
            if talk.busy > 0:
                continue
            spoke = talk.spoke
            since = connection.opened if spoke is None else spoke
            patience = self._limits.head_seconds if spoke is None else self._limits.idle_seconds
            if now - since >= patience or self._head_overdue(connection, talk, now):
                overdue.append(connection)
            elif now - since >= self._limits.interval:
                silent.append((since, connection))
        return overdue, [connection for _, connection in sorted(silent, key=lambda item: item[0])]

    def _head_overdue(self, connection: _Connection, talk: _Talk, now: float) -> bool:
        """Has a further request begun that long ago? What comes over HTTP/1 once a request was answered is the next."""
        spoke = talk.spoke
        if spoke is None or not talk.one_at_a_time:
            return False
        if connection.begun is None or connection.begun[0] != spoke:
            silent = _silent_seconds(connection.descriptor)
            if silent is None or now - silent <= spoke + _TICK:
                return False
            connection.begun = spoke, now
        return now - connection.begun[1] >= self._limits.head_seconds

    def _too_many(self, silent: list[_Connection]) -> list[_Connection]:
        """What one address has above its limit, beginning with what is silent longest."""
        most = self._limits.most_per_address
        if most is None:
            return []
        held = Counter(connection.peer[0] for connection in self._known.values())
        above = {
            address: number - most
            for address, number in held.items()
            if number > most and not self._limits.unlimited(address)
        }
        chosen = []
        for connection in silent:
            if above.get(connection.peer[0], 0) > 0:
                above[connection.peer[0]] -= 1
                chosen.append(connection)
        return chosen

    def _find(self, now: float) -> None:
        """Bring what is known up to date with the descriptors of this process."""
        found, others = {}, set()
        for descriptor, inode in _sockets():
            if (known := self._known.get(inode)) is not None:
                known.descriptor = descriptor
                found[inode] = known
            elif inode not in self._others and (peer := _peer(descriptor, self._port)) is not None:
                found[inode] = _Connection(descriptor, peer, now)
            else:
                others.add(inode)
        self._others = others
        self._known = found
        peers = {connection.peer for connection in found.values()}
        self._talks = {
            peer: talk for peer, talk in self._talks.items() if talk.busy > 0 or (peer[0], int(peer[1])) in peers
        }

    def _end(self, connection: _Connection) -> None:
        with _duplicate(connection.descriptor) as found:
            # the server may have closed it meanwhile, and the number may be another's now
            if found is not None and _name(found, self._port) == connection.peer:
                with suppress(OSError):
                    found.shutdown(socket.SHUT_RDWR)


def _sockets() -> Iterator[tuple[int, int]]:
    """Descriptor and inode of each socket of this process."""
    for name in os.listdir(_DESCRIPTORS):
        with suppress(OSError):  # closed since
            found = os.fstat(int(name))
            if stat.S_ISSOCK(found.st_mode):
                yield int(name), found.st_ino


@contextmanager
def _duplicate(descriptor: int) -> Iterator[socket.socket | None]:
    """The same connection under a number of our own, which nobody else closes and gives to another."""
    try:
        found = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        yield None
        return
    with found:
        yield found


def _silent_seconds(descriptor: int) -> float | None:
    """How long nothing has come in; ``None`` where the system does not tell."""
    if sys.platform != "linux":
        return None
    with _duplicate(descriptor) as connection, suppress(OSError):
        if connection is not None:
            found = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED.size)
            return float(_LAST_DATA_RECEIVED.unpack(found)[0]) / 1000
    return None


def _peer(descriptor: int, port: int) -> Peer | None:
    with _duplicate(descriptor) as connection:
        return None if connection is None else _name(connection, port)


def _name(connection: socket.socket, port: int) -> Peer | None:
    """Who is at the other end; ``None`` unless it is a connection that was made to ``port``."""
    try:
        here, there = connection.getsockname(), connection.getpeername()
    except OSError:  # the listening socket itself, or one that has gone
        return None
    if connection.family not in (socket.AF_INET, socket.AF_INET6) or here[1] != port:
        return None
    return there[0].partition("%")[0], there[1]

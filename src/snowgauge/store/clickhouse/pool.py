"""HTTP connections to ClickHouse that wait for an answer as long as a ``Wait`` says, in the thread that asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse
from urllib3.util.wait import wait_for_read

from snowgauge.store.patience import Wait


class _Current(threading.local):
    wait: Wait | None = None


_current = _Current()


@contextmanager
def waiting(wait: Wait | None) -> Iterator[None]:
    """What is asked inside, by this thread, is waited for so. Raises ``GivenUp`` itself, and not what the client makes
    of it."""
    before, _current.wait = _current.wait, wait
    try:
        yield
    except Exception:
        if wait is not None and wait.given_up is not None:
            raise wait.given_up from None
        raise
    finally:
        _current.wait = before


def _await(connection: HTTPConnection) -> None:
    wait, sock = _current.wait, connection.sock
    if wait is None or sock is None:
        return
    while not wait_for_read(sock, timeout=wait.left()):
        wait.check()
    if connection.timeout is None or connection.timeout > wait.limit:  # of the rest, from one piece to the next
        connection.timeout = wait.limit


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        _await(self)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        _await(self)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def connection_pool(*, size: int, verify: bool, ca_cert: str | None) -> PoolManager:
    """``size``: connections that are kept."""
    pool: PoolManager = get_pool_manager(maxsize=size, num_pools=1, verify=verify, ca_cert=ca_cert)
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return pool


def ping(pool: PoolManager, url: str, seconds: float) -> bool:
    """Does the server answer anything at all?"""
    with waiting(None):
        try:
            pool.request("GET", f"{url}/ping", timeout=seconds, retries=False).close()
        except (HTTPError, OSError):
            return False
        return True

"""TLS between Snowgauge and PostgreSQL, by libpq's own parameters in ``store.url``.

The server of the wheel is built without SSL, so a door before it speaks the server's side of the handshake: the byte
``S``, then TLS, then whatever the server says.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.certificates import self_signed
from snowgauge.testing.events import web_page_view

SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


class TlsDoor:
    """Listens on loopback; every connection that asks for TLS gets it and is passed on, others are turned away."""

    def __init__(self, certificate: Path, private_key: Path, behind: tuple[str, int]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, private_key)
        self._behind = behind
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.encrypted = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if client.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:
                return
            client.sendall(b"S")
            try:
                inside = self._context.wrap_socket(client, server_side=True)
            except OSError:
                return  # the client does not trust this door
            with inside, socket.create_connection(self._behind) as server:
                self.encrypted += 1
                _pump(inside, server)


def _pump(client: ssl.SSLSocket, server: socket.socket) -> None:
    while True:
        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
        for one in ready:
            try:
                data = one.recv(65_536)
            except OSError:
                return
            if not data:
                return
            (server if one is client else client).sendall(data)


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, tuple[Path, Path]]:
    found = {}
    for name, names, addresses in (
        ("db", ["localhost"], ["127.0.0.1"]),
        ("elsewhere", ["db.elsewhere.example"], []),
    ):
        pair = (tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        self_signed(names, *pair, addresses=addresses)
        found[name] = pair
    return found


@pytest.fixture
def door(url: str, certificates: dict[str, tuple[Path, Path]]) -> Iterator[Any]:
    given = conninfo_to_dict(url)
    doors: list[TlsDoor] = []

    def opened(name: str) -> TlsDoor:
        doors.append(TlsDoor(*certificates[name], (str(given["host"]), int(given["port"] or 5432))))
        return doors[-1]

    yield opened
    for one in doors:
        one.close()


def store_at(url: str, schemas: Any, port: int, **parameters: str) -> PostgresStore:
    through = make_conninfo(url, host="127.0.0.1", port=port, **parameters)
    return PostgresStore(through, PostgresSettings(dbt_tables=False, connect_timeout="5 s"), schemas)


def test_verify_full_with_the_right_authority(url, schemas, door, certificates) -> None:
    opened = door("db")
    store = store_at(url, schemas, opened.port, sslmode="verify-full", sslrootcert=str(certificates["db"][0]))
    store.migrate()
    assert store.write(StoreBatch("b1", [web_page_view(n) for n in range(300)])).events == 300
    assert store.count("good", Selection()) == 300
    assert opened.encrypted >= 1
    store.close()


@pytest.mark.parametrize("mode", ["require", "prefer"])
def test_modes_that_encrypt_without_asking_who_it_is(url, schemas, door, mode) -> None:
    opened = door("elsewhere")
    store = store_at(url, schemas, opened.port, sslmode=mode)
    assert store.ready()
    assert opened.encrypted == 1
    store.close()


@pytest.mark.parametrize(
    ("mode", "serving", "trusted", "reason"),
    [
        ("verify-full", "db", "elsewhere", "certificate verify failed"),
        ("verify-ca", "db", "elsewhere", "certificate verify failed"),
        ("verify-full", "elsewhere", "elsewhere", "does not match host name"),
    ],
)
def test_a_server_that_is_not_the_right_one_is_refused(
    url, schemas, door, certificates, mode, serving, trusted, reason
) -> None:
    opened = door(serving)
    store = store_at(url, schemas, opened.port, sslmode=mode, sslrootcert=str(certificates[trusted][0]))
    with pytest.raises(StoreUnavailable, match=reason):
        store.migrate()
    assert not store.ready()
    store.close()


def test_verify_ca_does_not_look_at_the_name(url, schemas, door, certificates) -> None:
    store = store_at(
        url, schemas, door("elsewhere").port, sslmode="verify-ca", sslrootcert=str(certificates["elsewhere"][0])
    )
    assert store.ready()
    store.close()


def test_a_server_without_tls_is_refused_where_tls_is_asked_for(url, schemas) -> None:
    with psycopg.connect(url) as connection:
        if connection.execute("SHOW ssl").fetchone() == ("on",):
            pytest.skip("the given server speaks TLS")
    port = conninfo_to_dict(url)["port"]
    store = store_at(url, schemas, int(port or 5432), sslmode="require")
    with pytest.raises(StoreUnavailable, match="does not support SSL"):
        store.migrate()
    store.close()


def test_an_authority_that_is_not_there_is_named(url, schemas, door) -> None:
    store = store_at(url, schemas, door("db").port, sslmode="verify-full", sslrootcert="/nowhere/ca.pem")
    with pytest.raises(StoreUnavailable, match=r"/nowhere/ca\.pem"):
        store.migrate()
    store.close()

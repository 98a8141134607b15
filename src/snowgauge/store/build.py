"""From settings to a store: the only place that knows all backends, each imported only when chosen."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec
from pydantic import SecretStr

from snowgauge.errors import SettingsError
from snowgauge.iglu.contract import Resolver
from snowgauge.store.base import Store
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.settings import (
    MAINTENANCE_USER,
    ClickHouseConnectionSettings,
    ClickHouseSettings,
    SimpleSnowplowSchemas,
    StoreSettings,
)

if TYPE_CHECKING:
    from snowgauge.store.clickhouse.foreign_table import ForeignTable
    from snowgauge.store.clickhouse.store import ClickHouseStore
    from snowgauge.store.state_log import StateLog

_CLICKHOUSE = {"clickhouse": "http", "http": "http", "clickhouses": "https", "https": "https"}

_ENGINE = (
    "It is the embedded engine, which runs as part of `snowgauge serve` (or alone: `snowgauge clickhouse`); for a "
    "server set clickhouse.connection.host or store.url"
)


def embedded(store: StoreSettings, clickhouse: ClickHouseSettings) -> bool:
    """Is it the embedded engine that these settings mean?"""
    return not store.url.get_secret_value() and not clickhouse.connection.host


def build(
    store: StoreSettings,
    clickhouse: ClickHouseSettings,
    engine_url: str = "",
    *,
    postgres: PostgresSettings | None = None,
    resolver: Resolver | None = None,
    pool: tuple[int, int] = (5, 10),
    schemas: SimpleSnowplowSchemas | None = None,
) -> Store:
    """The store of these settings; connects at its first use.

    ``engine_url``: where the embedded engine listens; empty: where its settings say. ``resolver``: PostgreSQL's tables
    are laid out by the schemas it gives, so it must be there for ``postgresql://``. ``pool``: connections to ClickHouse
    that are kept, and how many more there may be. ``schemas``: what fills columns of the Simple Snowplow views.
    """
    url = store.url.get_secret_value()
    scheme = urlsplit(url).scheme
    if url and scheme not in BACKENDS:
        known = ", ".join(f"{name}://" for name in BACKENDS)
        raise SettingsError(
            f"store.url begins with {scheme or url[:20]!r}: use one of {known}, or leave it empty for the embedded "
            "engine"
        )
    asked = Asked(url, store, clickhouse, engine_url, postgres or PostgresSettings(), resolver, pool, schemas)
    return BACKENDS[scheme if url else "clickhouse"](asked)


class Asked(msgspec.Struct, frozen=True):
    """All that the settings say about the store, for whichever it is; see ``build``."""

    url: str
    store: StoreSettings
    clickhouse: ClickHouseSettings
    engine_url: str
    postgres: PostgresSettings
    resolver: Resolver | None
    pool: tuple[int, int]
    schemas: SimpleSnowplowSchemas | None


def _clickhouse(asked: Asked) -> Store:
    return build_clickhouse(asked.store, asked.clickhouse, asked.engine_url, pool=asked.pool, schemas=asked.schemas)


def _postgres(asked: Asked) -> Store:
    from snowgauge.store.postgres.store import PostgresStore

    if asked.resolver is None:
        raise TypeError("build(): the PostgreSQL store lays its tables out by schemas and needs a resolver")
    return PostgresStore(asked.url, asked.postgres, asked.resolver)


def _memory(_: Asked) -> Store:
    from snowgauge.store.memory import MemoryStore

    return MemoryStore()


BACKENDS: dict[str, Callable[[Asked], Store]] = {
    **dict.fromkeys(_CLICKHOUSE, _clickhouse),
    "postgresql": _postgres,
    "postgres": _postgres,
    "memory": _memory,
}
"""How each scheme of ``store.url`` is opened. A further store is a folder and a line here."""


def build_clickhouse(
    store: StoreSettings,
    clickhouse: ClickHouseSettings,
    engine_url: str = "",
    *,
    pool: tuple[int, int] = (5, 10),
    schemas: SimpleSnowplowSchemas | None = None,
    maintenance: bool = False,
) -> ClickHouseStore:
    """As ``build``, for settings that are known to mean ClickHouse. ``maintenance``: ask the embedded engine as backup
    and restore do."""
    from snowgauge.store.clickhouse.store import ClickHouseStore

    url = store.url.get_secret_value()
    if url:
        connection = _server(urlsplit(url), clickhouse.connection)
        return ClickHouseStore(clickhouse, connection, pool=pool, schemas=schemas)
    if clickhouse.connection.host:
        return ClickHouseStore(clickhouse, pool=pool, schemas=schemas)
    engine = engine_connection(clickhouse, engine_url, maintenance=maintenance)
    return ClickHouseStore(clickhouse, engine, pool=pool, schemas=schemas, advice=_ENGINE)


def state_log(
    store: StoreSettings, clickhouse: ClickHouseSettings, postgres: PostgresSettings, *, timeout: float = 20
) -> StateLog:
    """The state log in the database of these settings, over a connection of its own that gives up after ``timeout``
    seconds. Connects at its first use; closed at the latest when nothing refers to it any more."""
    url = store.url.get_secret_value()
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        raise SettingsError("shared_state.place: a store in memory keeps nothing that machines could share")
    if scheme in ("postgresql", "postgres"):
        from snowgauge.store.postgres.connection import Connections
        from snowgauge.store.postgres.layout import Layout as PostgresLayout
        from snowgauge.store.postgres.state_log import PostgresStateLog

        connections = Connections(url, size=2, connect_timeout=min(timeout, postgres.connect_timeout.total_seconds()))
        log = PostgresStateLog(connections, PostgresLayout(postgres))
        weakref.finalize(log, connections.close)
        return log
    from snowgauge.store.clickhouse.connection import Connection
    from snowgauge.store.clickhouse.layout import Layout
    from snowgauge.store.clickhouse.state_log import ClickHouseStateLog

    if url:
        chosen = _server(urlsplit(url), clickhouse.connection)
    else:
        chosen = clickhouse.connection if clickhouse.connection.host else engine_connection(clickhouse)
    connection = Connection(chosen, pool=(1, 2), timeout=timeout)
    found = ClickHouseStateLog(connection, Layout(clickhouse.configuration))
    weakref.finalize(found, connection.close)
    return found


def foreign_table(store: StoreSettings, clickhouse: ClickHouseSettings, url: str, name: str) -> ForeignTable:
    """A table of another system. Empty ``url``: on the ClickHouse of these settings."""
    from snowgauge.store.clickhouse.connection import Connection
    from snowgauge.store.clickhouse.foreign_table import ForeignTable

    own = store.url.get_secret_value()
    if not url and own:
        url = own
    if url:
        parts = urlsplit(url)
        if parts.scheme not in _CLICKHOUSE:
            raise SettingsError(
                f"expected the address of a ClickHouse server such as clickhouse://user:password@host:8123, "
                f"found one that begins with {parts.scheme or url[:20]!r}"
            )
        connection = _server(parts, clickhouse.connection)
    else:
        connection = clickhouse.connection if clickhouse.connection.host else engine_connection(clickhouse)
    return ForeignTable(Connection(connection, timeout=clickhouse.insert_timeout.total_seconds()), name)


def engine_connection(
    clickhouse: ClickHouseSettings, engine_url: str = "", *, maintenance: bool = False
) -> ClickHouseConnectionSettings:
    """How to reach the embedded engine."""
    engine = clickhouse.engine
    parts = urlsplit(engine_url or f"http://{_reachable(engine.host)}:{engine.port}")
    return clickhouse.connection.model_copy(
        update={
            "interface": "http",
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or engine.port,
            "username": MAINTENANCE_USER if maintenance else engine.username,
            "password": engine.maintenance_password if maintenance else engine.password,
        }
    )


def _reachable(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - recognised, not listened on
    return f"[{host}]" if ":" in host else host


def _server(parts: SplitResult, base: ClickHouseConnectionSettings) -> ClickHouseConnectionSettings:
    try:
        port = parts.port
    except ValueError:
        raise SettingsError("store.url: the port is not a number from 1 to 65535") from None
    if not parts.hostname:
        raise SettingsError("store.url names no host: write clickhouse://user:password@host:8123/database")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    secure = options.pop("secure", "").lower() in ("1", "true", "yes")
    verify = options.pop("verify", "").lower() not in ("0", "false", "no") and base.verify
    if options:
        raise SettingsError(f"store.url: unknown option {next(iter(options))!r}; known are secure and verify")
    return base.model_copy(
        update={
            "interface": "https" if secure else _CLICKHOUSE[parts.scheme],
            "host": parts.hostname,
            "port": port,
            "username": unquote(parts.username) if parts.username else base.username,
            "password": SecretStr(unquote(parts.password)) if parts.password is not None else base.password,
            "database": unquote(parts.path.strip("/")) or base.database,
            "verify": verify,
        }
    )

"""The collector with everything that its port serves: paths and pages under Simple Snowplow's names among them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from snowgauge.collector.pages import meanings
from snowgauge.collector.pages.description import description
from snowgauge.collector.pages.figures import figures
from snowgauge.collector.pages.system_health import system_health
from snowgauge.collector.request import ASGIApp
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.contract import LogWriter
from snowgauge.pipeline import build
from snowgauge.settings.model import Settings
from snowgauge.store.base import Store

SENDGRID = "/com.sendgrid/v3"


def collector_settings(settings: Settings) -> CollectorSettings:
    """The collector's own settings with those that have another name besides."""
    own, endpoints = settings.collector, settings.common.snowplow.endpoints
    connections = settings.performance.max_concurrent_connections
    networking = own.networking.model_copy(update={"max_connections": connections}) if connections else own.networking
    return own.model_copy(
        update={
            "post_paths": _with(own.post_paths, endpoints.post_endpoint),
            "pixel_paths": _with(own.pixel_paths, endpoints.get_endpoint),
            "paths": {endpoints.sendgrid_endpoint: SENDGRID, **own.paths},
            "networking": networking,
        }
    )


def _with(paths: list[str], one: str) -> list[str]:
    return paths if one in paths else [*paths, one]


def pages(settings: Settings, writer: LogWriter) -> dict[str, ASGIApp]:
    """Pages on the collector's port, by path."""
    found: dict[str, ASGIApp] = {}
    about: dict[str, str] = {}
    if not settings.collector.root_response.enabled:
        table = settings.clickhouse.configuration.tables.snowplow
        chosen = table.distributed.name or "distributed", table.local.name or "local"
        name = chosen[0] if settings.clickhouse.configuration.cluster_name else chosen[1]
        keep = settings.performance.healthcheck_cache_ttl_seconds
        found["/"] = system_health(_check(settings, writer), name, keep_seconds=keep)
        about["/"] = meanings.ROOT
    if settings.prometheus.enabled:
        path = settings.prometheus.metrics_path.rstrip("/")
        found[path] = figures(path)
        about[path] = meanings.FIGURES
    if not settings.security.disable_docs:
        found |= description(collector_settings(settings), str(settings.common.hostname), about)
    return found


def _check(settings: Settings, writer: LogWriter) -> Callable[[], dict[str, bool]]:
    """Asks the store as well as the event log. The store is opened when first asked for: most collectors never are."""
    store: Store | None = None
    lock = threading.Lock()
    kind = build.store_kind(settings)

    def check() -> dict[str, bool]:
        nonlocal store
        with lock:
            if store is None:
                store = build.open_store(settings)
        return {kind: store.ready(), "eventlog": writer.healthy()}

    return check

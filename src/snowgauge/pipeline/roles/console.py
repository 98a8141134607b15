"""The private port: console, APIs, metrics, health."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import MutableMapping
from typing import Any

from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.saved.shares import Shares
from snowgauge.actions.scripts.first_start import fetch_in_background
from snowgauge.api.app import create_app
from snowgauge.api.programs import programs
from snowgauge.connections import ConnectionGuard, ConnectionLimits
from snowgauge.console.site import Console
from snowgauge.pipeline import build
from snowgauge.pipeline.private_port import open_doors
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.reports import keep_reporting
from snowgauge.pipeline.roles.process import mark_ready
from snowgauge.settings.model import Settings
from snowgauge.telemetry.reporting.requests import Traced


def _route_name(scope: MutableMapping[str, Any]) -> str:
    """The path of the API as declared, which says nothing of what was asked for."""
    return str(getattr(scope.get("route"), "path", "page"))


@reported("console")
def run_console(settings: Settings) -> None:
    """The private port."""
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.embed import Server

    doors = open_doors(settings)
    mark_ready(settings, "console-0")
    deployment = build.open_deployment(settings, os.environ)
    fetch_in_background(settings.scripts, build.scripts_folder(settings))
    proxies = settings.security.trusted_proxies if settings.security.trust_proxy_headers else ()
    served = programs(deployment, doors, settings.registry, settings.agent, proxies)
    stop = threading.Event()
    keep_reporting(deployment, stop)
    console = Console(frames=Shares(saved(deployment)).frame_ancestors)
    app = Traced(create_app(deployment, doors, console, served), _route_name)

    own = settings.console
    patience = own.idle_timeout.total_seconds()
    guard = ConnectionGuard(app, own.port, ConnectionLimits(own.max_connections, patience, patience))

    async def serve() -> None:
        server = Server(
            guard,
            address=own.host,
            port=own.port,
            interface=Interfaces.ASGI,
            backpressure=own.max_connections,
            http1_settings=HTTP1Settings(header_read_timeout=int(patience * 1000)),
            log_level=LogLevels.error,
            log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        watching = asyncio.ensure_future(guard.keep())
        await server.serve()
        watching.cancel()

    try:
        asyncio.run(serve())
    finally:
        stop.set()

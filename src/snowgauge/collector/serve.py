"""Runs one collector process on Granian until it is told to stop.

The server runs inside this process's own event loop (``granian.server.embed``), for three reasons. Measured with an
empty handler at 64 connections it answers as many requests as Granian's multi-process server (23,600/s against
21,500/s); it needs no parent process beside the worker; and the signals are ours, so that SIGTERM can keep serving for
a while first. The loop is uvloop's: it took the collector from 8,100 to 12,000 durable requests/s, because the server's
threads wake the loop for every request, and uvloop does that without a system call each. Several collectors share a
port: Granian sets SO_REUSEPORT, and the kernel spreads connections.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Mapping

import uvloop
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server

from snowgauge.collector.admission.addresses import Networks, parse
from snowgauge.collector.admission.settings import SecuritySettings
from snowgauge.collector.app import create_app
from snowgauge.collector.request import ASGIApp
from snowgauge.collector.routing import request_name
from snowgauge.collector.settings import CollectorSettings
from snowgauge.collector.submit import LogWriter
from snowgauge.connections import ConnectionGuard, ConnectionLimits
from snowgauge.errors import SettingsError
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.reporting import reports
from snowgauge.telemetry.reporting.requests import Traced

_log = logger("collector")

_OBJECTS_UNTIL_COLLECTION = 20_000
"""Python's default is 700: what the requests of one moment hold, so that each would be walked many times while it is
under way. Hardly anything of a request is in a cycle."""

_DRAIN_SECONDS = 8.0
"""How long requests under way may take to finish once the ports are closed. With the default
``pre_termination_period`` the process is gone within 20 s of SIGTERM, as orchestrators expect of Snowplow's."""


def run(
    settings: CollectorSettings,
    writer: LogWriter,
    *,
    name: str | None = None,
    more: Mapping[str, ASGIApp] | None = None,
    security: SecuritySettings | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop as :func:`serve` says; after SIGINT (a person waits) without
    ``pre_termination_period``. Call it as the main work of a process."""
    gc.collect()
    gc.freeze()  # what was loaded at the start stays: the collector need not walk it again under load
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sort in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sort, told, stop, sort)
        await serve(
            settings, writer, stop=stop, name=name, more=more, security=security, ready=ready, hurry=lambda: hurry
        )

    hurry = False

    def told(stop: asyncio.Event, sort: signal.Signals) -> None:
        nonlocal hurry
        hurry = hurry or sort is signal.SIGINT
        _log.info("stopping", signal=sort.name)
        stop.set()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def serve(
    settings: CollectorSettings,
    writer: LogWriter,
    *,
    stop: asyncio.Event,
    name: str | None = None,
    more: Mapping[str, ASGIApp] | None = None,
    security: SecuritySettings | None = None,
    ready: Callable[[], None] | None = None,
    hurry: Callable[[], bool] = lambda: False,
) -> None:
    """Serve until ``stop`` is set and ``pre_termination_period`` has passed (not if ``hurry`` says so), then finish the
    requests under way, write what waits and close the writer. ``ready`` is called once the port accepts connections."""
    app = create_app(settings, writer, name=name, more=more, security=security)
    front: ASGIApp = Traced(app, request_name) if reports.active() else app
    limits = _limits(settings, security or SecuritySettings())
    servers = []
    if settings.ssl.enable:
        servers.append(_server(settings, front, settings.ssl.port, limits, tls=True))
    if not settings.ssl.enable or settings.ssl.redirect:
        servers.append(_server(settings, front, settings.port, limits, tls=False))
    running = [asyncio.ensure_future(server.serve()) for server, _ in servers]
    watching = [asyncio.ensure_future(guard.keep()) for _, guard in servers]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        for server, _ in servers:
            await _accepting(server, running)
        if ready is not None:
            ready()
        await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        if not any(task.done() for task in running) and not hurry():
            if settings.pre_termination_unhealthy:
                app.leave()
            await asyncio.sleep(settings.pre_termination_period.total_seconds())
    finally:
        stopping.cancel()
        for server, _ in servers:
            server.stop()  # type: ignore[no-untyped-call]
        _, unfinished = await asyncio.wait(running, timeout=_DRAIN_SECONDS)
        if unfinished:  # a client that sends its request byte by byte must not keep the process alive
            _log.warning("connections_cut", after_seconds=_DRAIN_SECONDS)
        for task in watching:
            task.cancel()
        await app.close()
    for task in running:
        if task in unfinished:
            task.cancel()
        else:
            task.result()


def _limits(settings: CollectorSettings, security: SecuritySettings) -> ConnectionLimits:
    networking = settings.networking
    proxies = Networks(security.trusted_proxies if security.trust_proxy_headers else ())
    return ConnectionLimits(
        most=networking.max_connections,
        head_seconds=networking.head_timeout.total_seconds(),
        idle_seconds=networking.idle_timeout.total_seconds(),
        most_per_address=networking.max_connections_per_address or None,
        unlimited=lambda address: (found := parse(address)) is not None and found in proxies,
    )


def _server(
    settings: CollectorSettings, app: ASGIApp, port: int, limits: ConnectionLimits, *, tls: bool
) -> tuple[Server, ConnectionGuard]:
    networking, ssl = settings.networking, settings.ssl
    head = networking.max_request_line_length + networking.max_headers_length
    guard = ConnectionGuard(app, port, limits)
    server = Server(
        guard,
        address=_address(settings.interface),
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto if tls or networking.http2_without_tls else HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=networking.max_connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(networking.idle_timeout.total_seconds() * 1000),
            # the limits proper are checked by the application, which answers 400; the server would answer 431
            max_buffer_size=max(HTTP1Settings.max_buffer_size, head + 8192),
        ),
        http2_settings=HTTP2Settings(max_headers_size=2 * head),
        # incremental: leave the process's own logging as it is, let the server's errors flow into it
        log_level=LogLevels.error,
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
        ssl_cert=ssl.certificate if tls else None,
        ssl_key=ssl.private_key if tls else None,
        ssl_protocol_min=SSLProtocols.tls12,  # the server's default of 1.3 would refuse old phones
    )
    return server, guard


def _address(interface: str) -> str:
    """The server wants an address, not a name."""
    try:
        return str(socket.getaddrinfo(interface, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise SettingsError(
            f"collector.interface: cannot listen at {interface!r} ({error}); use an address such as 0.0.0.0"
        ) from None


async def _accepting(server: Server, running: list[asyncio.Task[None]]) -> None:
    """Returns once the port answers, or something ended that should not have."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.bind_addr, server.bind_addr)  # noqa: S104
    await asyncio.sleep(0)  # the servers bind in their first step: were the port another's, it would answer below
    while not any(task.done() for task in running):
        try:
            _, connection = await asyncio.open_connection(local, server.bind_port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            connection.close()
            return
    for task in running:
        if task.done() and (error := task.exception()) is not None:
            raise SettingsError(
                f"collector.port: cannot listen at {server.bind_addr} port {server.bind_port} "
                f"({str(error).partition(chr(10))[0]}); is another program using it?"
            ) from None  # the server's own error carries a native stack trace

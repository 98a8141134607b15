"""The collector as an ASGI application, without a framework: this is the hottest path from the internet.

It answers 200 only when the event log has the payload. Whatever goes wrong with a request, including what nobody
foresaw, is answered so that the tracker keeps its events: 503, never 500.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from snowgauge import __version__
from snowgauge.collector.admission.gate import gate
from snowgauge.collector.admission.settings import SecuritySettings
from snowgauge.collector.cors import Preflight
from snowgauge.collector.endpoints import SINK_HEALTHY, SINK_UNHEALTHY, Answer, pages
from snowgauge.collector.meter import Meter
from snowgauge.collector.random_uuids import RandomUuids
from snowgauge.collector.redirects import https_location
from snowgauge.collector.request import ASGIApp, Header, Receive, Request, Scope, Send
from snowgauge.collector.routing import Routes, request_name
from snowgauge.collector.settings import CollectorSettings
from snowgauge.collector.submit import LogWriter, Submitter
from snowgauge.collector.tracking import Tracking, bad_request, unavailable
from snowgauge.events.failed import Processor
from snowgauge.telemetry.logs import logger

_log = logger("collector")

ARTIFACT = "snowgauge-collector"
_RETRY_AFTER: Header = (b"retry-after", b"5")
_PAGE_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


def create_app(
    settings: CollectorSettings,
    writer: LogWriter,
    *,
    name: str | None = None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    new_uuid: Callable[[], str] | None = None,
    more: Mapping[str, ASGIApp] | None = None,
    security: SecuritySettings | None = None,
) -> Collector:
    """An application that keeps payloads with ``writer``, which it closes at the end of the ASGI
    lifespan or when told to.

    ``clock`` gives milliseconds since the epoch. ``more`` serves further paths: each key is a path, which it owns
    together with everything below it (``/static`` owns ``/static/sp.js``; ``/`` owns only itself); preflights stay with
    the collector. ``security`` says which requests may come in.
    """
    return Collector(
        settings,
        writer,
        name=name,
        clock=clock,
        new_uuid=new_uuid or RandomUuids(),
        more=more or {},
        security=security or SecuritySettings(),
    )


class Collector:
    def __init__(
        self,
        settings: CollectorSettings,
        writer: LogWriter,
        *,
        name: str | None,
        clock: Callable[[], int],
        new_uuid: Callable[[], str],
        more: Mapping[str, ASGIApp],
        security: SecuritySettings,
    ) -> None:
        self._submitter = Submitter(writer, max_waiting_bytes=settings.networking.max_waiting_bytes)
        self._routes = Routes(settings)
        self._preflight = Preflight(settings.cors)
        self._pages = pages(settings)
        self._meter = Meter()
        self._tracking = Tracking(
            settings,
            self._submitter,
            self._meter,
            name=name or settings.collector_name or f"{ARTIFACT}-{__version__}",
            processor=Processor(ARTIFACT, __version__),
            clock=clock,
            new_uuid=new_uuid,
        )
        self._more = [(path.encode(), app) for path, app in sorted(more.items(), key=lambda item: -len(item[0]))]
        self._gate = gate(security)
        self._max_line = settings.networking.max_request_line_length
        self._max_headers = settings.networking.max_headers_length
        self._ssl = settings.ssl
        self._leaving = False
        hsts = settings.hsts
        age = b"max-age=%d; includeSubDomains" % int(hsts.max_age.total_seconds())
        self._every: list[Header] = [(b"strict-transport-security", age)] if hsts.enable else []
        if self._gate is not None and not self._every:
            self._every = self._gate.headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(Request(scope, receive), receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def leave(self) -> None:
        """Tell load balancers from now on that this process is not to be used; requests are served all the same."""
        self._leaving = True

    async def close(self) -> None:
        """Have everything written that waits, and close the writer. Requests that come later get 503."""
        await self._submitter.close()
        self._meter.flush()

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
        refusal = self._gate.refusal(request) if self._gate is not None else None
        if refusal is not None:
            self._meter.refused(refusal[0])
            await self._send(request, refusal[1], send)
            return
        if self._more and request.method != "OPTIONS":
            path = request.raw_path
            for prefix, app in self._more:
                if path == prefix or (
                    path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] == b"/" and prefix != b"/"
                ):
                    await self._elsewhere(app, request, receive, send)
                    return
        try:
            answer = await self._answer(request)
        except Exception:
            self._meter.refused("error")
            status, headers, body = unavailable(request, _RETRY_AFTER)
            answer = status, [*headers, _failed(request)], body
        await self._send(request, answer, send)

    async def _send(self, request: Request, answer: Answer, send: Send) -> None:
        status, headers, body = answer
        if self._every:
            headers = headers + self._every
        self._meter.answered(request.method, status)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, request: Request) -> Answer:
        if (
            len(request.method) + len(request.raw_path) + len(request.query) + 11 > self._max_line
            or sum(map(len, chain.from_iterable(request.headers))) + 4 * len(request.headers) > self._max_headers
        ):
            self._meter.refused("malformed")
            return bad_request(request)
        route = self._routes.find(request.method, request.raw_path)
        kind = route.kind
        if kind == "preflight":
            return 200, self._preflight.headers(request), b""
        if self._ssl.redirect and kind not in ("health", "sink_health"):
            location = self._to_https(request)
            if location is not None:
                return location
        if kind in ("post", "pixel", "redirect"):
            started = time.perf_counter()
            answer = await self._tracking.answer(request, route)
            self._meter.took(time.perf_counter() - started)
            return answer
        if self._leaving and kind in ("health", "sink_health"):
            return SINK_UNHEALTHY
        if kind == "sink_health":
            return SINK_HEALTHY if await asyncio.to_thread(self._submitter.healthy) else SINK_UNHEALTHY
        return self._pages[kind]

    def _to_https(self, request: Request) -> Answer | None:
        """Plain HTTP, as a proxy says, or as the listener knows where the collector serves HTTPS itself."""
        forwarded = request.first.get(b"x-forwarded-proto", b"").split(b",")[0].strip().lower()
        scheme = forwarded.decode("latin-1") or request.scope.get("scheme", "http")
        if scheme != "http" or not (forwarded or self._ssl.enable):
            return None
        location = https_location(request, 443 if forwarded else self._ssl.port)
        if location is None:
            return bad_request(request)
        status = 308 if request.method == "POST" else 301  # browsers turn a POST that got 301 into a GET
        return status, [(b"location", location), *self._preflight.headers(request)[:2]], b""

    async def _elsewhere(self, app: ASGIApp, request: Request, receive: Receive, send: Send) -> None:
        started = False

        async def forward(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._page_headers(message.get("headers", ()))}
                self._meter.answered(request.method, message["status"])
            await send(message)

        try:
            await app(request.scope, receive, forward)
        except Exception:
            failed = _failed(request)
            if not started:
                status, headers, body = unavailable(request, _RETRY_AFTER)
                await forward({"type": "http.response.start", "status": status, "headers": [*headers, failed]})
                await send({"type": "http.response.body", "body": body})

    def _page_headers(self, headers: Iterable[Header]) -> list[Header]:
        """What a page says, and what a browser should know about pages; trackers' requests have no use for that."""
        kept = [(bytes(name).lower(), bytes(value)) for name, value in headers]
        said = {name for name, _ in kept}
        return [*kept, *(header for header in _PAGE_HEADERS if header[0] not in said), *self._every]

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _failed(request: Request) -> Header:
    """Log what is being handled; the header gives the client the request's id in the log."""
    name = secrets.token_hex(8)
    path = request_name(request.scope)  # the path itself may hold what is personal
    _log.error("request_failed", request=name, method=request.method, path=path, exc_info=True)
    return (b"x-request-id", name.encode())

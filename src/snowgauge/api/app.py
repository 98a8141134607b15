"""The private port's application: health and metrics here, the APIs from their own modules."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from fastapi import FastAPI, Response
from starlette.routing import Route

from snowgauge.actions import health
from snowgauge.actions.deployment import Deployment
from snowgauge.api.assistant_http import PATH as MCP
from snowgauge.api.assistant_http import AssistantHttp
from snowgauge.api.doors import DoorKeeper, Doors
from snowgauge.api.request_ids import RequestIds
from snowgauge.api.v1.parts import StorePlaces, refusals
from snowgauge.api.v1.routers import PREFIX, ROUTERS
from snowgauge.errors import SnowgaugeError
from snowgauge.telemetry import metrics

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
Site = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def create_app(
    deployment: Deployment,
    doors: Doors | None = None,
    site: Site | None = None,
    programs: Mapping[str, Site] | None = None,
) -> FastAPI:
    """Everything that the private port serves, as an ASGI application.

    ``doors`` says who may use the console's API, which is not served without. ``programs`` are applications by
    the path that they own with everything below it. ``site`` answers every other path.
    """
    app = _bare(deployment.version)
    app.state.deployment = deployment
    app.state.store_places = StorePlaces()
    refusals(app)
    _health(app, deployment)
    if doors is not None:
        app.state.doors = doors
        app.add_middleware(DoorKeeper, doors=doors)
        _console(app)
        if doors.settings.mcp:
            app.router.routes.append(Route(MCP, AssistantHttp(app, doors), include_in_schema=False))
    app.add_middleware(RequestIds)
    for path, program in (programs or {}).items():
        app.mount(path, program)
    if site is not None:
        app.mount("/", site)
    return app


def describe(version: str) -> dict[str, Any]:
    """The OpenAPI document of the console's API, without a deployment: what its client is made from."""
    app = _bare(version)
    _console(app)
    return app.openapi()


def _bare(version: str) -> FastAPI:
    return FastAPI(title="Snowgauge", version=version, docs_url=None, redoc_url=None)


def _console(app: FastAPI) -> None:
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)


def _health(app: FastAPI, deployment: Deployment) -> None:
    readiness = health.Readiness(deployment)

    @app.get("/health", tags=["health"])
    def alive() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/ready", tags=["health"])
    def ready(response: Response) -> dict[str, object]:
        """Events can be kept and stored, which a write has proven: 200, else 503 with what is wrong."""
        found = readiness.check()
        response.status_code = 200 if found.ready else 503
        return {
            "ready": found.ready,
            "parts": [{"name": part.name, "ok": part.ok, "note": part.note} for part in found.parts],
        }

    @app.get("/metrics", tags=["health"], response_class=Response)
    def prometheus() -> Response:
        """Figures of all processes in Prometheus' text format."""
        with contextlib.suppress(SnowgaugeError):
            health.measure(deployment, readiness.check())
        return Response(metrics.render(), media_type=PROMETHEUS_TEXT)

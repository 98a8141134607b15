"""The private port's application: health and metrics here, the APIs from their own modules."""

from __future__ import annotations

import contextlib

from fastapi import FastAPI, Response

from snowgauge.actions import health
from snowgauge.actions.deployment import Deployment
from snowgauge.errors import SnowgaugeError
from snowgauge.telemetry import metrics

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def create_app(deployment: Deployment) -> FastAPI:
    """Everything that the private port serves, as an ASGI application."""
    app = FastAPI(title="Snowgauge", version=deployment.version, docs_url="/docs", redoc_url=None)

    @app.get("/health", tags=["health"])
    def alive() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/ready", tags=["health"])
    def ready(response: Response) -> dict[str, object]:
        """Events can be kept and stored: 200, else 503 with what is wrong."""
        found = health.check(deployment)
        response.status_code = 200 if found.ready else 503
        return {
            "ready": found.ready,
            "parts": [{"name": part.name, "ok": part.ok, "note": part.note} for part in found.parts],
        }

    @app.get("/metrics", tags=["health"], response_class=Response)
    def prometheus() -> Response:
        """Figures of all processes in Prometheus' text format."""
        with contextlib.suppress(SnowgaugeError):
            health.measure_backlog(deployment)
        return Response(metrics.render(), media_type=PROMETHEUS_TEXT)

    return app

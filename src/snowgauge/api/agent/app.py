"""The agent API's routes. Aggregates only; see `actions.agent` for what that means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from snowgauge.actions.agent import asking, figures
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.health import require_store
from snowgauge.api.agent.door import AgentDoor, RateLimit
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.agent.tokens import TokenChecker
from snowgauge.collector.admission.settings import Network
from snowgauge.errors import StoreError

PREFIX = "/agent/v1"
PeriodQuery = Annotated[figures.Period, Query(description="`today` (UTC), `24h`, `7d`, `30d` or `all`.")]


def agent_app(
    deployment: Deployment,
    settings: AgentSettings,
    *,
    checker: TokenChecker | None = None,
    limit: RateLimit | None = None,
    proxies: Sequence[Network] = (),
    clock: Callable[[], int] = asking.now_ms,
) -> FastAPI:
    """An application to be mounted at ``PREFIX``. ``clock`` gives milliseconds since the epoch.
    ``proxies``: networks of proxies in front."""
    app = _bare(deployment.version)
    app.add_middleware(
        AgentDoor,
        settings=settings,
        checker=checker or TokenChecker(settings),
        limit=limit or RateLimit(settings.requests_per_minute),
        proxies=proxies,
    )

    @app.exception_handler(StoreError)
    def store_unreachable(_request: Request, _error: Exception) -> JSONResponse:
        # the reason stays in the log: it may quote what is in the tables
        return JSONResponse({"detail": "the store does not answer at present"}, 503)

    _routes(app, lambda: deployment, clock, settings.smallest_count)
    return app


def describe(version: str) -> dict[str, Any]:
    """The OpenAPI document, without a deployment."""
    app = _bare(version)
    _routes(app, _nobody, asking.now_ms, smallest=1)
    return app.openapi()


def _nobody() -> Deployment:
    raise RuntimeError("a description is not asked for figures")


def _bare(version: str) -> FastAPI:
    return FastAPI(
        title="Snowgauge agent",
        description="Health and counts of one deployment. Every request needs an access token.",
        version=version,
        docs_url=None,
        redoc_url=None,
        # shows the token in the description; the door before the application checks it
        dependencies=[Depends(HTTPBearer(auto_error=False))],
    )


def _routes(app: FastAPI, deployment: Callable[[], Deployment], clock: Callable[[], int], smallest: int) -> None:
    def stored() -> Deployment:
        """For what only the store can answer: refused at once while that does not."""
        found = deployment()
        require_store(found)
        return found

    @app.get("/status", tags=["agent"])
    def status() -> figures.Status:
        """Installed, ready, receiving."""
        return asking.status(deployment())

    @app.get("/health", tags=["agent"])
    def health() -> figures.Health:
        """Each component: up, last success, lag, free disk."""
        return asking.component_health(deployment())

    @app.get("/counts", tags=["agent"])
    def counts() -> list[figures.PeriodCounts]:
        """Good and bad events by period, bad ones by type of failure."""
        return asking.counts(stored(), clock())

    @app.get("/minutes", tags=["agent"])
    def minutes(
        number: Annotated[int, Query(ge=1, le=1440, description="How many minutes back.")] = 60,
    ) -> list[figures.MinuteCount]:
        """Good and bad events per minute, oldest first."""
        return asking.minutes(stored(), clock(), number)

    @app.get("/event-types", tags=["agent"])
    def event_types(period: PeriodQuery = "24h") -> list[figures.EventType]:
        """Names, vendors and versions of events."""
        return asking.event_types(stored(), period, clock())

    @app.get("/schemas", tags=["agent"])
    def schemas(period: PeriodQuery = "24h") -> list[figures.Counted]:
        """Schemas of entities."""
        return asking.schemas(stored(), period, clock())

    @app.get("/trackers", tags=["agent"])
    def trackers(period: PeriodQuery = "24h") -> list[figures.Counted]:
        """Trackers and their versions; rare ones are summed."""
        return asking.by_chosen_column(stored(), "v_tracker", period, clock(), smallest=smallest)

    @app.get("/tracker-namespaces", tags=["agent"])
    def namespaces(period: PeriodQuery = "24h") -> list[figures.Counted]:
        """Names that trackers were given; rare ones are summed."""
        return asking.by_chosen_column(stored(), "name_tracker", period, clock(), smallest=smallest)

    @app.get("/applications", tags=["agent"])
    def applications(period: PeriodQuery = "24h") -> list[figures.Counted]:
        """App ids; rare ones are summed."""
        return asking.by_chosen_column(stored(), "app_id", period, clock(), smallest=smallest)

    @app.get("/platforms", tags=["agent"])
    def platforms(period: PeriodQuery = "24h") -> list[figures.Counted]:
        """Platforms: web, mob, srv, ..."""
        return asking.platforms(stored(), period, clock())

    @app.get("/capacity", tags=["agent"])
    def capacity() -> figures.Throughput:
        """Events per second now, in the busiest minute, and at most."""
        return asking.throughput(stored())

    @app.get("/versions", tags=["agent"])
    def versions() -> figures.Versions:
        """Versions of the software."""
        return asking.versions(deployment())

    @app.get("/limits", tags=["agent"])
    def limits() -> list[figures.LimitHit]:
        """Limits that were met."""
        return asking.limits(deployment())

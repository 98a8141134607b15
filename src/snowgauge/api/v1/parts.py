"""What the routers share: the deployment behind the application, and refusals as HTTP answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.health import require_store
from snowgauge.api.doors import Doors
from snowgauge.errors import (
    ActionRefused,
    QueryRefused,
    RegistryOutage,
    SchemaResolutionError,
    SelfDescribingError,
    SnowgaugeError,
    StoreUnavailable,
)


def _deployment(request: Request) -> Deployment:
    found: Deployment = request.app.state.deployment
    return found


def _with_store(request: Request) -> Deployment:
    found = _deployment(request)
    require_store(found)
    return found


def _doors(request: Request) -> Doors:
    found: Doors = request.app.state.doors
    return found


Parts = Annotated[Deployment, Depends(_with_store)]
"""The deployment, for questions to its store: refused at once (503) while that does not answer."""
PartsAsTheyAre = Annotated[Deployment, Depends(_deployment)]
"""The deployment, for what has to be answered whatever its parts do."""
TheDoors = Annotated[Doors, Depends(_doors)]
Where = Annotated[
    list[str],
    Query(description="Filters: column:a~b (any of), column:!a (none of), column:*a (contains), column:- (not set)."),
]
Range = Annotated[str | None, Query(description="30m, 24h, 7d, all, or two ISO times with ~ between.")]


def refusals(app: FastAPI) -> None:
    """Failures that Snowgauge itself reports become ``{"detail": text}`` with the status that fits."""

    @app.exception_handler(SnowgaugeError)
    def refused(_: Request, error: SnowgaugeError) -> JSONResponse:
        later = error.retry_after if isinstance(error, ActionRefused) else None
        headers = {} if later is None else {"Retry-After": str(later)}
        return JSONResponse({"detail": str(error)}, status_of(error), headers)


def status_of(error: SnowgaugeError) -> int:
    match error:
        case ActionRefused():
            return error.status
        case QueryRefused() | SelfDescribingError():
            return 400
        case StoreUnavailable() | RegistryOutage():
            return 503
        case SchemaResolutionError():
            return 404
        case _:
            return 500

"""What the routers share: the deployment behind the application, and refusals as HTTP answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.health import refuse_if_silent, require_store
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


class StorePlaces:
    """How many requests ask the store at the same time: fewer than there are threads, so that a store that hangs leaves
    some for what has to be answered meanwhile. Those that wait for a place take no thread."""

    def __init__(self, most: int = 16, patience: float = 30.0) -> None:
        self._most = most
        self._patience = patience
        self._taken = 0

    @asynccontextmanager
    async def taken(self, deployment: Deployment) -> AsyncIterator[None]:
        """A place. Raises ``StoreUnavailable`` where the store is silent, or none has become free for long."""
        until = time.monotonic() + self._patience
        while self._taken >= self._most:
            refuse_if_silent(deployment)
            if time.monotonic() > until:
                raise StoreUnavailable(
                    f"{self._most} questions to the store are under way: try again when they are done"
                )
            await asyncio.sleep(0.02)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


async def _with_store(request: Request) -> AsyncIterator[Deployment]:
    found = _deployment(request)
    places: StorePlaces = request.app.state.store_places
    async with places.taken(found):
        await run_in_threadpool(require_store, found)
        yield found


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
    Query(
        description="Filters: column:a~b (any of), column:!a (none of), column:*a (contains), column:- (not set), "
        "column:>=a (at least), column:>a (above), column:<=a (at most), column:<a (below), column:>=a~b (from a to "
        "below b)."
    ),
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

"""The three ticks and the snippets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from snowgauge.actions import first_run
from snowgauge.api.doors import needs
from snowgauge.api.v1.parts import PartsAsTheyAre

AppId = Annotated[str, Query(max_length=255, description="Application of the events.")]

router = APIRouter(prefix="/first-run", tags=["first run"], dependencies=[needs("read:aggregates")])


@router.get("/ticks")
def ticks(parts: PartsAsTheyAre) -> first_run.Ticks:
    """Installed, ready, receiving."""
    return first_run.ticks(parts)


@router.post("/test-event")
def send_test_event(parts: PartsAsTheyAre, app_id: AppId = "my-site") -> first_run.TestEvent:
    """Send a page view to the collector, from this machine."""
    return first_run.send_test_event(parts, app_id)


@router.get("/snippets")
def snippets(parts: PartsAsTheyAre, app_id: AppId = "my-site") -> list[first_run.Snippet]:
    """What to paste so that events come, with this deployment's address."""
    return first_run.snippets(parts, app_id)

"""The three ticks and the snippets."""

from __future__ import annotations

from fastapi import APIRouter

from snowgauge.actions import first_run
from snowgauge.api.doors import needs
from snowgauge.api.v1.parts import PartsAsTheyAre

router = APIRouter(prefix="/first-run", tags=["first run"], dependencies=[needs("read:aggregates")])


@router.get("/ticks")
def ticks(parts: PartsAsTheyAre) -> first_run.Ticks:
    """Installed, ready, receiving."""
    return first_run.ticks(parts)


@router.get("/snippets")
def snippets(parts: PartsAsTheyAre, app_id: str = "my-site") -> list[first_run.Snippet]:
    """What to paste so that events come, with this deployment's address."""
    return first_run.snippets(parts.collector_url, app_id)

"""Other deployments, through their agent APIs."""

from __future__ import annotations

from fastapi import APIRouter

from snowgauge.actions.elsewhere.looking import Look
from snowgauge.api.doors import needs
from snowgauge.api.v1.parts import PartsAsTheyAre

router = APIRouter(prefix="/deployments", tags=["health"], dependencies=[needs("read:health")])


@router.get("")
def deployments(parts: PartsAsTheyAre) -> list[Look]:
    """Health and figures of every deployment of `console.deployments`, asked at most every ten seconds.

    A deployment that does not answer has a `problem` in their place."""
    return parts.elsewhere.looks() if parts.elsewhere else []

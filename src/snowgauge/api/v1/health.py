"""State of the parts, capacity, and the doctor's checks."""

from __future__ import annotations

from fastapi import APIRouter

from snowgauge.actions import overview
from snowgauge.actions.doctor.check import Check
from snowgauge.actions.doctor.examine import examine
from snowgauge.api.doors import needs
from snowgauge.api.v1.parts import PartsAsTheyAre

router = APIRouter(prefix="/health", tags=["health"], dependencies=[needs("read:health")])


@router.get("")
def state(parts: PartsAsTheyAre) -> overview.Overview:
    """Each part with its figures, and what this machine can do."""
    return overview.overview(parts)


@router.get("/checks")
def checks(parts: PartsAsTheyAre) -> list[Check]:
    """What the doctor finds, with cures."""
    return examine(parts, parts.surroundings)

"""One event from request to row."""

from __future__ import annotations

from fastapi import APIRouter

from snowgauge.actions import xray
from snowgauge.api.doors import needs
from snowgauge.api.v1.parts import Parts

router = APIRouter(prefix="/xray", tags=["x-ray"], dependencies=[needs("read:events")])


@router.get("/{event_id}")
def show(event_id: str, parts: Parts) -> xray.XRay:
    """The request, what each step made of it, the row, and where the event is now."""
    return xray.xray(parts, event_id)

"""Sinks beside the store, and what their destinations refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from snowgauge.actions import sinks
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import PartsAsTheyAre, TheDoors

router = APIRouter(prefix="/sinks", tags=["sinks"])


class DeadLettersWanted(BaseModel):
    """Which dead letters; all where no ids are given."""

    ids: list[str] | None = Field(default=None, min_length=1, max_length=1000)


@router.get("", dependencies=[needs("read:health")])
def states(parts: PartsAsTheyAre) -> list[sinks.SinkState]:
    """Each sink: what waits for it, what it refused, what is wrong."""
    return parts.sinks.states() if parts.sinks else []


@router.get("/{name}/dead-letters", dependencies=[needs("read:events")])
def letters(
    parts: PartsAsTheyAre, name: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[sinks.DeadLetter]:
    """The dead letters of a sink, the oldest first."""
    return sinks.of(parts.sinks).letters(name, limit)


@router.post("/{name}/dead-letters/replay", dependencies=[needs("recover")])
def replay(
    given: DeadLettersWanted, parts: PartsAsTheyAre, doors: TheDoors, who: Caller, request: Request, name: str
) -> sinks.SentAgain:
    """Send dead letters again, as the settings are now."""
    done = sinks.of(parts.sinks).replay(name, given.ids)
    doors.access.record(who, "sinks replay", name, f"{done.delivered} delivered", ip=address(request))
    return done


@router.post("/{name}/dead-letters/discard", dependencies=[needs("recover")])
def discard(
    given: DeadLettersWanted, parts: PartsAsTheyAre, doors: TheDoors, who: Caller, request: Request, name: str
) -> int:
    """Delete dead letters for good; how many there were. Their events stay in the store."""
    done = sinks.of(parts.sinks).discard(name, given.ids)
    doors.access.record(who, "sinks discard", name, f"{done} deleted", ip=address(request))
    return done

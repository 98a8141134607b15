"""Failed events by cause, explained, and sent through again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from snowgauge.actions import failures
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, Range, TheDoors, Where

router = APIRouter(prefix="/failed", tags=["failed events"])
_Status = Annotated[str, Query(description="open, recovered, dropped or all.")]


class Replay(BaseModel):
    """Which open failures: a cause, ids, or both."""

    cause: str | None = Field(default=None, max_length=100)
    ids: list[str] = Field(default=[], max_length=1000)
    dry_run: bool = True


@router.get("/causes", dependencies=[needs("read:events")])
def causes(
    parts: Parts,
    range: Range = "7d",  # noqa: A002 - its name in the URL
    where: Where = [],  # noqa: B006
    status: _Status = "open",
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> failures.Causes:
    """What goes wrong, the most frequent first."""
    return failures.causes(parts, range_text=range, filters=where, status=status, limit=limit)


@router.get("/causes/{cause}/examples", dependencies=[needs("read:events")])
def examples(
    parts: Parts, cause: str, status: _Status = "all", limit: Annotated[int, Query(ge=1, le=50)] = 5
) -> list[failures.Example]:
    """The newest failures of a cause, each explained."""
    return failures.examples(parts, cause, status=status, limit=limit)


@router.get("/{failed_id}", dependencies=[needs("read:events")])
def explain(parts: Parts, failed_id: str) -> failures.Example:
    """One failure: what is wrong where, and what to do about it."""
    return failures.explain(parts, failed_id)


@router.post("/recover", dependencies=[needs("recover")])
def recover(given: Replay, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> failures.Recovery:
    """Send failures through the pipeline again. A dry run stores nothing."""
    done = failures.replay(parts, cause=given.cause, ids=given.ids, dry_run=given.dry_run)
    if not given.dry_run:
        what = given.cause or f"{len(given.ids)} failures"
        doors.access.record(who, "recover", what, f"{done.recovered} of {done.rows}", ip=address(request))
    return done

"""Failed events by cause, explained, repaired, and sent through again."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from snowgauge.actions import failures
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.repair import jobs, service
from snowgauge.actions.failed.repair.causes import CauseWord
from snowgauge.actions.failed.repair.preview import Previewed, preview
from snowgauge.actions.failed.repair.problems import Repair, repair_of
from snowgauge.actions.failed.repair.rules import RepairRule, Rules
from snowgauge.actions.failed.repair.service import RunState
from snowgauge.actions.failed.runs import Undone
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, PartsAsTheyAre, Range, TheDoors, Where

router = APIRouter(prefix="/failed", tags=["failed events"])
_Status = Annotated[str, Query(description="open, recovered, dropped or all.")]
_Line = Annotated[str, Field(max_length=4000)]
_Lines = Annotated[list[_Line], Field(max_length=100)]


class Edits(BaseModel):
    """Edits as on the command line: `PATH=VALUE`, values as JSON; made in this order."""

    schema_: _Lines = Field(default=[], alias="schema", description="FROM=TO, URIs of schemas.")
    rename: _Lines = []
    unset: _Lines = []
    replace: _Lines = Field(default=[], description="PATH=OLD=>NEW.")
    cast: _Lines = []
    default: _Lines = []
    set: _Lines = []

    def options(self) -> EditOptions:
        return service.edits_of(self.model_dump(by_alias=True))


class Replay(BaseModel):
    """Which open failures: a cause, ids, or both; and the edits made to them."""

    cause: str | None = Field(default=None, max_length=100)
    ids: list[str] = Field(default=[], max_length=1000)
    edits: Edits = Edits()
    dry_run: bool = True


class Previewing(BaseModel):
    edits: Edits = Edits()
    limit: int = Field(default=5, ge=1, le=20)


class CauseSaid(BaseModel):
    """``until`` ends a mute (ms). Without ``note`` the note stays as it is."""

    state: Literal["active", "muted", "resolved"]
    note: str | None = Field(default=None, max_length=2000)
    until: int | None = None


class NewRule(BaseModel):
    cause: str = Field(max_length=100)
    edits: Edits


class RuleSwitch(BaseModel):
    enabled: bool


def _now() -> int:
    return time.time_ns() // 1_000_000


@router.get("/causes", dependencies=[needs("read:events")])
def causes(
    parts: Parts,
    range: Range = "7d",  # noqa: A002 - its name in the URL
    where: Where = [],  # noqa: B006
    status: _Status = "open",
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    shown: Annotated[failures.Shown, Query(description="Causes in this state.")] = "active",
) -> failures.Causes:
    """What goes wrong, the most frequent first."""
    return failures.causes(parts, range_text=range, filters=where, status=status, limit=limit, shown=shown)


@router.get("/causes/{cause}/examples", dependencies=[needs("read:events")])
def examples(
    parts: Parts, cause: str, status: _Status = "all", limit: Annotated[int, Query(ge=1, le=50)] = 5
) -> list[failures.Example]:
    """The newest failures of a cause, each explained."""
    return failures.examples(parts, cause, status=status, limit=limit)


@router.get("/causes/{cause}/repair", dependencies=[needs("read:events")])
def repair(parts: Parts, cause: str) -> Repair:
    """What is wrong with a cause's failures, and the edits that would repair them, tried on samples."""
    return repair_of(parts, cause, _now())


@router.post("/causes/{cause}/preview", dependencies=[needs("read:events")])
def previewed(parts: Parts, cause: str, given: Previewing) -> list[Previewed]:
    """The newest failures of a cause before and after edits, validated. Nothing is stored."""
    return preview(parts, cause, given.edits.options(), at=_now(), limit=given.limit)


@router.put("/causes/{cause}", dependencies=[needs("recover")])
def say(given: CauseSaid, parts: Parts, doors: TheDoors, who: Caller, request: Request, cause: str) -> CauseWord:
    """Mute a cause, mark it as resolved, make it active again, or write a note. A resolved cause comes back when it
    recurs."""
    made = service.say(
        parts, cause, state=given.state, note=given.note, until=given.until, by=who.name, at=_now()
    )  # fmt: skip
    doors.access.record(who, f"cause {given.state}", cause, (given.note or "")[:200], ip=address(request))
    return made


@router.get("/runs", dependencies=[needs("read:events")])
def runs(parts: PartsAsTheyAre, cause: str | None = None) -> list[RunState]:
    """Recovery runs, the newest first, with their progress."""
    return service.run_states(parts, cause)


@router.get("/runs/{run}", dependencies=[needs("read:events")])
def run(parts: PartsAsTheyAre, run: str) -> RunState:
    """One recovery run: how far it is, what it did, and why some events did not become good."""
    return service.run_state(parts, run)


@router.post("/recover", status_code=202, dependencies=[needs("recover")])
def recover(given: Replay, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> RunState:
    """Begin to send failures through the pipeline again, edited. It goes on in the background: ask for the run. A dry
    run counts what would succeed and stores nothing."""
    begun = service.begin(
        parts, cause=given.cause, ids=given.ids, edits=given.edits.options(), by=who.name, at=_now(),
        dry_run=given.dry_run,
    )  # fmt: skip
    if not given.dry_run:
        what = given.cause or f"{len(given.ids)} failures"
        doors.access.record(who, "recover", what, f"run {begun.run}, {begun.expected} rows", ip=address(request))
    return begun


@router.post("/runs/{run}/stop", status_code=204, dependencies=[needs("recover")])
def stop(parts: PartsAsTheyAre, doors: TheDoors, who: Caller, request: Request, run: str) -> None:
    """End a run behind the row it is at. What it did until then stays done."""
    jobs.stop(parts, run)
    doors.access.record(who, "stop recovery", run, ip=address(request))


@router.post("/runs/{run}/resume", status_code=202, dependencies=[needs("recover")])
def resume(parts: Parts, doors: TheDoors, who: Caller, request: Request, run: str) -> RunState:
    """Go on with a run that was stopped or interrupted."""
    begun = service.shown(parts, jobs.resume(parts, run))
    doors.access.record(who, "resume recovery", run, ip=address(request))
    return begun


@router.post("/runs/{run}/undo", status_code=202, dependencies=[needs("recover")])
def undo(parts: Parts, doors: TheDoors, who: Caller, request: Request, run: str) -> RunState:
    """Take back what a run stored: its events leave the store, and their failures are open again. Failed events that
    the run made of the rest of a request stay."""
    begun = service.shown(parts, jobs.undo_run(parts, run, by=who.name, at=_now()))
    doors.access.record(who, "undo recovery", run, ip=address(request))
    return begun


@router.get("/rules", dependencies=[needs("read:events")])
def rules(parts: PartsAsTheyAre) -> list[RepairRule]:
    """Edits that are made automatically to failures of a cause, with what they did so far."""
    return Rules(parts.kept).all()


@router.post("/rules", status_code=201, dependencies=[needs("recover")])
def keep_rule(given: NewRule, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> RepairRule:
    """Keep edits as a rule: failures of this cause are repaired automatically from now on."""
    made = service.keep_rule(parts, given.cause, given.edits.options(), by=who.name, at=_now())
    doors.access.record(who, "keep rule", made.id, made.headline[:200], ip=address(request))
    return made


@router.patch("/rules/{rule}", dependencies=[needs("recover")])
def switch_rule(
    given: RuleSwitch, parts: PartsAsTheyAre, doors: TheDoors, who: Caller, request: Request, rule: str
) -> RepairRule:
    """Switch a rule on or off."""
    made = service.switch_rule(parts, rule, enabled=given.enabled)
    doors.access.record(who, "rule on" if given.enabled else "rule off", rule, made.headline[:200],
                        ip=address(request))  # fmt: skip
    return made


@router.delete("/rules/{rule}", status_code=204, dependencies=[needs("recover")])
def remove_rule(parts: PartsAsTheyAre, doors: TheDoors, who: Caller, request: Request, rule: str) -> None:
    """Remove a rule. What it recovered stays."""
    gone = Rules(parts.kept).remove(rule)
    doors.access.record(who, "remove rule", rule, gone.headline[:200], ip=address(request))


@router.post("/rules/{rule}/undo", dependencies=[needs("recover")])
def undo_rule(parts: Parts, doors: TheDoors, who: Caller, request: Request, rule: str) -> Undone:
    """Switch a rule off, take what it stored out of the store again, and open its failures."""
    done = service.undo_rule(parts, rule, by=who.name, at=_now())
    doors.access.record(who, "undo rule", rule, f"{done.events} events", ip=address(request))
    return done


@router.get("/{failed_id}", dependencies=[needs("read:events")])
def explain(parts: Parts, failed_id: str) -> failures.Example:
    """One failure: what is wrong where, and what to do about it."""
    return failures.explain(parts, failed_id)

"""The life of an alert: a pure step from one state to the next, with what there is to say about it.

A step depends on the state, the reading and the end of the period alone. So the same period evaluated twice, after a
process was killed in between, ends in the same state and in messages with the same ids.
"""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from snowgauge.alerts.reading import Reading
from snowgauge.alerts.rules import HOUR_MS, Rule

Status = Literal["ok", "pending", "firing", "unknown"]
Told = Literal["firing", "resolved", "reminder", "unknown", "flapping"]

FLAPS = 4
"""More changes than these within ``HOLD_MS`` are flapping."""
HOLD_MS = HOUR_MS
_SPACE = uuid.UUID("5d1c6b1e-6f0e-4f0b-9d53-0a2f1b8f4f5e")


class State(msgspec.Struct, frozen=True):
    """``since``: when this status began. ``started_at``: end of the period in which it began to fire. ``wrong``,
    ``right``, ``blind``: checks in a row that found it so, or could not say. ``told``: what was said last (firing or
    resolved). ``changes``: when it began to fire or was resolved, within the last hour. ``held_until``: flapping, so
    nothing is said before. ``last``: the last reading."""

    status: Status = "ok"
    since: int = 0
    started_at: int = 0
    wrong: int = 0
    right: int = 0
    blind: int = 0
    told: Literal["firing", "resolved"] = "resolved"
    told_at: int = 0
    changes: tuple[int, ...] = ()
    held_until: int = 0
    last: Reading | None = None

    @property
    def fires(self) -> bool:
        """Has it begun to fire, and is not resolved? That it cannot be seen at present resolves nothing."""
        return self.started_at > 0


class Change(msgspec.Struct, frozen=True):
    """Something to say. ``id`` is made of the alert, the key, the change and its period. ``thread``: the id of the
    message that said that it fires."""

    id: str
    thread: str
    told: Told
    at: int
    started_at: int
    resolved_at: int | None
    reading: Reading


def step(rule: Rule, state: State, reading: Reading, at: int) -> tuple[State, Change | None]:
    """The state after a reading of the period that ended ``at`` (ms), and what is to be said."""
    if reading.bad is None:
        return _blind(rule, state, reading, at)
    wrong = state.wrong + 1 if reading.bad else 0
    right = 0 if reading.bad else state.right + 1
    new = msgspec.structs.replace(state, wrong=wrong, right=right, blind=0, last=reading)
    if not state.fires:
        if wrong >= rule.for_checks:
            new = _changed(new, "firing", at, started_at=at)
        else:
            new = _entered(new, "pending" if wrong else "ok", at)
    elif right >= rule.resolve_checks:
        new = _changed(new, "ok", at, started_at=0)
    else:
        new = _entered(new, "firing", at)
    return _said(rule, state, new, reading, at)


def _blind(rule: Rule, state: State, reading: Reading, at: int) -> tuple[State, Change | None]:
    """A check that could say nothing breaks no row of checks: what was wrong before is still counted."""
    blind = state.blind + 1
    new = msgspec.structs.replace(state, blind=blind, last=reading)
    if blind < rule.for_checks or state.status == "unknown":
        return new, None
    new = _entered(new, "unknown", at)
    return new, _change(rule, new, "unknown", reading, at)


def _entered(state: State, status: Status, at: int) -> State:
    return state if state.status == status else msgspec.structs.replace(state, status=status, since=at)


def _changed(state: State, status: Status, at: int, *, started_at: int) -> State:
    recent = tuple(when for when in state.changes if when > at - HOLD_MS)
    return msgspec.structs.replace(
        _entered(state, status, at), started_at=started_at, changes=(*recent, at)[-(FLAPS + 1) :]
    )


def _said(rule: Rule, before: State, new: State, reading: Reading, at: int) -> tuple[State, Change | None]:
    if at < new.held_until:
        return new, None
    changes = [when for when in new.changes if when > at - HOLD_MS]
    if len(changes) > FLAPS and new.changes != before.changes:
        held = msgspec.structs.replace(new, held_until=at + HOLD_MS, told_at=at)
        return held, _change(rule, new, "flapping", reading, at)
    wanted: Literal["firing", "resolved"] = "firing" if new.fires else "resolved"
    if wanted != new.told:
        started = new.started_at or before.started_at or new.told_at
        told = msgspec.structs.replace(new, told=wanted, told_at=at)
        return told, _change(rule, new, wanted, reading, at, started)
    due = rule.remind_hours and rule.severity != "info" and at >= new.told_at + rule.remind_hours * HOUR_MS
    if new.fires and due:
        return msgspec.structs.replace(new, told_at=at), _change(rule, new, "reminder", reading, at)
    return new, None


def _change(rule: Rule, state: State, told: Told, reading: Reading, at: int, started_at: int | None = None) -> Change:
    started = state.started_at if started_at is None else started_at
    return Change(
        id=_id(rule.id, reading.key, told, at),
        thread=_id(rule.id, reading.key, "thread", started or at),
        told=told,
        at=at,
        started_at=started or at,
        resolved_at=at if told == "resolved" else None,
        reading=reading,
    )


def _id(*parts: str | int) -> str:
    return str(uuid.uuid5(_SPACE, "\0".join(str(part) for part in parts)))

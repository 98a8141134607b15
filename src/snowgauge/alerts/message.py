"""What is said: a message, made of a change, and its log of tries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from snowgauge.alerts.life import Change
from snowgauge.alerts.reading import Detail
from snowgauge.alerts.rules import Rule, Severity

Said = Literal["firing", "resolved", "reminder", "unknown", "flapping", "test"]
Status = Literal["waiting", "sent", "failed", "skipped", "shown"]
BELL = ""
"""The channel of messages that are only shown."""


class Message(msgspec.Struct, frozen=True):
    """Times are ms. ``thread``: the same for all messages of one incident."""

    id: str
    thread: str
    said: Said
    rule_id: str
    name: str
    kind: str
    severity: Severity
    key: str
    app: str
    at: int
    since: int
    started_at: int
    resolved_at: int | None
    value: float | None
    threshold: float | None
    expected: tuple[float, float] | None
    summary: str
    details: Sequence[Detail] = ()
    note: str = ""


class Delivery(msgspec.Struct, frozen=True):
    """A message on its way to one channel. ``batch``: the messages that go out as one. ``answer``: the first of what
    the other side said, or why it could not be asked. ``quiet``: it waits for the end of quiet hours."""

    message: Message
    channel_id: str
    status: Status
    created: int
    next_at: int
    tries: int = 0
    answer: str = ""
    batch: str = ""
    quiet: bool = False
    sent_at: int | None = None


def message_of(rule: Rule, change: Change, since: int) -> Message:
    """``since``: when the period began."""
    reading = change.reading
    return Message(
        id=change.id,
        thread=change.thread,
        said=change.told,
        rule_id=rule.id,
        name=rule.name,
        kind=rule.condition.kind,
        severity=rule.severity,
        key=reading.key,
        app=reading.app,
        at=change.at,
        since=since,
        started_at=change.started_at,
        resolved_at=change.resolved_at,
        value=reading.value,
        threshold=reading.threshold,
        expected=reading.expected,
        summary=_summary(change),
        details=reading.details,
        note=rule.note,
    )


def _summary(change: Change) -> str:
    summary = change.reading.summary
    match change.told:
        case "flapping":
            return f"{summary}; it changes too often, so nothing is said for an hour"
        case "unknown":
            return f"it cannot be said whether this is so: {summary}"
        case _:
            return summary

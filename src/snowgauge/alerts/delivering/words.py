"""A message in words and links, the same on every channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from snowgauge.alerts.message import Message, Said

COLORS: dict[Said, str] = {
    "firing": "#d33", "reminder": "#d33", "resolved": "#2a9d4a", "unknown": "#888", "flapping": "#e09b00",
    "test": "#4a6fd4",
}  # fmt: skip


class Letter(msgspec.Struct, frozen=True):
    """What goes out as one: one message, or a list. ``id``: the same at every try. ``console``: where the console is,
    or empty."""

    id: str
    messages: Sequence[Message]
    sent_at: int
    console: str = ""

    @property
    def first(self) -> Message:
        return self.messages[0]


class Field(NamedTuple):
    name: str
    value: str


def title(letter: Letter) -> str:
    """`[firing] No events: shop has sent nothing …`."""
    if len(letter.messages) == 1:
        return f"[{letter.first.said}] {letter.first.name}: {letter.first.summary}"
    said = ", ".join(f"{count} {name}" for name, count in _tally(letter.messages))
    return f"[{letter.first.said}] {said}"


def _tally(messages: Sequence[Message]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for one in messages:
        found[one.said] = found.get(one.said, 0) + 1
    return list(found.items())


def fields(message: Message) -> list[Field]:
    found = [Field("severity", message.severity)]
    if message.app:
        found.append(Field("application", message.app))
    found.append(Field("since", clock(message.started_at)))
    if message.resolved_at is not None:
        found.append(Field("resolved", clock(message.resolved_at)))
    found += [Field(one.name, one.value) for one in message.details]
    if message.note:
        found.append(Field("note", message.note))
    return found


def clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def link(letter: Letter, message: Message) -> str:
    """The alert in the console; empty where nobody said where that is."""
    return f"{letter.console.rstrip('/')}/alerts?alert={quote(message.rule_id)}" if letter.console else ""

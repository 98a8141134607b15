"""The contract of a reporter: an outside service that receives errors and durations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

Kind = Literal["request", "batch"]
Told = str | int | float | bool


class Client(msgspec.Struct, frozen=True):
    """The trace that a request says it belongs to: its id, that of the sender's span, and whether it is recorded."""

    trace: int
    span: int
    sampled: bool


class TraceIds(msgspec.Struct, frozen=True):
    """Ids of a payload's own trace, and in it of the spans of its request and of its enriching."""

    trace: int
    request: int
    enriched: int
    client: Client | None = None


class Followed(msgspec.Struct):
    """One payload in a unit of work; times in ns since the epoch, 0 for those of the whole unit."""

    ids: TraceIds
    started: int = 0
    ended: int = 0
    about: dict[str, Told | list[str]] = {}


class Transaction(msgspec.Struct):
    """One unit of work. Everything but ``kind`` and ``follows`` may be set until it ends.

    ``name`` is one of few. ``payloads`` are wanted only where a reporter ``follows`` them one by one.
    """

    kind: Kind
    name: str
    result: str = "ok"
    about: dict[str, Told] = {}
    follows: bool = False
    payloads: list[Followed] = []


TRANSACTION = "snowgauge.transaction"
"""Key of a request's transaction in its ASGI scope."""


class Problem(msgspec.Struct, frozen=True):
    """An error that was logged: the event's name, its part, and what of the log line may be told (scrubbed)."""

    event: str
    part: str
    about: Mapping[str, Told]
    error: BaseException | None = None


class Reporter(Protocol):
    """Safe for threads and for tasks of an event loop. None of it raises for a receiver that is down, or waits."""

    def problem(self, problem: Problem) -> None: ...

    def transaction(self, transaction: Transaction) -> AbstractContextManager[object]:
        """Open until the block ends."""

    def span(self, name: str) -> AbstractContextManager[object]:
        """A step inside of the transaction that is open here; nothing where none is."""

    def close(self) -> None:
        """Send what waits, for a moment."""

"""The contract of a reporter: somebody outside who is told of errors and durations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

Kind = Literal["request", "batch"]


class Transaction(msgspec.Struct):
    """One unit of work. ``name`` (few different ones) and ``result`` may be set until it ends."""

    kind: Kind
    name: str
    result: str = "ok"


class Problem(msgspec.Struct, frozen=True):
    """An error that was logged: the event's name, its part, and what of the log line may be told (scrubbed)."""

    event: str
    part: str
    about: Mapping[str, str | int | float | bool]
    error: BaseException | None = None


class Reporter(Protocol):
    """Safe for threads and for tasks of an event loop. None of it raises for a receiver that is away, or waits."""

    def problem(self, problem: Problem) -> None: ...

    def transaction(self, transaction: Transaction) -> AbstractContextManager[object]:
        """Open until the block ends."""

    def span(self, name: str) -> AbstractContextManager[object]:
        """A step inside of the transaction that is open here; nothing where none is."""

    def close(self) -> None:
        """Send what waits, for a moment."""

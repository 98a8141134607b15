"""Numbered records of what all machines of a deployment share, kept in the store's database (``snowgauge.state``).

A *book* has records 1, 2, 3, ... A number is taken once, by the first writer of all machines: that is the only
thing that a store has to decide, and the one that each of them can (a primary key; the token of an insert).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

TOGETHER = 200
"""Records that are read at once."""


class Record(NamedTuple):
    number: int
    body: bytes


class StateLog(Protocol):
    """Safe for threads. Every method raises ``StoreUnavailable`` where nothing can be said."""

    def after(self, book: str, number: int) -> Sequence[Record]:
        """The records beyond a number in their order, at most ``TOGETHER`` of them: all that had been appended when
        this was called, whichever machine did it."""

    def append(self, book: str, number: int, body: bytes) -> bool:
        """Take a number, which follows the last that the caller has seen. ``False``: it was taken. Durable when it
        returns; where it raises, the number may have been taken."""

    def forget(self, book: str, before: int) -> None:
        """Delete the records with lower numbers, also from the disk as far as the database does that."""

    def close(self) -> None: ...

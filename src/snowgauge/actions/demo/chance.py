"""Chance that comes out the same every time: one generator per name, and choices by share."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


def generator(*name: object) -> random.Random:
    """A generator whose numbers depend on ``name`` alone."""
    return random.Random("/".join(map(str, name)))  # noqa: S311 - traffic that is made up, not a secret


def uuid(chance: random.Random) -> str:
    """The next identifier of a generator."""
    return str(UUID(int=chance.getrandbits(128), version=4))


class Shares(Generic[T]):
    """Things that are chosen as often as their share says."""

    def __init__(self, items: Sequence[tuple[float, T]]) -> None:
        self._sums = list(accumulate(share for share, _ in items))
        self._things = [thing for _, thing in items]

    def pick(self, chance: random.Random) -> T:
        return self._things[self.place(chance)]

    def place(self, chance: random.Random) -> int:
        """The place of the thing chosen."""
        return min(bisect(self._sums, chance.random() * self._sums[-1]), len(self._things) - 1)

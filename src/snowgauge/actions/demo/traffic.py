"""All requests of a seeded time, one visit after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from snowgauge.actions.demo.calendar import Calendar
from snowgauge.actions.demo.chance import generator
from snowgauge.actions.demo.people import Visitor, visitor
from snowgauge.actions.demo.shop import SOURCES
from snowgauge.actions.demo.tracker import Tab
from snowgauge.actions.demo.visits import Visit
from snowgauge.events.payload import CollectorPayload


class Planned(NamedTuple):
    """A visit to come: when, whose, and the how-manieth of theirs."""

    at: int
    visitor: Visitor
    number: int


class Traffic:
    """``days`` that end at ``until`` (ms), ``visitors`` who come in them. The same arguments give the same requests."""

    def __init__(self, *, seed: int, days: int, visitors: int, until: int) -> None:
        self._seed = seed
        self._until = until
        self._calendar = Calendar(days, until)
        self.visits = sorted(
            (planned for number in range(visitors) for planned in self._of(visitor(seed, number))),
            key=lambda planned: (planned.at, planned.visitor.number),
        )

    def requests(self) -> Iterator[list[CollectorPayload]]:
        """The requests of each visit, visits in order of time. What would come after the end is left out."""
        for planned in self.visits:
            chance = generator(self._seed, planned.visitor.number, planned.number)
            tab = Tab(planned.visitor, self._seed, planned.number, planned.at, chance)
            Visit(tab, SOURCES.pick(chance), chance, self._until - planned.at).run()
            yield [request for request in tab.requests if request.timestamp < self._until]

    def _of(self, who: Visitor) -> Iterator[Planned]:
        chance = generator(self._seed, who.number, "times")
        at = self._calendar.first(chance)
        for number in range(1, who.visits + 1):
            if at >= self._until:
                return
            yield Planned(at, who, number)
            at = self._calendar.next(at, chance)

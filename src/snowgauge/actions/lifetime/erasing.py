"""Erasing one person, everywhere and for good.

In this order, each step repeatable: the order is written down; a tombstone is set, so that nothing comes back from now
on; the event log and what waits to be stored are cleaned while no batch is half stored; then every kind of rows in the
store, off the disk as far as the database lets us know; then everything is searched again. What broke off is gone on
with by ``resume``. The report says what was taken out where, and names nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.marks import Finder, person
from snowgauge.actions.lifetime.places import Place, Progress, Taken, silent
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.errors import SnowgaugeError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.timestamps import iso_text
from snowgauge.state.documents import Documents

_ROUNDS = 3
_WITHIN, _OPEN, _REPORT = "erasures", ".open.json", ".report.json"
Identifier = tuple[str, str]
"""Kind and value."""


class Order(msgspec.Struct, frozen=True):
    """An erasure that was asked for. Kept, with its identifiers, only until it is done."""

    id: str
    at: int
    by: str
    reason: str
    identifiers: Sequence[Identifier]


class Count(msgspec.Struct):
    """How much of a person is in a place, from when to when (ms), and found by which kinds of identifiers."""

    place: str
    items: int = 0
    first: int | None = None
    last: int | None = None
    by: dict[str, int] = msgspec.field(default_factory=dict)


class Plan(msgspec.Struct):
    """What an erasure would take out. ``seen_with``: other identifiers on the same events, with their number of
    events; each may be the same person, or someone at the same device."""

    places: list[Count]
    seen_with: list[tuple[str, str, int]]

    @property
    def items(self) -> int:
        return sum(count.items for count in self.places)


class Report(msgspec.Struct, rename="camel"):
    """What was done. Identifiers appear as their kind and their keyed hash in the tombstone."""

    id: str
    by: str
    reason: str
    asked_at: str
    done_at: str
    identifiers: list[str]
    taken: list[Taken]
    left: int


class Erasing:
    """Erasures of one deployment. ``names``: further property names that hold an id, as for ``Marks``."""

    def __init__(
        self, places: Sequence[Place], tombstones: Tombstones, gate: Gate, *, names: Iterable[str] = ()
    ) -> None:
        self.places = places
        self._tombstones = tombstones
        self._gate = gate
        self._names = tuple(names)
        self._documents = tombstones.documents

    def finder(self, identifiers: Iterable[Identifier]) -> Finder:
        """Raises ``SnowgaugeError`` for identifiers that cannot be used."""
        try:
            return Finder(person(identifiers), self._names)
        except ValueError as error:
            raise SnowgaugeError(str(error)) from None

    def plan(self, identifiers: Sequence[Identifier], progress: Progress = silent) -> Plan:
        """Look everywhere, change nothing."""
        finder = self.finder(identifiers)
        counts = []
        others: dict[Identifier, int] = {}
        for place in self.places:
            count = Count(place.name)
            for found in place.find(finder):
                count.items += 1
                count.first = found.at if count.first is None else min(count.first, found.at)
                count.last = found.at if count.last is None else max(count.last, found.at)
                count.by[found.by] = count.by.get(found.by, 0) + 1
                progress(place.name, count.items)
                if isinstance(found.item, EnrichedEvent):
                    for other in identifiers_of(found.item):
                        if other not in finder.person.marks:
                            others[other] = others.get(other, 0) + 1
            counts.append(count)
        seen = sorted(((kind, value, n) for (kind, value), n in others.items()), key=lambda one: (-one[2], one[:2]))
        return Plan(counts, seen)

    def order(self, identifiers: Sequence[Identifier], *, at: int, by: str, reason: str = "") -> Order:
        """Write the order down; durable when it returns."""
        self.finder(identifiers)
        made = Order(str(uuid.uuid4()), at, by, reason, list(identifiers))
        self._documents.put(f"{_WITHIN}/{made.id}{_OPEN}", msgspec.json.encode(made), None)
        return made

    def unfinished(self) -> list[Order]:
        """Orders that were written down and not carried out to the end, on whichever machine."""
        orders = [msgspec.json.decode(body, type=Order) for body in self._bodies(_OPEN)]
        return sorted(orders, key=lambda order: (order.at, order.id))

    def reports(self) -> Iterator[Report]:
        """Of all erasures that were done, oldest first."""
        found = [msgspec.json.decode(body, type=Report) for body in self._bodies(_REPORT)]
        yield from sorted(found, key=lambda report: (report.done_at, report.id))

    def carry_out(self, order: Order, clock: Callable[[], float], progress: Progress = silent) -> Report:
        """Take everything out. Raises ``SnowgaugeError`` when a part is unreachable: then ``resume``."""
        finder = self.finder(order.identifiers)
        self._tombstones.add(order.id, order.at, finder.person.marks)
        taken: dict[str, Taken] = {}
        left = 0
        for _ in range(_ROUNDS):
            with self._gate.still():
                for place in self.places:
                    if place.moving:
                        _sum(taken, place.take_out(finder, progress))
            for place in self.places:
                if not place.moving:
                    _sum(taken, place.take_out(finder, progress))
            # an event that the person causes at this very moment is not concerned
            left = sum(1 for place in self.places for found in place.find(finder) if found.at < order.at)
            if not left:
                break
        report = Report(
            id=order.id,
            by=order.by,
            reason=order.reason,
            asked_at=iso_text(order.at),
            done_at=iso_text(int(clock() * 1000)),
            identifiers=[self._tombstones.name(mark) for mark in sorted(finder.person.marks)],
            taken=list(taken.values()),
            left=left,
        )
        if left:
            raise SnowgaugeError(
                f"erasure {order.id}: {left} items are still there after {_ROUNDS} rounds; it stays open: run "
                "'snowgauge erase --resume' again, and look whether something keeps writing old data"
            )
        self._documents.put(f"{_WITHIN}/{order.id}{_REPORT}", msgspec.json.encode(report), None)
        self._documents.remove(f"{_WITHIN}/{order.id}{_OPEN}")
        return report

    def _bodies(self, end: str) -> Iterator[bytes]:
        for name in self._documents.names(_WITHIN):
            if name.endswith(end) and (body := self._documents.read(name)) is not None:
                yield body


def take_over(own: Documents, shared: Documents) -> None:
    """Bring the orders and reports of a data folder to where all machines see them. An order is done there, then."""
    done = {name.partition(".")[0] for name in shared.names(_WITHIN) if name.endswith(_REPORT)}
    for name in own.names(_WITHIN):
        body = own.read(name)
        if body is not None and (name.endswith(_REPORT) or name.partition(".")[0] not in done):
            shared.put(name, body, None)


def identifiers_of(event: EnrichedEvent) -> Iterator[Identifier]:
    """The ids of an event by which more of the same person's can be found."""
    for kind in ("user_id", "domain_userid", "network_userid"):
        value = getattr(event, kind)
        if value:
            yield kind, value


def _sum(taken: dict[str, Taken], more: Taken) -> None:
    before = taken.get(more.place, Taken(more.place, 0))
    taken[more.place] = Taken(
        more.place,
        before.removed + more.removed,
        before.changed + more.changed,
        list(dict.fromkeys([*before.notes, *more.notes])),
    )

"""How many events there were: ``derived.event_stats``, read once for each quarter of an hour that is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from snowgauge.alerts.rules import QUARTER_MS
from snowgauge.analytics.sql.expressions import EpochMs, Instant
from snowgauge.analytics.sql.tables import EVENT_STATS
from snowgauge.store.figures import Figures

VIEWS = frozenset(("page_view", "screen_view"))
PINGS = "page_ping"


class Kind(NamedTuple):
    """What events are alike in."""

    app: str
    event: str
    version: str


class Counted(NamedTuple):
    """Events of one kind in one quarter of an hour, of people; and when the first of an application and name was."""

    slot: int
    kind: Kind
    events: int


class CountSource(Protocol):
    def between(self, start: int, end: int) -> list[Counted]:
        """The quarters of an hour that begin from ``start`` on and before ``end`` (ms)."""

    def first(self) -> Mapping[tuple[str, str], int]:
        """(application, event) -> the quarter of an hour in which it was first seen."""


class StoredCounts:
    """Bots are left out: an alert is about people's traffic."""

    def __init__(self, figures: Callable[[], Figures], *, seconds: float = 60) -> None:
        self._figures = figures
        self._seconds = seconds

    def between(self, start: int, end: int) -> list[Counted]:
        stats = EVENT_STATS.alias("stats")
        names = [stats.c["app_id"], stats.c["event_name"], stats.c["app_version"]]
        slot = EpochMs(stats.c["slot"])
        events = sa.cast(sa.func.sum(stats.c["events"]), sa.BigInteger)
        within = [stats.c["slot"] >= Instant(start), stats.c["slot"] < Instant(end), sa.not_(stats.c["is_bot"])]
        asked = sa.select(slot, *names, events).where(*within).group_by(stats.c["slot"], *names)
        return [
            Counted(int(at), Kind(app, event, version), int(count))
            for at, app, event, version, count in self._ask(asked, stats)
        ]

    def first(self) -> Mapping[tuple[str, str], int]:
        stats = EVENT_STATS.alias("stats")
        names = [stats.c["app_id"], stats.c["event_name"]]
        asked = (
            sa.select(*names, EpochMs(sa.func.min(stats.c["slot"]))).where(sa.not_(stats.c["is_bot"])).group_by(*names)
        )
        return {(app, event): int(at) for app, event, at in self._ask(asked, stats)}

    def _ask(self, asked: sa.Select[Any], stats: sa.FromClause) -> Iterable[Any]:
        figures = self._figures()
        return figures.answer(figures.counted(asked, stats), seconds=self._seconds).rows


class Counts:
    """The counts of one look at what was stored: what was read once is not read again."""

    def __init__(self, source: CountSource) -> None:
        self._source = source
        self._slots: dict[int, dict[Kind, int]] = {}
        self._first: Mapping[tuple[str, str], int] | None = None

    def load(self, spans: Iterable[tuple[int, int]]) -> None:
        """Read these spans (ms), in as few questions as they have gaps."""
        wanted = sorted({slot for start, end in spans for slot in range(start - start % QUARTER_MS, end, QUARTER_MS)})
        missing = [slot for slot in wanted if slot not in self._slots]
        at = 0
        while at < len(missing):
            last = at
            while last + 1 < len(missing) and missing[last + 1] == missing[last] + QUARTER_MS:
                last += 1
            for slot in missing[at : last + 1]:
                self._slots[slot] = {}
            for one in self._source.between(missing[at], missing[last] + QUARTER_MS):
                of_slot = self._slots[one.slot]
                of_slot[one.kind] = of_slot.get(one.kind, 0) + one.events
            at = last + 1

    def of(self, start: int, end: int) -> dict[Kind, int]:
        """Events by kind from ``start`` to ``end`` (ms)."""
        self.load([(start, end)])
        found: dict[Kind, int] = {}
        for slot in range(start - start % QUARTER_MS, end, QUARTER_MS):
            for kind, events in self._slots[slot].items():
                found[kind] = found.get(kind, 0) + events
        return found

    def by_app(self, start: int, end: int, *, views: bool = False) -> dict[str, int]:
        """Events of each application; ``views``: page and screen views only."""
        found: dict[str, int] = {}
        for kind, events in self.of(start, end).items():
            if not views or kind.event in VIEWS:
                found[kind.app] = found.get(kind.app, 0) + events
        return found

    def by_event(self, start: int, end: int) -> dict[tuple[str, str], int]:
        """Events of each application and name."""
        found: dict[tuple[str, str], int] = {}
        for kind, events in self.of(start, end).items():
            name = (kind.app, kind.event)
            found[name] = found.get(name, 0) + events
        return found

    def first(self) -> Mapping[tuple[str, str], int]:
        if self._first is None:
            self._first = self._source.first()
        return self._first

    def first_of_app(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (app, _), at in self.first().items():
            found[app] = min(at, found.get(app, at))
        return found

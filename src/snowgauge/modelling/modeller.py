"""The modeller: looks what was stored, makes again what that changed, and says how far it is.

A run that broke off is harmless: what it was to do is found again, and doing it again ends in the same rows. What it
looks at goes back some minutes behind where it was, since an event can become visible later than its ``load_tstamp``
says (a slow insert, a long transaction).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from snowgauge.modelling.applications import Applications, digest
from snowgauge.modelling.event_stats import count, slots_of
from snowgauge.modelling.events import DAY_MS, Unit
from snowgauge.modelling.making.make import LONGEST_MS
from snowgauge.modelling.making.rules import Rules
from snowgauge.modelling.once import wrong_views
from snowgauge.modelling.rebuild import days_together, rebuild_days
from snowgauge.modelling.redo import Redo, Setting
from snowgauge.modelling.state import ModelState, Progress
from snowgauge.modelling.store import Found, ModelStore
from snowgauge.modelling.transactions import wrongly_counted

OVERLAP_MS = 600_000
UNITS_TOGETHER = 1_000
_ROUNDS = 20
"""Units that had to be made again because of others, in their turn: more rounds than any chain of transactions has."""


class Ran(NamedTuple):
    """What one run did. ``until``: everything stored before is modelled (ms); ``rebuild_day``: day that a rebuild is to
    make next, if there is one."""

    units: int = 0
    events: int = 0
    frozen: int = 0
    given_up: int = 0
    until: int = 0
    rebuild_day: int | None = None


class Modeller:
    """One for a deployment at a time. ``applications`` is asked at each run. Raises ``StoreUnavailable``."""

    def __init__(self, store: ModelStore, applications: Callable[[], Applications]) -> None:
        self._store = store
        self._applications = applications
        self._definitions = ""
        self._rules: dict[str, Rules] = {}
        self._seen: dict[tuple[object, ...], int] = {}
        self._version = 0
        self._meanwhile: dict[str, Unit] | None = None
        self.state = ModelState(store)

    def run(self) -> Ran:
        """Bring the tables up to what is stored now."""
        now = self._store.now()
        progress = self.state.read()
        applications = self._current()
        first_time = progress.position is None
        since = (now if progress.position is None else progress.position) - OVERLAP_MS
        found = self._store.stored_since(since)
        changed = [one for one in found if self._seen.get(_place(one)) != one.mark]
        dirty = self.state.dirty()
        cut = {row["session_id"]: _cut(row) for row in self.state.quarantined()}
        units = _merged([*((one.unit, one.since, one.until) for one in changed), *_of_rows(dirty)])
        # what is stored behind the place at which a session was cut changes nothing of it; what is taken out there may
        named = {row["unit"] for row in dirty}
        left = [
            unit
            for unit in units
            if unit.kind != "session" or unit.name in named or unit.since < cut.get(unit.id, unit.since + 1)
        ]
        ran = self.redo(left, applications, progress)
        if self._meanwhile is not None:
            self._meanwhile.update((unit.name, unit) for unit in left)
        if (stats := count(self._store, sorted(slots_of(changed)))) is not None:
            self._store.replace([stats], self._next_version(now))
        progress.position, progress.until, progress.error = now, now, ""
        if first_time or progress.definitions != self._definitions:
            progress.definitions = self._definitions
            self._begin_rebuild(progress, now)
        self.state.write(progress, now)
        self.state.done(dirty, now)
        self._seen = {_place(one): one.mark for one in found}
        return ran._replace(until=now, rebuild_day=progress.rebuild_day)

    def redo(self, units: Sequence[Unit], applications: Applications, progress: Progress) -> Ran:
        """Make these units again, and those which that changes."""
        now = self._store.now()
        setting = Setting(applications, self._rules, progress.is_frozen, now)
        total = Ran()
        waiting = sorted(units, key=lambda unit: unit.since)
        for _ in range(_ROUNDS):
            others: dict[str, Unit] = {}
            for start in range(0, len(waiting), UNITS_TOGETHER):
                made = Redo(self._store, setting).run(waiting[start : start + UNITS_TOGETHER], self._next_version(now))
                others.update((unit.name, unit) for unit in made.others)
                total = Ran(
                    total.units + made.units,
                    total.events + made.events,
                    total.frozen + len(made.frozen),
                    total.given_up + made.given_up,
                )
            waiting = list(others.values())
            if not waiting:
                break
        return total

    def rebuild_next(self, between: Callable[[], object] = lambda: None) -> bool:
        """Make some more days of a rebuild that is under way; is one?

        ``between`` is called between parts of the work, and may ``run``: what was stored meanwhile does not wait.
        """
        progress = self.state.read()
        day = progress.rebuild_day
        if day is None:
            return False
        now = self._store.now()
        applications = self._current()
        setting = Setting(applications, self._rules, progress.is_frozen, now)
        self._meanwhile = {}
        days = days_together(self._store, day)
        made = rebuild_days(self._store, days, setting, lambda: self._next_version(self._store.now()), between)
        # the switch has put back what the days were before these were made
        meanwhile, self._meanwhile = self._meanwhile, None
        again = {unit.name: unit for unit in wrongly_counted(self._store, made.transactions)}
        again |= {unit.name: unit for unit in wrong_views(self._store, days)}
        self.redo(list((again | meanwhile).values()), applications, self.state.read())
        for one in days:
            if (stats := count(self._store, range(one * DAY_MS, (one + 1) * DAY_MS, 900_000))) is not None:
                self._store.replace([stats], self._next_version(now))
        version = progress.version
        progress = self.state.read()
        if progress.version == version:  # else another rebuild has begun meanwhile
            progress.rebuild_day = self._day_before(days[0] * DAY_MS)
            self.state.write(progress, self._store.now())
        return True

    def begin_rebuild(self) -> None:
        """Have every day made again, the newest first."""
        progress = self.state.read()
        now = self._store.now()
        self._begin_rebuild(progress, now)
        self.state.write(progress, now)

    def failed(self, reason: str) -> None:
        """Write down why a run failed."""
        progress = self.state.read()
        progress.error = reason
        self.state.write(progress, self._store.now())

    def _begin_rebuild(self, progress: Progress, now: int) -> None:
        progress.version += 1
        progress.rebuild_day = self._day_before(now + DAY_MS)

    def _day_before(self, at: int) -> int | None:
        """The last day before an instant with events; days without need no making."""
        last = self._store.last_collected(at)
        return None if last is None else last // DAY_MS

    def _current(self) -> Applications:
        applications = self._applications()
        found = digest(applications)
        if found != self._definitions:
            self._definitions, self._rules = found, {}
        return applications

    def _next_version(self, now: int) -> int:
        self._version = max(now * 1000, self._version + 1)
        return self._version


def _cut(row: dict[str, Any]) -> int:
    """Where a session was cut that was given up, ms."""
    return int(min(row["start_tstamp"] + LONGEST_MS, row["end_tstamp"]))


def _place(one: Found) -> tuple[object, ...]:
    return one.minute, one.platform, one.domain_sessionid, one.contexts, one.event_id


def _of_rows(rows: Iterable[dict[str, object]]) -> list[tuple[str, int, int]]:
    return [(str(row["unit"]), int(str(row["since"])), int(str(row["until"]))) for row in rows]


def _merged(found: Iterable[tuple[str, int, int]]) -> list[Unit]:
    units: dict[str, Unit] = {}
    for name, since, until in found:
        known = units.get(name)
        units[name] = (
            Unit(name, since, until) if known is None else Unit(name, min(known.since, since), max(known.until, until))
        )
    return list(units.values())

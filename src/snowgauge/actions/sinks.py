"""Sinks beside the store: how each stands, and what their destinations refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snowgauge.delivery.contract import LogStats, Sink
from snowgauge.delivery.dead_letters import DeadLetters, Replayed
from snowgauge.delivery.place import now_ms, standings
from snowgauge.errors import ActionRefused, LogUnavailable
from snowgauge.store.base import StoreBatch

_PATIENCE = 60_000
_LONG = 600_000
_DAY = 86_400_000


@dataclass(frozen=True)
class SinkState:
    """``waiting`` batches of ``waiting_bytes`` wait for it, the oldest for ``waits_seconds``. ``passed_by`` batches
    never reached it. ``note`` says what is wrong. ``configured``: false for one that the settings have no more.

    For one that is written together with the event log's offsets, ``waiting`` are records of the log.
    """

    name: str
    ok: bool
    note: str
    waiting: int
    waiting_bytes: int
    waits_seconds: float
    passed_by: int
    dead_letters: int
    configured: bool


@dataclass(frozen=True)
class DeadLetter:
    """``at`` is when its events were refused first (ms), ``attempts`` how often they were."""

    id: str
    at: int
    attempts: int
    reason: str
    events: int


@dataclass(frozen=True)
class SentAgain:
    """Dead letters by what came of them; ``trouble`` is why the rest was left."""

    delivered: int
    refused: int
    left: int
    trouble: str


class Sinks:
    """``names`` are those of the settings; ``opened`` makes them, ``keep`` takes out of rows what may not leave any
    more. Safe for threads."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        dead_letters: DeadLetters,
        opened: Callable[[], Mapping[str, Sink]],
        keep: Callable[[StoreBatch], StoreBatch],
        together: Mapping[str, Callable[[], LogStats]] | None = None,
    ) -> None:
        """``together``: the sinks that are written with the event log's offsets, in place of a store, and what waits
        in it."""
        self._folder = folder
        self._names = names
        self._dead_letters = dead_letters
        self._opened = opened
        self._keep = keep
        self._together = together or {}

    def states(self) -> list[SinkState]:
        """By name, as the workers of this machine left them."""
        now = now_ms()
        found: list[SinkState] = []
        for one in standings(self._folder, [*self._names, *self._dead_letters.sinks()]):
            waits = (now - one.oldest) / 1000 if one.oldest else 0.0
            note = ""
            if one.trouble and now - one.since >= _PATIENCE:
                note = f"takes nothing since {(now - one.since) / 1000:.0f} s: {one.trouble}"
            elif waits * 1000 >= _LONG:
                note = f"the oldest batch has waited for {waits:.0f} s"
            elif one.passed_at and now - one.passed_at < _DAY:
                note = f"{one.passed_by} batches passed it by: more than sinks.backlog_bytes waited"
            letters = self._dead_letters.count(one.sink)
            if one.sink in self._together:
                found.append(_with_log(one.sink, self._together[one.sink], letters))
            elif one.sink in self._names:
                state = SinkState(
                    one.sink, not note, note, one.batches, one.bytes, waits, one.passed_by, letters, configured=True
                )
                found.append(state)
            elif letters:
                found.append(SinkState(one.sink, True, "", 0, 0, 0.0, one.passed_by, letters, configured=False))
        return found

    def letters(self, sink: str, limit: int = 100) -> list[DeadLetter]:
        """The oldest first. Raises ``ActionRefused``."""
        self._known(sink)
        found: list[DeadLetter] = []
        for one in self._dead_letters.letters(sink):
            if len(found) == limit:
                break
            found.append(DeadLetter(one.id, one.at, one.attempts, one.reason, one.events))
        return found

    def replay(self, sink: str, ids: Sequence[str] | None = None) -> SentAgain:
        """Send dead letters again, all where no ``ids`` are given. Raises ``ActionRefused``."""
        if sink not in self._names:
            self._known(sink)
            raise ActionRefused(f"sink {sink} is not in the settings any more: nothing can be sent to it", status=409)
        opened = self._opened()
        try:
            done: Replayed = self._dead_letters.replay(sink, opened[sink], self._keep, ids)
        finally:
            for one in opened.values():
                one.close()
        return SentAgain(done.delivered, done.refused, done.left, done.trouble)

    def discard(self, sink: str, ids: Sequence[str] | None = None) -> int:
        """Delete dead letters, all where no ``ids`` are given. Raises ``ActionRefused``."""
        self._known(sink)
        return self._dead_letters.discard(sink, ids)

    def _known(self, sink: str) -> None:
        known = {one.name for one in self.states()}
        if sink not in known:
            there = ", ".join(sorted(known)) or "none"
            raise ActionRefused(f"there is no sink {sink[:60]!r}; there are: {there}", status=404)


def _with_log(name: str, stats: Callable[[], LogStats], letters: int) -> SinkState:
    try:
        log = stats()
    except LogUnavailable as error:
        return SinkState(name, False, str(error), 0, 0, 0.0, 0, letters, configured=True)
    waits = log.oldest_seconds
    note = f"the oldest record has waited for {waits:.0f} s" if waits * 1000 >= _LONG else ""
    return SinkState(name, not note, note, log.entries, log.bytes, waits, 0, letters, configured=True)


def of(sinks: Sinks | None) -> Sinks:
    """Raises ``ActionRefused`` where a deployment has none."""
    if sinks is None:
        raise ActionRefused("this deployment has no sinks", status=404)
    return sinks

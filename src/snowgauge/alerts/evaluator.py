"""The evaluator: makes every check that is due, in the order of time, each once.

A check is due once its period is over for ``LATE_MS`` and, where it reads modelled tables, once everything stored by
then is in them. A process that was down makes the checks that it missed one after the other, with the figures of their
own periods. What only says what is so now (parts, the model, drift) is checked once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.channels import Channel
from snowgauge.alerts.life import Change, State, step
from snowgauge.alerts.message import BELL, Delivery, message_of
from snowgauge.alerts.reading import Reading
from snowgauge.alerts.rules import HOUR_MS, Rule, has_past, lasts
from snowgauge.alerts.sources import Sources
from snowgauge.alerts.watching.check import check
from snowgauge.errors import SnowgaugeError, StoreUnavailable

LATE_MS = 120_000
LONGEST_GAP_MS = 7 * 24 * HOUR_MS
"""Checks missed for longer are not made up for."""


class Checked(msgspec.Struct, frozen=True):
    """What one look came to. ``waits``: alerts whose period is over and not modelled yet. ``failed``: alert -> why it
    could not be checked; the others were, and it is tried again."""

    checks: int = 0
    said: int = 0
    waits: int = 0
    failed: Mapping[str, str] = {}


class Evaluator:
    """``sources`` makes what alerts look at, new for each look."""

    def __init__(self, book: AlertBook, sources: Callable[[], Sources]) -> None:
        self._book = book
        self._sources = sources

    def look(self) -> Checked:
        """Make all checks that are due. Raises ``StoreUnavailable``: what was done is kept, the rest is due still."""
        now = self._book.now()
        sources = self._sources()
        modelled = sources.model().until
        evaluated, states = self._book.evaluated(), self._book.states()
        channels = {channel.id: channel for channel in self._book.channels()}
        checks = said = waits = 0
        failed: dict[str, str] = {}
        for rule in self._book.rules():
            if not rule.enabled:
                continue
            last = evaluated.get(rule.id)
            own = states.get(rule.id, {})
            try:
                for at in due(rule, last, now):
                    if has_past(rule.condition) and at > modelled:
                        waits += 1
                        break
                    own, deliveries = self._check(rule, at, own, sources, channels, now)
                    checks += 1
                    said += len({one.message.id for one in deliveries})
            except StoreUnavailable:
                raise
            except SnowgaugeError as error:
                failed[rule.id] = str(error)
        return Checked(checks, said, waits, failed)

    def _check(
        self,
        rule: Rule,
        at: int,
        before: Mapping[str, State],
        sources: Sources,
        channels: Mapping[str, Channel],
        now: int,
    ) -> tuple[dict[str, State], list[Delivery]]:
        after, changes = advance(rule, at, before, list(check(rule, at, sources)))
        said = [one for change in changes for one in _deliveries(rule, change, at - rule.every, channels, now)]
        changed = {key: state for key, state in after.items() if state != before.get(key)}
        self._book.write(rule.id, at, changed, before.keys() - after.keys(), said)
        return after, said


def due(rule: Rule, last: int | None, now: int) -> Sequence[int]:
    """The ends of the periods to check: from the first, which is over, on; without a ``last`` just that."""
    every = rule.every
    over = now - (LATE_MS if has_past(rule.condition) else 0)
    newest = over - over % every
    if last is None or not has_past(rule.condition):
        return [newest] if last is None or newest > last else []
    return range(max(last, newest - LONGEST_GAP_MS) + every, newest + 1, every)


def advance(
    rule: Rule, at: int, before: Mapping[str, State], readings: Sequence[Reading]
) -> tuple[dict[str, State], list[Change]]:
    """The states that are worth keeping after a check, and what is to be said."""
    found = {reading.key: reading for reading in readings}
    after: dict[str, State] = {}
    changes = []
    for key, state in before.items():
        if key in found or state.last is None:
            continue
        if lasts(rule.condition) and at - state.since < LONGEST_GAP_MS:
            after[key] = state
        else:
            # an application that is gone for a week, a cause that is not new any more
            found[key] = msgspec.structs.replace(state.last, bad=False, summary=f"no longer so: {state.last.summary}")
    for key, reading in found.items():
        state, change = step(rule, before.get(key, State()), reading, at)
        if change is not None:
            changes.append(change)
        if _worth_keeping(state, at):
            after[key] = state
    return after, changes


def _worth_keeping(state: State, at: int) -> bool:
    if state.status != "ok" or state.blind or state.told == "firing" or state.held_until > at:
        return True
    return any(when > at - HOUR_MS for when in state.changes)


def _deliveries(rule: Rule, change: Change, since: int, channels: Mapping[str, Channel], now: int) -> list[Delivery]:
    """The message for the bell, and for each channel of the alert."""
    message = message_of(rule, change, since)
    made = [Delivery(message, BELL, "shown", now, now)]
    for one in rule.channels:
        channel = channels.get(one)
        if channel is None:
            continue
        delivery = Delivery(message, one, "waiting", now, now)
        if rule.muted_until is not None and now < rule.muted_until:
            delivery = msgspec.structs.replace(delivery, status="skipped", answer="the alert is muted")
        elif not channel.enabled:
            delivery = msgspec.structs.replace(delivery, status="skipped", answer="the channel is switched off")
        elif (quiet_end := channel.quiet.until(now, rule.severity)) is not None:
            delivery = msgspec.structs.replace(delivery, next_at=quiet_end, quiet=True)
        made.append(delivery)
    return made

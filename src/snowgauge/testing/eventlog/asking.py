"""Short words for what tests ask of an event log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from snowgauge.delivery.contract import EventLog, Subscription
from snowgauge.events.log_entry import LogEntry

MakeLog = Callable[..., EventLog]


def entries(*bodies: str) -> list[LogEntry]:
    """One payload entry per text, received now."""
    now = int(time.time() * 1000)
    return [LogEntry(body.encode(), now) for body in bodies]


def bodies(found: Sequence[LogEntry]) -> list[str]:
    return [entry.body.decode() for entry in found]


@contextmanager
def subscribed(log: EventLog, share: int = 0, of: int = 1) -> Iterator[Subscription]:
    subscription = log.subscribe(share, of)
    try:
        yield subscription
    finally:
        subscription.close()


def drain(subscription: Subscription, timeout: float = 0.0) -> list[LogEntry]:
    """Read and commit until nothing comes within ``timeout``."""
    found: list[LogEntry] = []
    while batch := subscription.read(timeout):
        found += batch.entries
        subscription.commit(batch)
    return found


def drain_until(subscription: Subscription, complete: Callable[[list[LogEntry]], bool]) -> list[LogEntry]:
    """Read and commit until ``complete`` says so of what came, or nothing more has come for ten seconds."""
    found: list[LogEntry] = []
    idle = 0
    while not complete(found) and idle < 100:
        batch = subscription.read(0.1)
        if batch is None:
            idle += 1
        else:
            idle = 0
            found += batch.entries
            subscription.commit(batch)
    return found


def ids_and_bodies(subscription: Subscription, most: int = 1000) -> list[tuple[str, list[str]]]:
    """Read what there is, and commit nothing."""
    found: list[tuple[str, list[str]]] = []
    while len(found) < most and (batch := subscription.read(0)):
        found.append((batch.id, bodies(batch.entries)))
    return found

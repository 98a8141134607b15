"""What the agent API answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Period = Literal["today", "24h", "7d", "30d", "all"]
PERIODS: tuple[Period, ...] = ("today", "24h", "7d", "30d", "all")


@dataclass(frozen=True)
class Status:
    """The three ticks of Try Snowplow. ``receiving``: at least one event has been stored, ``events`` of them so far."""

    installed: bool
    ready: bool
    receiving: bool
    events: int
    version: str


@dataclass(frozen=True)
class Component:
    """One part. ``lag_events`` and ``lag_seconds`` are what it has yet to do, ``last_success`` is Unix time in ms."""

    name: str
    up: bool
    last_success: int | None = None
    lag_events: int | None = None
    lag_seconds: float | None = None
    free_bytes: int | None = None


@dataclass(frozen=True)
class Health:
    healthy: bool
    components: list[Component]


@dataclass(frozen=True)
class PeriodCounts:
    """Good and bad events of one period; ``bad_by_type`` is by type of failure."""

    period: Period
    good: int
    bad: int
    bad_by_type: dict[str, int]


@dataclass(frozen=True)
class MinuteCount:
    """``start`` is Unix time in ms."""

    start: int
    good: int
    bad: int


@dataclass(frozen=True)
class Counted:
    """How often one key was seen, and when first and last (Unix time in ms) in the period asked for.

    ``key`` is ``None`` for events without it, and where ``others``: then it is the sum of keys too rare to be named.
    """

    key: str | None
    count: int
    first_seen: int | None
    last_seen: int | None
    others: bool = False


@dataclass(frozen=True)
class EventType:
    """One kind of event by the name, vendor and version of its schema."""

    vendor: str | None
    name: str | None
    version: str | None
    count: int
    first_seen: int | None
    last_seen: int | None


@dataclass(frozen=True)
class Versions:
    """``local_schemas`` is the number of schemas that need no network."""

    snowgauge: str
    python: str
    local_schemas: int


@dataclass(frozen=True)
class Throughput:
    """Good events per second: ``now`` over five minutes, in the ``busiest`` minute of 24 hours, and the ``most`` that
    the workers could do, ``None`` before they have worked enough to tell.

    ``days_left`` until the disk is full at the last day's rate; ``None`` where nothing came.
    """

    now: float
    busiest: float
    most: float | None
    disk_free: int
    days_left: float | None


@dataclass(frozen=True)
class LimitHit:
    """How often a limit was met since the start of the deployment."""

    limit: str
    reason: str
    count: int

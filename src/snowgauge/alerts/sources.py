"""What alerts look at, as protocols: the wiring hands over what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from snowgauge.alerts.counts import Counts
from snowgauge.alerts.rules import Severity
from snowgauge.store.base import Bucket, EventKind, Selection


class Part(msgspec.Struct, frozen=True):
    """A part of the pipeline, and what is wrong with it or the figure that matters."""

    name: str
    ok: bool
    note: str = ""


class Model(msgspec.Struct, frozen=True):
    """How far the modelled tables are. ``until``: everything stored before is in them (ms)."""

    until: int = 0
    error: str = ""
    quarantined: int = 0


class DriftSeen(msgspec.Struct, frozen=True):
    """An open entry of the tracking plan."""

    id: str
    app: str
    severity: Severity
    summary: str


class Failures(Protocol):
    """What is asked about failed events: part of ``store.base.Reader``."""

    def count_by(self, kind: EventKind, column: str, selection: Selection, *, limit: int = 100) -> list[Bucket]: ...

    def events(self, kind: EventKind, selection: Selection, *, limit: int = 100) -> list[dict[str, Any]]: ...


Ask = Callable[[Mapping[str, Any], int, int], Sequence[tuple[str, float | None]]]
"""A question of one measure, asked about a period (ms): the values of its dimension with the measure's; one row with an
empty name where it has no dimension. Raises ``QueryRefused``, ``ActionRefused``, ``StoreUnavailable``."""


@dataclass(frozen=True)
class Sources:
    """``zone``: of an application. ``parts`` and ``model`` say what is so now."""

    counts: Counts
    failures: Failures
    ask: Ask
    parts: Callable[[], Sequence[Part]]
    model: Callable[[], Model]
    drifts: Callable[[], Sequence[DriftSeen]]
    zone: Callable[[str], ZoneInfo]

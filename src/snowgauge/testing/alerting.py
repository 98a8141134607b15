"""A deployment's traffic that never was, hour by hour, and alerts over it, with a clock that is moved by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.channels import Channel
from snowgauge.alerts.counts import Counted, Counts, Kind
from snowgauge.alerts.delivering.post import Means, Post
from snowgauge.alerts.evaluator import Evaluator
from snowgauge.alerts.rules import HOUR_MS, QUARTER_MS
from snowgauge.alerts.sealing import Seal
from snowgauge.alerts.settings import AlertsSettings
from snowgauge.alerts.sources import DriftSeen, Model, Part, Sources
from snowgauge.outgoing import HttpClient
from snowgauge.store.base import Bucket, EventKind, Filter, Selection
from snowgauge.testing.model_store import MemoryModelStore

DAY_MS = 24 * HOUR_MS
START = 1_798_416_000_000
"""A Monday, 2026-12-28T00:00:00Z."""


class Traffic:
    """Counts by quarter of an hour: ``CountSource`` over what ``add`` was given."""

    def __init__(self) -> None:
        self.slots: dict[int, dict[Kind, int]] = {}

    def add(self, slot: int, app: str, event: str, events: int, version: str = "") -> None:
        if events:
            of_slot = self.slots.setdefault(slot, {})
            kind = Kind(app, event, version)
            of_slot[kind] = of_slot.get(kind, 0) + events

    def between(self, start: int, end: int) -> list[Counted]:
        return [
            Counted(slot, kind, events)
            for slot in range(start, end, QUARTER_MS)
            for kind, events in self.slots.get(slot, {}).items()
        ]

    def first(self) -> Mapping[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for slot in sorted(self.slots):
            for kind in self.slots[slot]:
                found.setdefault((kind.app, kind.event), slot)
        return found


class Failed:
    """Failed events: what alerts ask of a store, over ``rows`` of (time, app, cause, message)."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, str, str]] = []

    def count_by(self, kind: EventKind, column: str, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        assert kind == "failed"
        found: dict[str, int] = {}
        for row in self._selected(selection):
            key = row[{"app_id": 1, "cause": 2}[column]]
            found[str(key)] = found.get(str(key), 0) + 1
        ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return [Bucket(key, count) for key, count in ordered[:limit]]

    def events(self, kind: EventKind, selection: Selection, *, limit: int = 100) -> list[dict[str, Any]]:
        assert kind == "failed"
        names = ("collector_tstamp", "app_id", "cause", "message")
        return [dict(zip(names, row, strict=True)) | {"failure_type": "schema_violations", "schema": None}
                for row in self._selected(selection)[:limit]]  # fmt: skip

    def _selected(self, selection: Selection) -> list[tuple[int, str, str, str]]:
        def met(row: tuple[int, str, str, str], one: Filter) -> bool:
            return row[{"app_id": 1, "cause": 2}[one.column]] in one.values

        return [
            row
            for row in self.rows
            if (selection.since or 0) <= row[0] < (selection.until or row[0] + 1)
            and all(met(row, one) for one in selection.filters)
        ]


class AlertWorld:
    """``store.clock`` is the time. ``modelled``: ms by which the modeller is behind."""

    def __init__(self, start: int = START) -> None:
        self.store = MemoryModelStore()
        self.store.clock = start
        self.traffic = Traffic()
        self.failed = Failed()
        self.book = AlertBook(self.store, Seal("of the test"))
        self.parts: list[Part] = []
        self.drifts: list[DriftSeen] = []
        self.behind = 0
        self.model_error = ""
        self.answers: Callable[[Mapping[str, Any], int, int], Sequence[tuple[str, float | None]]] = lambda *_: []
        self.zones: dict[str, ZoneInfo] = {}
        self.evaluator = Evaluator(self.book, self.sources)

    def sources(self) -> Sources:
        return Sources(
            Counts(self.traffic),
            self.failed,
            self.answers,
            lambda: self.parts,
            lambda: Model(self.store.clock - self.behind, self.model_error),
            lambda: self.drifts,
            lambda app: self.zones.get(app, ZoneInfo("UTC")),
        )

    def pass_time(self, until: int, every: int = QUARTER_MS) -> None:
        """Look whenever a time has passed, up to ``until``."""
        while self.store.clock < until:
            self.store.clock = min(self.store.clock + every, until)
            self.evaluator.look()


@contextmanager
def means(
    *,
    allow_http: bool = True,
    allow_private_hosts: bool = True,
    mail: Callable[[EmailMessage], str] = lambda _: "taken",
) -> Iterator[Means]:
    """What sends over real HTTP, to servers of this machine."""
    settings = AlertsSettings(allow_http=allow_http, allow_private_hosts=allow_private_hosts)
    http = HttpClient(
        timeout=5,
        retries=0,
        allow_private_hosts=allow_private_hosts,
        private_hosts_cure="alerts.allow_private_hosts allows it",
    )
    try:
        post = Post(settings, http, mail, "alerts@example.com")
        yield Means(Seal("of the test"), post, "https://console.example")
    finally:
        http.close()


def webhook(url: str, channel_id: str = "hook", **more: Any) -> Channel:
    return Channel.model_validate(
        {"id": channel_id, "name": "Hook", "kind": "webhook", "url": url, "secret": "s3cret", **more}
    )


def usual(at: int, per_hour: float) -> float:
    """Events of a quarter of an hour that a site has by the time of day and week."""
    hour = (at // HOUR_MS) % 24
    weekend = (at - START) // DAY_MS % 7 >= 5
    of_day = 0.35 + 0.65 * (1 - math.cos((hour - 3) / 24 * 2 * math.pi)) / 2
    return per_hour / 4 * of_day * (0.6 if weekend else 1)


def counted(chance: random.Random, mean: float) -> int:
    """A count with the noise of counting: Poisson's, for large means its normal limit."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, found = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        found += 1
    return found

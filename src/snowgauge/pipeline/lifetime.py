"""Puts together what erasure, export, backup and retention work on: the only place that knows all places."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from snowgauge.actions.lifetime import retention
from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.marks import Finder
from snowgauge.actions.lifetime.places import EventLogPlace, Found, Place, Progress, Taken, store_places
from snowgauge.actions.lifetime.pruning import pruned_failed
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.errors import SettingsError, SnowgaugeError
from snowgauge.pipeline import build
from snowgauge.pipeline.journal import Journal, Processed
from snowgauge.settings.model import Settings
from snowgauge.store.base import Store, StoreBatch
from snowgauge.store.lifetime import HasLifetime, Lifetime, Row, row_key
from snowgauge.telemetry.logs import logger

log = logger("retention")
_LOOK_EVERY = 60.0


def open_lifetime(store: Store) -> Lifetime:
    """The store's other end. Raises ``SettingsError`` for a store without one."""
    if not hasattr(store, "lifetime"):
        raise SettingsError(f"{type(store).__name__} cannot let go of events: use ClickHouse or PostgreSQL")
    return cast("HasLifetime", store).lifetime()


def tombstones(settings: Settings) -> Tombstones:
    return Tombstones(build.data_dir(settings), settings.privacy.person_fields)


def gate(settings: Settings) -> Gate:
    return Gate(build.data_dir(settings))


def spool_folder(settings: Settings) -> Path:
    return settings.eventlog.folder or build.data_dir(settings) / "spool"


def erasing(settings: Settings, store: Store) -> Erasing:
    """Everything that an erasure (or an export about a person) has to look at."""
    places: list[Place] = [
        EventLogPlace(build.open_eventlog(settings)),
        JournalPlace(build.data_dir(settings) / "journal"),
        *store_places(open_lifetime(store)),
    ]
    return Erasing(places, tombstones(settings), gate(settings), names=settings.privacy.person_fields)


class JournalPlace:
    """What workers have written down before storing it."""

    name = "journal"
    moving = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal = Journal(folder)

    def find(self, finder: Finder) -> Iterator[Found]:
        for processed in self._all():
            batch = processed.batch
            items: tuple[Row, ...] = (*batch.events, *batch.failed, *batch.incomplete)
            for item in items:
                mark = finder.by(item)
                if mark is not None:
                    key, at = row_key(item)
                    yield Found(self.name, key, at, mark[0], item)

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        removed = changed = 0
        for processed in self._all():
            batch = processed.batch
            events = [event for event in batch.events if finder.by(event) is None]
            incomplete = [event for event in batch.incomplete if finder.by(event) is None]
            pruned = [pruned_failed(one, finder.marks, finder.by_any) for one in batch.failed]
            failed = [one for one in pruned if one is not None]
            rewritten = sum(new is not None and new is not old for new, old in zip(pruned, batch.failed, strict=True))
            good, bad = len(batch.events) - len(events), len(batch.failed) - len(failed)
            gone = good + bad + len(batch.incomplete) - len(incomplete)
            if gone or rewritten:
                tally = processed.tally
                tally.enriched -= good
                tally.failed -= bad
                tally.dropped += good + bad
                self._journal.save(Processed(StoreBatch(batch.id, events, failed, incomplete), tally))
                removed, changed = removed + gone, changed + rewritten
                progress(self.name, removed)
        return Taken(self.name, removed, changed)

    def _all(self) -> Iterator[Processed]:
        for file in sorted(self._folder.glob("*.batch")):
            processed = self._journal.load(file.stem)
            if processed is not None:
                yield processed


def keep_retention(settings: Settings, store: Store, stop: threading.Event) -> threading.Thread | None:
    """Run retention once a day in the background of this process, until ``stop``. ``None``: nothing ever goes."""
    daily = retention.Daily(settings.retention, build.data_dir(settings))
    if not daily.wanted or not hasattr(store, "lifetime"):
        return None
    lifetime = open_lifetime(store)

    def keep() -> None:
        while not stop.is_set():
            if daily.due():
                try:
                    retention.run(lifetime, settings.retention, datetime.now(UTC), spool_folder(settings))
                    daily.done()
                except SnowgaugeError as error:
                    log.warning("retention_failed", reason=str(error), effect="tried again in a minute")
            stop.wait(_LOOK_EVERY)

    thread = threading.Thread(target=keep, name="retention", daemon=True)
    thread.start()
    return thread

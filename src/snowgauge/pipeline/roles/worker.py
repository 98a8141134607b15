"""A worker: takes its share of the event log, enriches, and loads."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from snowgauge.actions.lifetime.erased import Erased
from snowgauge.delivery.contract import Subscription
from snowgauge.delivery.followers import Followers
from snowgauge.delivery.worker import Worker
from snowgauge.errors import RegistryOutage, SettingsError, StateUnavailable, StoreUnavailable
from snowgauge.iglu.at_hand import Limits
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.validation import IgluValidator
from snowgauge.pipeline import build, lifetime, upgrades
from snowgauge.pipeline.enriching import Enriching
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.roles.process import mark_ready, mark_waiting, stopping
from snowgauge.pipeline.self_recovery import keep_recovering
from snowgauge.settings.model import Settings
from snowgauge.store.base import HasLifetime, Migration, Migrator
from snowgauge.telemetry.logs import logger

_log = logger("pipeline")


@reported("pipeline")
def run_pipeline(settings: Settings, environment: Mapping[str, str], *, index: int = 0) -> None:
    """One pipeline worker: takes its share of the event log until told to stop."""
    if settings.sinks.kafka.exactly_once:
        raise SettingsError(
            "sinks.kafka.exactly_once needs pipeline.store = none: a store is no part of Kafka's transactions. For a "
            "copy of what is stored, at least once, set sinks.kafka.brokers instead"
        )
    settings.pipeline.refuse_index(index)
    workers = settings.pipeline.worker_count()
    stop, abandon = stopping(settings)
    iglu = build.open_iglu(settings)
    store = build.open_store(settings, iglu[0])
    migrate = (lambda: upgrades.migrate(settings, store)) if index == 0 else None
    waits = partial(mark_waiting, settings, f"pipeline-{index}")
    prepare_store(store, migrate=migrate, stop=stop, waits=waits)
    made = enriching(settings, environment, iglu, stop, waits)
    erased = known_erased(settings, store, stop, waits)
    if stop.is_set() or made is None or erased is None:
        return
    subscription = build.open_eventlog(settings).subscribe(index, workers)
    followers = build.open_followers(settings, index, erased.without)
    worker = Worker(
        subscription,
        made.enricher,
        store,
        processor=made.enricher.processor,
        followers=followers[0] if followers else None,
        gate=lifetime.gate(settings).storing,
        erasures=erased,
    )
    if index == 0:
        lifetime.keep_retention(settings, store, stop)
        keep_recovering(settings, environment, store, stop)
    worker.stop, worker.abandon = stop, abandon
    collect_seldom()
    mark_ready(settings, f"pipeline-{index}")
    _log.info("worker_started", worker=index)
    try:
        run_with_followers(worker, followers, subscription)
    finally:
        made.close()
        store.close()
    done = worker.tally
    _log.info("worker_stopped", worker=index, enriched=done.enriched, failed=done.failed, dropped=done.dropped)


def run_with_followers(worker: Worker, followers: list[Followers], subscription: Subscription) -> None:
    """Run the worker until it is stopped, with its sinks beside it; ends them and the subscription, however it ends."""
    for follower in followers:
        follower.start()
    try:
        worker.run()
    finally:
        for follower in followers:
            follower.close()
        subscription.close()


def collect_seldom() -> None:
    """A batch is some hundred thousand objects that all die together: looking through them finds nothing."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def enriching(
    settings: Settings,
    environment: Mapping[str, str],
    iglu: tuple[IgluResolver, IgluValidator],
    stop: threading.Event,
    waits: Callable[[str], None],
) -> Enriching | None:
    """Configurations are checked against their schemas, which may have to come from a registry that is unreachable."""
    while not stop.is_set():
        try:
            return Enriching(settings, environment, limits=Limits.of_batches(settings.iglu), iglu=iglu)
        except RegistryOutage as outage:
            _log.warning("registry_unreachable", schema=outage.uri, needed_for="an enrichment's configuration")
            waits(f"the schema of an enrichment's configuration: {outage}")
            stop.wait(2)
    return None


def known_erased(
    settings: Settings, store: HasLifetime, stop: threading.Event, waits: Callable[[str], None]
) -> Erased | None:
    """Who was erased has to be known before anything is stored. ``waits`` is told what is waited for."""
    while not stop.is_set():
        try:
            return lifetime.erased(settings, store)
        except StateUnavailable as error:
            _log.warning("state_unreachable", reason=str(error), needed_for="erasures")
            waits(str(error))
            stop.wait(2)
    return None


def prepare_store(
    store: Migrator,
    *,
    migrate: Callable[[], list[Migration]] | None,
    stop: threading.Event,
    waits: Callable[[str], None] = lambda _: None,
) -> None:
    """Wait until the store answers and its layout is complete; ``migrate``, where given, makes it so. ``waits`` is told
    what is waited for."""
    told = 0.0
    while not stop.is_set():
        try:
            if migrate is not None:
                applied = migrate()
                if applied:
                    _log.info("store_migrated", steps=[step.name for step in applied])
                return
            if all(step.applied_at is not None for step in store.migrations()):
                return
            waits("the first worker, which lays the store out")
        except StoreUnavailable as error:
            waits(f"the store: {error}")
            if time.monotonic() - told > 10:
                told = time.monotonic()
                _log.warning("store_unreachable", reason=str(error))
        stop.wait(0.1)

"""The processes of a deployment, each as one function that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.saved.shares import Shares
from snowgauge.actions.lifetime.erased import Erased
from snowgauge.actions.scripts.door import with_neutral_names
from snowgauge.actions.scripts.first_start import fetch_in_background
from snowgauge.api.app import create_app
from snowgauge.api.programs import programs
from snowgauge.connections import ConnectionGuard, ConnectionLimits
from snowgauge.console.site import Console
from snowgauge.delivery.contract import Subscription
from snowgauge.delivery.followers import Followers
from snowgauge.delivery.worker import Worker
from snowgauge.errors import RegistryOutage, SettingsError, StateUnavailable, StoreUnavailable
from snowgauge.iglu.at_hand import Limits
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.validation import IgluValidator
from snowgauge.pipeline import alerts, build, lifetime, modelling, public_door, upgrades
from snowgauge.pipeline.enriching import Enriching
from snowgauge.pipeline.private_port import open_doors
from snowgauge.pipeline.public_paths import public_apps
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.reports import keep_reporting
from snowgauge.pipeline.self_recovery import keep_recovering
from snowgauge.settings.model import Settings
from snowgauge.store.base import HasLifetime, Migration, Migrator
from snowgauge.telemetry import metrics
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.reporting.requests import Traced

_log = logger("pipeline")


def share_metrics(settings: Settings) -> None:
    """Let this process's figures be seen on the private port. Must come before the first metric is used."""
    metrics.configure(build.data_dir(settings) / "run" / "metrics")


def on_stop(act: Callable[[], None]) -> None:
    """Call ``act`` at SIGTERM or Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def stopping(settings: Settings) -> tuple[threading.Event, threading.Event]:
    """Events that SIGTERM and Ctrl-C set: to stop, and to leave even what is under way, which comes with the second
    signal or after ``pipeline.drain_timeout``."""
    stop, abandon = threading.Event(), threading.Event()

    def told() -> None:
        if stop.is_set():
            abandon.set()
        stop.set()
        giving_up = threading.Timer(settings.pipeline.drain_timeout.total_seconds(), abandon.set)
        giving_up.daemon = True
        giving_up.start()

    on_stop(told)
    return stop, abandon


def mark_ready(settings: Settings, name: str) -> None:
    """Tell a supervisor, and all who ask for the state, that this process is at work: a file with its process id."""
    mark = ready_mark(settings, name)
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.write_text(f"{os.getpid()}\n")
    mark.with_suffix(".waiting").unlink(missing_ok=True)


def mark_waiting(settings: Settings, name: str, why: str) -> None:
    """Tell a supervisor what this process waits for before it can be at work."""
    mark = ready_mark(settings, name).with_suffix(".waiting")
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.write_text(f"{why}\n", "utf-8")


def ready_mark(settings: Settings, name: str) -> Path:
    return build.data_dir(settings) / "run" / f"{name}.ready"


@reported("collector")
def run_collector(settings: Settings, *, index: int = 0) -> None:
    """One collector process: requests into the event log."""
    from snowgauge.collector.serve import run

    writer = build.open_eventlog(settings).writer()
    run(
        with_neutral_names(public_door.collector_settings(settings), settings.scripts),
        writer,
        more={**public_door.pages(settings, writer), **public_apps(settings)},
        security=settings.security,
        ready=lambda: mark_ready(settings, f"collector-{index}"),
    )


@reported("clickhouse")
def run_engine(settings: Settings) -> None:
    """The embedded ClickHouse engine."""
    from snowgauge.store.clickhouse.engine import run

    engine = build.clickhouse_settings(settings).engine
    mark_ready(settings, "clickhouse-0")
    run(engine, engine.path or build.data_dir(settings) / "clickhouse")


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


@reported("modeller")
def run_modeller(settings: Settings) -> None:
    """Keep the modelled tables up to date, or wait until this machine is the one that does."""
    stop = threading.Event()
    on_stop(stop.set)
    store = build.open_store(settings)
    mark_ready(settings, "modeller-0")
    prepare_store(store, migrate=None, stop=stop)
    try:
        if not stop.is_set():
            tables = modelling.model_store(store)
            alerts.keep_alerting(settings, tables, stop)
            modelling.keep_modelling(settings, tables, stop)
    finally:
        store.close()


def _route_name(scope: MutableMapping[str, Any]) -> str:
    """The path of the API as declared, which says nothing of what was asked for."""
    return str(getattr(scope.get("route"), "path", "page"))


@reported("console")
def run_console(settings: Settings) -> None:
    """The private port."""
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.embed import Server

    doors = open_doors(settings)
    mark_ready(settings, "console-0")
    deployment = build.open_deployment(settings, os.environ)
    fetch_in_background(settings.scripts, build.scripts_folder(settings))
    proxies = settings.security.trusted_proxies if settings.security.trust_proxy_headers else ()
    served = programs(deployment, doors, settings.registry, settings.agent, proxies)
    stop = threading.Event()
    keep_reporting(deployment, stop)
    console = Console(frames=Shares(saved(deployment)).frame_ancestors)
    app = Traced(create_app(deployment, doors, console, served), _route_name)

    own = settings.console
    patience = own.idle_timeout.total_seconds()
    guard = ConnectionGuard(app, own.port, ConnectionLimits(own.max_connections, patience, patience))

    async def serve() -> None:
        server = Server(
            guard,
            address=own.host,
            port=own.port,
            interface=Interfaces.ASGI,
            backpressure=own.max_connections,
            http1_settings=HTTP1Settings(header_read_timeout=int(patience * 1000)),
            log_level=LogLevels.error,
            log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        watching = asyncio.ensure_future(guard.keep())
        await server.serve()
        watching.cancel()

    try:
        asyncio.run(serve())
    finally:
        stop.set()

"""Loading the topics of Snowplow's enrich: a worker whose records are enriched already."""

from __future__ import annotations

from collections.abc import Callable

from snowgauge.actions.imports.into_log import PROCESSOR
from snowgauge.actions.imports.loaded import EnrichedRecords, bad_row
from snowgauge.delivery.worker import Worker
from snowgauge.pipeline import build, lifetime, upgrades
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.roles.process import stopping
from snowgauge.pipeline.roles.worker import known_erased, prepare_store
from snowgauge.settings.model import Settings
from snowgauge.telemetry.logs import logger

_log = logger("pipeline")


@reported("load")
def run_load(settings: Settings, told: Callable[[str], None]) -> None:
    """Load until told to stop. ``settings`` are those of a log whose good topic holds enriched events, and whose bad
    topic bad rows. ``told`` hears what is waited for."""
    stop, abandon = stopping(settings)
    store = build.open_store(settings)
    try:
        prepare_store(store, migrate=lambda: upgrades.migrate(settings, store), stop=stop, waits=told)
        if stop.is_set():
            return
        erased = known_erased(settings, store, stop, told)
        if erased is None:
            return
        subscription = build.open_eventlog(settings).subscribe()
        worker = Worker(
            subscription,
            EnrichedRecords(),
            store,
            processor=PROCESSOR,
            gate=lifetime.gate(settings).storing,
            erasures=erased,
            bad_rows=bad_row,
        )
        worker.stop, worker.abandon = stop, abandon
        _log.info("load_started")
        try:
            worker.run()
        finally:
            subscription.close()
        done = worker.tally
        _log.info("load_stopped", events=done.enriched, failed=done.failed, dropped=done.dropped)
    finally:
        store.close()

"""Failed events that only lacked a schema are replayed automatically, by the first worker, beside its own work."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from snowgauge.actions.failed.recover import Totals, new_run
from snowgauge.actions.failed.retry import Turns, retry
from snowgauge.actions.failed.runs import Runs
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import SnowgaugeError
from snowgauge.pipeline import build, lifetime
from snowgauge.settings.model import Settings
from snowgauge.store.base import Store
from snowgauge.telemetry.logs import logger

_log = logger("recovery")


def keep_recovering(settings: Settings, environment: Mapping[str, str], store: Store, stop: threading.Event) -> None:
    """Start the thread that looks every ``pipeline.auto_recover_interval``; it ends with ``stop``."""
    if not settings.pipeline.auto_recover:
        return
    seconds = settings.pipeline.auto_recover_interval.total_seconds()

    turns = Turns()

    def run() -> None:
        while not stop.wait(seconds):
            try:
                recover_unresolved(settings, environment, store, turns)
            except SnowgaugeError as error:  # the store or a registry is unreachable, or a person recovers just now
                _log.debug("recovery_put_off", reason=str(error))
            except Exception:
                _log.exception("recovery_broken")

    threading.Thread(target=run, name="recovery", daemon=True).start()


def recover_unresolved(
    settings: Settings, environment: Mapping[str, str], store: Store, turns: Turns | None = None
) -> Totals:
    """Replay what failed for lack of schemas that are available now. Raises ``ActionRefused`` during another run."""
    resolver, _ = build.open_iglu(settings)  # a new one: it has not yet learnt that a schema is missing
    opened: list[build.Enriching] = []

    def enricher() -> Enricher:
        opened.append(build.Enriching(settings, environment, start=False))
        return opened[0].enricher

    try:
        with Runs(build.data_dir(settings)).alone():
            schemas, totals = retry(
                store,
                resolver,
                enricher,
                run=new_run(datetime.now(UTC)),
                turns=turns,
                at=int(time.time() * 1000),
                gate=lifetime.gate(settings).storing,
                erasures=lifetime.erased(settings, store),
            )
    finally:
        for enriching in opened:
            enriching.close()
    if schemas:
        _log.info("recovered_by_itself", schemas=schemas, recovered=totals.recovered, failed=totals.failed)
    return totals

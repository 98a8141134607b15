"""The modeller: keeps the modelled tables up to date, and evaluates alerts over them."""

from __future__ import annotations

import threading

from snowgauge.pipeline import alerts, build, modelling
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.roles.process import mark_ready, on_stop
from snowgauge.pipeline.roles.worker import prepare_store
from snowgauge.settings.model import Settings


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

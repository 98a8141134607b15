"""The process that keeps the modelled tables up to date."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from snowgauge.errors import SettingsError, SnowgaugeError
from snowgauge.modelling.application_book import ApplicationBook, cautious
from snowgauge.modelling.lease import Lease
from snowgauge.modelling.modeller import Modeller, Ran
from snowgauge.modelling.store import HasModelling, ModelStore
from snowgauge.pipeline import build
from snowgauge.pipeline.lifetime import opened
from snowgauge.settings.model import Settings
from snowgauge.store.base import Store
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, gauge, observe

_log = logger("modelling")
_WAITING = 5.0
"""Seconds between looks at a lease that another machine has."""


def wanted(settings: Settings) -> bool:
    """Does this deployment model? A store in memory has no modelled tables."""
    return settings.modelling.enabled and build.store_kind(settings) != "memory"


def keep_modelling(settings: Settings, store: ModelStore, stop: threading.Event) -> None:
    """Model until ``stop``. A store that is unreachable, or anything else that fails, is tried again."""
    book = ApplicationBook(store, settings.modelling.applications)
    modeller = Modeller(store, cautious(book, lambda reason: _log.warning("applications_wrong", reason=reason)))
    lease = Lease(store, f"{platform.node()}:{build.data_dir(settings)}")
    lease.keep()
    every = settings.modelling.every.total_seconds()
    try:
        while not stop.is_set():
            started = time.monotonic()
            pause = _one_turn(modeller, lease, every, started, stop)
            stop.wait(pause)
    finally:
        _let_go(lease)


def _one_turn(modeller: Modeller, lease: Lease, every: float, started: float, stop: threading.Event) -> float:
    """One run, and as many days of a rebuild as fit before the next; answers how long to wait for that."""
    try:
        if not lease.held():
            return _WAITING
        _tell(modeller.run(), time.monotonic() - started)
        looks = _Looks(modeller, every)
        while not stop.is_set() and time.monotonic() - started < every and modeller.rebuild_next(looks.between):
            pass
    except SnowgaugeError as error:
        count("model_failures")
        _log.warning("modelling_failed", reason=str(error), effect="tried again; the tables stay as they are")
        _write_down(modeller, str(error))
    return max(0.0, every - (time.monotonic() - started))


class _Looks:
    """Looks at what is stored while a long day is made again."""

    def __init__(self, modeller: Modeller, every: float) -> None:
        self._modeller = modeller
        self._every = every
        self._last = time.monotonic()

    def between(self) -> None:
        if time.monotonic() - self._last >= self._every:
            started = self._last = time.monotonic()
            _tell(self._modeller.run(), time.monotonic() - started)


def _tell(ran: Ran, seconds: float) -> None:
    observe("model_run_seconds", seconds)
    count("model_units", ran.units)
    count("model_events", ran.events)
    gauge("model_until_timestamp", ran.until / 1000)
    if ran.given_up:
        count("model_quarantined", ran.given_up)
        _log.warning("sessions_given_up", sessions=ran.given_up, see="derived.model_quarantine")
    if ran.frozen:
        count("model_frozen", ran.frozen)


def _write_down(modeller: Modeller, reason: str) -> None:
    try:
        modeller.failed(reason)
    except SnowgaugeError:
        return  # the store is unreachable, which is why; it is in the log


def _let_go(lease: Lease) -> None:
    try:
        lease.release()
    except SnowgaugeError:
        return  # it ends in a minute


@contextmanager
def opened_model(settings: Settings) -> Iterator[tuple[Settings, ModelStore]]:
    """The modelled tables of a deployment, whether it runs or not. Raises ``SettingsError`` where there are none."""
    if build.store_kind(settings) == "memory":
        raise SettingsError("store.url: a store in memory has no modelled tables: use ClickHouse or PostgreSQL")
    with opened(settings) as (chosen, store):
        yield chosen, model_store(store)


def model_store(store: Store) -> ModelStore:
    """Raises ``SettingsError`` for a store without modelled tables."""
    if not isinstance(store, HasModelling):
        raise SettingsError(f"{type(store).__name__} has no modelled tables: use ClickHouse or PostgreSQL")
    return store.modelling()

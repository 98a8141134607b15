"""Checking alerts and sending messages, beside the modeller and under its lease."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from snowgauge.actions.alerts import alert_means, alert_sources
from snowgauge.actions.deployment import Deployment
from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.delivering.postman import Postman
from snowgauge.alerts.evaluator import Evaluator
from snowgauge.errors import SnowgaugeError
from snowgauge.modelling.lease import Lease
from snowgauge.modelling.store import ModelStore
from snowgauge.pipeline import build
from snowgauge.pipeline.modelling import opened_model
from snowgauge.settings.model import Settings
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, gauge

_log = logger("alerts")
_POST_EVERY = 5.0
_FORGET_EVERY = 3600.0


def keep_alerting(settings: Settings, store: ModelStore, stop: threading.Event) -> None:
    """Check and send in the background until ``stop``, while this machine has the lease."""
    if not settings.alerts.enabled:
        return
    deployment = build.open_deployment(settings)
    means = alert_means(deployment)
    book = AlertBook(store, means.seal)
    evaluator = Evaluator(book, partial(alert_sources, deployment))
    postman = Postman(book, means.post, means.console)
    lease = Lease(store, holder(settings))
    every = settings.alerts.every.total_seconds()

    def look() -> None:
        checked = evaluator.look()
        count("alert_checks", checked.checks)
        count("alert_messages", checked.said)
        gauge("alert_firing", sum(state.fires for one in book.states().values() for state in one.values()))
        for rule_id, reason in checked.failed.items():
            count("alert_failures")
            _log.warning(
                "alert_not_checked", alert=rule_id, reason=reason, effect="tried again; the others are checked"
            )
        if checked.said:
            _log.info("alerts_changed", messages=checked.said)

    def post() -> None:
        handed = postman.run()
        for result, amount in (("sent", handed.sent), ("failed", handed.failed), ("again", handed.again)):
            if amount:
                count("alert_deliveries", amount, result=result)
        if handed.failed:
            _log.warning("messages_failed", messages=handed.failed, see="the log of deliveries in the console")

    def forget() -> None:
        book.forget(book.now() - round(settings.alerts.keep.total_seconds() * 1000))

    for name, act, pause in (("look", look, every), ("post", post, _POST_EVERY), ("forget", forget, _FORGET_EVERY)):
        threading.Thread(target=_repeat, args=(act, pause, lease, stop), name=f"alerts-{name}", daemon=True).start()


def holder(settings: Settings) -> str:
    """This machine's deployment, in the lease."""
    return f"{platform.node()}:{build.data_dir(settings)}"


def _repeat(act: Callable[[], None], pause: float, lease: Lease, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            if lease.held():
                act()
        except SnowgaugeError as error:
            count("alert_failures")
            _log.warning("alerts_failed", reason=str(error), effect="tried again; nothing is lost")
        except Exception as error:
            # one kind of alert that cannot be checked must not end the others for good
            count("alert_failures")
            _log.error("alerts_failed", reason=repr(error), effect="tried again; nothing is lost", exc_info=True)
        stop.wait(pause)


@contextmanager
def opened_deployment(settings: Settings) -> Iterator[Deployment]:
    """A deployment for a command, whether it runs or not. Raises ``SettingsError`` where it has no modelled tables."""
    with opened_model(settings) as (chosen, _):
        deployment = build.open_deployment(chosen)
        try:
            yield deployment
        finally:
            deployment.store.close()

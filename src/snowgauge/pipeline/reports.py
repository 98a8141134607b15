"""Sending figures by e-mail, in the process of the console, whose accounts say who gets them."""

from __future__ import annotations

import threading
import time

from snowgauge.actions.analytics.email_reports.sending import send_due
from snowgauge.actions.deployment import Deployment
from snowgauge.errors import SnowgaugeError
from snowgauge.telemetry.logs import logger

_log = logger("reports")
_EVERY = 600.0


def keep_reporting(deployment: Deployment, stop: threading.Event) -> None:
    """Look in the background for reports that are due, until ``stop``. Nothing where no mail server is set."""
    if deployment.outbox is None:
        return

    def look() -> None:
        while not stop.wait(_EVERY):
            try:
                sent = send_due(deployment, time.time_ns() // 1_000_000)
            except SnowgaugeError as error:
                _log.warning("reports_failed", reason=str(error), effect="tried again; nothing is sent twice")
            except Exception as error:
                # a report that cannot be made must not end the others for good
                _log.error("reports_failed", reason=repr(error), effect="tried again", exc_info=True)
            else:
                if sent.sent or sent.failed:
                    _log.info("reports_sent", sent=sent.sent, failed=sent.failed, again=sent.again)

    threading.Thread(target=look, name="reports", daemon=True).start()

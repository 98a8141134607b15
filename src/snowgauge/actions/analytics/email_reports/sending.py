"""Sends the reports that are due: each to every recipient once, when its period is over and modelled."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.email_reports.board import dashboard_summary
from snowgauge.actions.analytics.email_reports.book import EmailReport, EmailReports, addresses
from snowgauge.actions.analytics.email_reports.letter import Envelope, letter
from snowgauge.actions.analytics.email_reports.summary import Summary, last_period, summary
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.periods import Period
from snowgauge.errors import ActionRefused, SnowgaugeError
from snowgauge.mail.send import MailRefused
from snowgauge.telemetry.logs import logger

_log = logger("reports")
_MORNING_MS = 6 * 3_600_000
UNSUBSCRIBE = "/api/v1/email-reports/unsubscribe"


@dataclass(frozen=True)
class Sent:
    """``waiting``: reports whose figures are not all there; ``again``: messages that are tried later."""

    sent: int = 0
    failed: int = 0
    again: int = 0
    waiting: int = 0


def send_due(deployment: Deployment, now: int) -> Sent:
    """From six in the morning after the period on, in the application's zone. One report that fails holds up none."""
    book = EmailReports(saved(deployment))
    total = Sent()
    for report in book.listed():
        period = last_period(deployment, report.app, report.every, now)
        # one made during a period begins with that
        if now < period.end + _MORNING_MS or report.created_at >= period.end:
            continue
        try:
            total = _with(total, _send(deployment, book, report, _made(deployment, report, period), now))
        except SnowgaugeError as error:
            total = replace(total, again=total.again + 1)
            _log.warning("report_not_made", report=report.id, app=report.app, reason=str(error), effect="tried again")
    return total


def try_out(deployment: Deployment, report_id: str, to: str) -> str:
    """Send the last report to one address, to see what it looks like; what the mail server said."""
    addresses([to])
    book = EmailReports(saved(deployment))
    report = next((one for one in book.listed() if one.id == report_id), None)
    if report is None:
        raise ActionRefused(f"there is no report by e-mail {report_id[:100]!r}", status=404)
    now = time.time_ns() // 1_000_000
    made = _made(deployment, report, last_period(deployment, report.app, report.every, now))
    try:
        return _hand_over(deployment, made, _envelope(deployment, book, report, made, to, now, trial=True))
    except (MailRefused, OSError) as error:
        raise ActionRefused(f"not sent: {error}", status=502) from None


def _made(deployment: Deployment, report: EmailReport, period: Period) -> Summary:
    if report.dashboard is not None:
        return dashboard_summary(deployment, report.dashboard, report.app, period, report.every)
    return summary(deployment, report.app, period, report.every)


def _send(deployment: Deployment, book: EmailReports, report: EmailReport, made: Summary, now: int) -> Sent:
    if not made.modelled:
        return Sent(waiting=1)
    total = Sent()
    for recipient in report.recipients:
        if not book.begin(report.id, made.period, recipient):
            continue
        try:
            said = _hand_over(deployment, made, _envelope(deployment, book, report, made, recipient, now))
        except MailRefused as error:
            book.done(report.id, made.period, recipient, str(error))
            _log.warning("report_refused", report=report.id, reason=str(error))
            total = replace(total, failed=total.failed + 1)
        except OSError as error:
            book.again(report.id, made.period, recipient)
            _log.warning("report_not_sent", report=report.id, reason=str(error), effect="tried again")
            total = replace(total, again=total.again + 1)
        except BaseException:
            book.again(report.id, made.period, recipient)
            raise
        else:
            book.done(report.id, made.period, recipient, said)
            total = replace(total, sent=total.sent + 1)
    return total


def _hand_over(deployment: Deployment, made: Summary, envelope: Envelope) -> str:
    if deployment.outbox is None:
        raise ActionRefused("no mail server is set: set mail.host and mail.sender", status=409)
    return deployment.outbox.send(letter(made, envelope))


def _envelope(
    deployment: Deployment,
    book: EmailReports,
    report: EmailReport,
    made: Summary,
    to: str,
    now: int,
    *,
    trial: bool = False,
) -> Envelope:
    outbox = deployment.outbox
    if outbox is None:
        raise ActionRefused("no mail server is set: set mail.host and mail.sender", status=409)
    parts = (report.id, made.period, to, str(now) if trial else "")
    leave = ""
    if outbox.console and not trial:
        proof = book.proof(report.id, to)
        query = urlencode({"report": report.id, "recipient": to, "proof": proof})
        leave = f"{outbox.console.rstrip('/')}{UNSUBSCRIBE}?{query}"
    return Envelope(
        hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32], outbox.sender, to, now, leave, outbox.console
    )


def _with(one: Sent, other: Sent) -> Sent:
    return Sent(one.sent + other.sent, one.failed + other.failed, one.again + other.again, one.waiting + other.waiting)

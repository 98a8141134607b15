"""Figures by e-mail: who gets which, a trial, and the way out for recipients."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from snowgauge.actions.analytics.answering import dashboards
from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.email_reports import sending
from snowgauge.actions.analytics.email_reports.book import EmailReport, EmailReports, Every
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.errors import ActionRefused

router = APIRouter(tags=["email reports"])
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex">'
    "<title>Snowgauge</title><body>{body}</body></html>"
)
_HEADERS = {"content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'"}


class GivenEmailReport(BaseModel):
    """``every``: a week, sent on the day after it, or a month. ``dashboard``: sent instead of the figures of ``app``,
    which may be empty then."""

    app: str = Field(default="", max_length=200)
    every: Every
    recipients: list[str] = Field(max_length=100)
    dashboard: str | None = Field(default=None, max_length=100)


class EmailReportChange(BaseModel):
    recipients: list[str] = Field(max_length=100)


class TrialLetter(BaseModel):
    to: str = Field(max_length=254)


@dataclass(frozen=True)
class EmailReportList:
    """``mail``: is a mail server set? Without one nothing is sent."""

    mail: bool
    reports: list[EmailReport]


@router.get("/analytics/email-reports", dependencies=[needs("write:analytics")])
def email_reports(parts: Parts) -> EmailReportList:
    """Who gets which figures by e-mail."""
    return EmailReportList(parts.outbox is not None, EmailReports(saved(parts)).listed())


@router.post("/analytics/email-reports", status_code=201, dependencies=[needs("write:analytics")])
def add_email_report(
    given: GivenEmailReport, parts: Parts, doors: TheDoors, who: Caller, request: Request
) -> EmailReport:
    """Send an application's figures, or a dashboard, every week or month. The first is that of the period that runs
    now."""
    if given.dashboard is not None:
        dashboards(parts).get(given.dashboard, who)  # one that the caller may see
    made = EmailReports(saved(parts)).add(given.app, given.every, given.recipients, who, dashboard=given.dashboard)
    doors.access.record(
        who, "add email report", made.dashboard_name or made.app, ", ".join(made.recipients), ip=address(request)
    )
    return made


@router.patch("/analytics/email-reports/{report_id}", dependencies=[needs("write:analytics")])
def change_email_report(
    report_id: str, given: EmailReportChange, parts: Parts, doors: TheDoors, who: Caller, request: Request
) -> EmailReport:
    """Other recipients."""
    made = EmailReports(saved(parts)).change(report_id, given.recipients)
    doors.access.record(who, "change email report", made.app, ", ".join(made.recipients), ip=address(request))
    return made


@router.delete("/analytics/email-reports/{report_id}", status_code=204, dependencies=[needs("write:analytics")])
def remove_email_report(report_id: str, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> None:
    """Send it no more."""
    gone = EmailReports(saved(parts)).remove(report_id)
    doors.access.record(who, "remove email report", gone.app, ip=address(request))


@router.post("/analytics/email-reports/{report_id}/try", dependencies=[needs("write:analytics")])
def try_email_report(
    report_id: str, given: TrialLetter, parts: Parts, doors: TheDoors, who: Caller, request: Request
) -> dict[str, str]:
    """Send the last one to one address, to see what it looks like."""
    said = sending.try_out(parts, report_id, given.to)
    doors.access.record(who, "try email report", report_id, given.to, ip=address(request))
    return {"answer": said}


_Report = Annotated[str, Query(max_length=100)]
_Recipient = Annotated[str, Query(max_length=254)]
_Proof = Annotated[str, Query(max_length=100)]


@router.get("/email-reports/unsubscribe", response_class=HTMLResponse)
def unsubscribe_page(report: _Report, recipient: _Recipient, proof: _Proof) -> HTMLResponse:  # noqa: ARG001
    """Where the link of a message leads: asks first, since mail programs open links too. Open to all."""
    form = '<form method="post"><button>Unsubscribe</button></form>'
    body = f"<p>No more figures by e-mail for {escape(recipient)}?</p>{form}"
    return HTMLResponse(_PAGE.format(body=body), headers=_HEADERS)


@router.post("/email-reports/unsubscribe", response_class=HTMLResponse)
def unsubscribe(parts: Parts, report: _Report, recipient: _Recipient, proof: _Proof) -> HTMLResponse:
    """Take a recipient off, with what the message brought along. Open to all."""
    if not EmailReports(saved(parts)).unsubscribe(report, recipient, proof):
        raise ActionRefused("this link is not valid: the report is gone, or the address is off it already", status=404)
    return HTMLResponse(_PAGE.format(body="<p>Done: no more of these.</p>"), headers=_HEADERS)

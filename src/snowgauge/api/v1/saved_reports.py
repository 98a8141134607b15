"""Saved reports: questions of every kind under a name, and their answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics import tables
from snowgauge.actions.analytics.answering import Asker, ReportAnswer, SqlLimits, answered, saved_reports
from snowgauge.actions.analytics.saved.kinds import Kind
from snowgauge.actions.analytics.saved.reports import NewReport, ReportChange, SavedReport
from snowgauge.api.doors import Caller, needs
from snowgauge.api.v1.analytics import question_of
from snowgauge.api.v1.parts import Parts, TheDoors

router = APIRouter(
    prefix="/analytics/saved-reports",
    tags=["saved reports"],
    dependencies=[needs("read:aggregates", by_application=True)],
)
_LONGEST = 100_000
Show = Annotated[str, Field(pattern="^[a-z_-]{0,30}$", description="How the console draws it; empty: as usual.")]


class GivenReport(BaseModel):
    """``question``: what the API of its kind takes; of SQL ``{"sql": text, "parameters": {name: text}}``."""

    name: str = Field(max_length=200)
    kind: Kind
    question: dict[str, Any]
    show: Show = ""
    shared: bool = False


class SavedReportChange(BaseModel):
    name: str | None = Field(default=None, max_length=200)
    question: dict[str, Any] | None = None
    show: Show | None = None
    shared: bool | None = None


class ReportScope(BaseModel):
    """``scope``: period, application, filters and comparison, laid over the report's own."""

    scope: dict[str, Any] = {}


def limits(doors: TheDoors) -> SqlLimits:
    return SqlLimits(doors.settings.sql_max_rows, doors.settings.sql_timeout.total_seconds())


Limits = Annotated[SqlLimits, Depends(limits)]


@router.get("")
def reports(parts: Parts, who: Caller) -> list[SavedReport]:
    """Your saved reports and the shared ones, by name."""
    return saved_reports(parts).listed(who)


@router.post("", status_code=201)
def add_report(given: GivenReport, parts: Parts, who: Caller) -> SavedReport:
    """Keep a question under a name. A shared report needs `write:analytics`, SQL `query:sql`."""
    may_share(who, given.shared)
    return saved_reports(parts).add(
        NewReport(given.name, given.kind, given.question, given.show, shared=given.shared), who
    )  # fmt: skip


@router.get("/{report_id}")
def report(report_id: str, parts: Parts, who: Caller) -> SavedReport:
    """One that is yours or shared."""
    return saved_reports(parts).get(report_id, who)


@router.patch("/{report_id}")
def change_report(report_id: str, given: SavedReportChange, parts: Parts, who: Caller) -> SavedReport:
    """Change your report; a shared one needs `write:analytics`."""
    may_share(who, given.shared)
    return saved_reports(parts).change(report_id, who, ReportChange(**given.model_dump()))


@router.delete("/{report_id}", status_code=204)
def remove_report(report_id: str, parts: Parts, who: Caller) -> None:
    """Remove your report, from every dashboard too; a shared one needs `write:analytics`."""
    saved_reports(parts).remove(report_id, who)


@router.post("/{report_id}/answer")
def answer(report_id: str, given: ReportScope, parts: Parts, who: Caller, sql: Limits) -> ReportAnswer:
    """Answer it, in a scope."""
    held = saved_reports(parts).get(report_id, who)
    return answered(parts, held.kind, held.question, given.scope, Asker(who, sql))


@router.get("/{report_id}/csv")
def as_csv(
    report_id: str,
    parts: Parts,
    who: Caller,
    sql: Limits,
    scope: Annotated[str, Query(max_length=_LONGEST, description="A scope, as JSON.")] = "{}",
) -> StreamingResponse:
    """Its answer in a scope, as CSV. No cell begins like a formula."""
    held = saved_reports(parts).get(report_id, who)
    made = answered(parts, held.kind, held.question, question_of(scope), Asker(who, sql))
    headers = {"content-disposition": 'attachment; filename="report.csv"'}
    return StreamingResponse(tables.as_csv(tables.table(made.answer)), media_type="text/csv", headers=headers)


def may_share(who: Principal, shared: bool | None) -> None:
    """Raises 403 where something is to be shared and the caller may not."""
    if shared and not who.may("write:analytics"):
        raise HTTPException(403, "sharing with others needs the scope write:analytics")

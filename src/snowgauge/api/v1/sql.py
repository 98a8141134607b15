"""Read-only SQL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from snowgauge.actions import sql
from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.saved.history import PastQuery, SqlHistory
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.analytics import question_of
from snowgauge.api.v1.parts import Parts, PartsAsTheyAre, TheDoors
from snowgauge.api.waiting import WHILE_WAITED_FOR

router = APIRouter(prefix="/sql", tags=["sql"], dependencies=[needs("query:sql")])
_KINDS: dict[sql.Format, str] = {
    "csv": "text/csv",
    "csv-exact": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


Values = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=20_000)]], Field(max_length=50)
]


class Asked(BaseModel):
    """``parameters``: values of placeholders such as ``{name:String}``, as texts."""

    sql: str = Field(max_length=100_000)
    max_rows: int | None = Field(default=None, ge=1)
    parameters: Values = {}


@router.post("", dependencies=[WHILE_WAITED_FOR])
def run(asked: Asked, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> sql.Answer:
    """Run one query, within the row and time limits of the settings. Close the connection to cancel it."""
    limits = doors.settings
    doors.access.record(who, "query", asked.sql[:200], ip=address(request))
    SqlHistory(saved(parts)).keep(asked.sql, who)
    rows = min(asked.max_rows or limits.sql_max_rows, limits.sql_max_rows)
    return sql.run(parts, asked.sql, sql.Asking(rows, limits.sql_timeout.total_seconds(), asked.parameters))


@router.get("/history")
def history(parts: PartsAsTheyAre, who: Caller) -> list[PastQuery]:
    """Your latest queries, as this server keeps them."""
    return SqlHistory(saved(parts)).listed(who)


@router.delete("/history", status_code=204)
def clear_history(parts: PartsAsTheyAre, who: Caller) -> None:
    """Remove your latest queries."""
    SqlHistory(saved(parts)).clear(who)


@router.get("/tables")
def tables(parts: Parts) -> list[sql.Table]:
    """Tables and their columns."""
    return sql.tables(parts)


@router.get("/export")
def export(
    parts: Parts,
    doors: TheDoors,
    who: Caller,
    request: Request,
    query: Annotated[str, Query(max_length=100_000)],
    format: Annotated[  # noqa: A002 - its name in the URL
        sql.Format, Query(description="csv is for spreadsheets: no cell begins like a formula. csv-exact is as stored.")
    ] = "csv",
    parameters: Annotated[str, Query(max_length=100_000, description="Values of placeholders, as JSON.")] = "{}",
) -> StreamingResponse:
    """Every row of a query's result as a file."""
    doors.access.record(who, "export", query[:200], format, ip=address(request))
    values = {str(name): str(value) for name, value in question_of(parameters).items()}
    suffix = format.partition("-")[0]
    headers = {"content-disposition": f'attachment; filename="result.{suffix}"'}
    return StreamingResponse(sql.export(parts, query, format, values), media_type=_KINDS[format], headers=headers)

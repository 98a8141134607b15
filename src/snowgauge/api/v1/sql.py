"""Read-only SQL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from snowgauge.actions import sql
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.api.waiting import WHILE_WAITED_FOR

router = APIRouter(prefix="/sql", tags=["sql"], dependencies=[needs("query:sql")])
_KINDS: dict[sql.Format, str] = {
    "csv": "text/csv",
    "csv-exact": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


class Asked(BaseModel):
    sql: str = Field(max_length=100_000)
    max_rows: int | None = Field(default=None, ge=1)


@router.post("", dependencies=[WHILE_WAITED_FOR])
def run(asked: Asked, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> sql.Answer:
    """Run one query, within the row and time limits of the settings."""
    limits = doors.settings
    doors.access.record(who, "query", asked.sql[:200], ip=address(request))
    rows = min(asked.max_rows or limits.sql_max_rows, limits.sql_max_rows)
    return sql.run(parts, asked.sql, max_rows=rows, timeout=limits.sql_timeout.total_seconds())


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
) -> StreamingResponse:
    """Every row of a query's result as a file."""
    doors.access.record(who, "export", query[:200], format, ip=address(request))
    suffix = format.partition("-")[0]
    headers = {"content-disposition": f'attachment; filename="result.{suffix}"'}
    return StreamingResponse(sql.export(parts, query, format), media_type=_KINDS[format], headers=headers)

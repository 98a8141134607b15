"""Events as they come: lists, counts over time, columns and their values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from snowgauge.actions import event_files, events, nested_columns
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, Range, TheDoors, Where

router = APIRouter(tags=["events"])
_Status = Annotated[str, Query(description="all, good, failed or incomplete.")]


@router.get("/events", dependencies=[needs("read:events", by_application=True)])
def page(
    parts: Parts,
    who: Caller,
    status: _Status = "all",
    range: Range = None,  # noqa: A002 - its name in the URL
    where: Where = [],  # noqa: B006 - FastAPI copies it
    search: Annotated[str, Query(max_length=200, description="Part of a URL, title, user id, name or message.")] = "",
    columns: Annotated[str, Query(description="Names, separated by commas.")] = "app_id,event_name",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
    until: Annotated[int | None, Query(description="Nothing after this time (ms): keeps pages stable.")] = None,
    order: Annotated[Literal["newest", "oldest"], Query(description="Which come first.")] = "newest",
) -> events.Page:
    """A page of events, newest first."""
    return events.page(
        parts, status=status, range_text=range, filters=where, search=search,
        columns=[name for name in columns.split(",") if name], limit=limit, offset=offset, until=until,
        oldest_first=order == "oldest", apps=who.apps,
    )  # fmt: skip


@router.get("/events/export", dependencies=[needs("read:events", by_application=True)])
def export(
    parts: Parts,
    doors: TheDoors,
    who: Caller,
    request: Request,
    status: _Status = "all",
    range: Range = None,  # noqa: A002
    where: Where = [],  # noqa: B006
    search: Annotated[str, Query(max_length=200)] = "",
    columns: Annotated[str, Query(description="Names, separated by commas: columns of the CSV file.")] = "event_name",
    format: Annotated[  # noqa: A002
        event_files.FileFormat, Query(description="csv: columns; json: whole events, a line each.")
    ] = "csv",
) -> StreamingResponse:
    """What a list of events selects, as a file of at most a million events. No cell of CSV begins like a formula."""
    doors.access.record(who, "export events", " ".join(where)[:200], format, ip=address(request))
    wanted = event_files.Wanted(status, range, where, search, [name for name in columns.split(",") if name], who.apps)
    headers = {"content-disposition": f'attachment; filename="events.{format}"'}
    kind = "text/csv" if format == "csv" else "application/x-ndjson"
    return StreamingResponse(event_files.exported(parts, wanted, format), media_type=kind, headers=headers)


@router.get("/events/{kind}/{event_id}", dependencies=[needs("read:events", by_application=True)])
def whole(parts: Parts, who: Caller, kind: str, event_id: str) -> dict[str, Any]:
    """One event with everything it has."""
    return events.whole(parts, kind, event_id, who.apps)


@router.get("/timeline", dependencies=[needs("read:aggregates", by_application=True)])
def timeline(
    parts: Parts,
    who: Caller,
    seconds: Annotated[int, Query(ge=1)] = 60,
    buckets: Annotated[int, Query(ge=1, le=500)] = 30,
    status: _Status = "all",
    where: Where = [],  # noqa: B006
    until: int | None = None,
) -> events.Timeline:
    """Good and failed events per interval; the last interval holds now."""
    return events.timeline(
        parts, seconds=seconds, buckets=buckets, status=status, filters=where, until=until, apps=who.apps
    )


@router.get("/count", dependencies=[needs("read:aggregates", by_application=True)])
def count(
    parts: Parts,
    who: Caller,
    status: _Status = "all",
    range: Range = "24h",  # noqa: A002
    where: Where = [],  # noqa: B006
) -> dict[str, int]:
    """How many events of each kind."""
    return events.count(parts, status=status, range_text=range, filters=where, apps=who.apps)


@router.get("/columns", dependencies=[needs("read:aggregates", by_application=True)])
def columns() -> list[events.Column]:
    """Every column of events themselves that they can be listed and filtered by."""
    return events.columns()


@router.get("/columns/nested", dependencies=[needs("read:aggregates", by_application=True)])
def nested(parts: Parts, who: Caller, range: Range = "24h") -> list[nested_columns.Carrier]:  # noqa: A002
    """Columns inside of entities and self-describing events: properties of the schemas that events carry."""
    return nested_columns.carriers(parts, range, who.apps)


@router.get("/columns/{column:path}/values", dependencies=[needs("read:events", by_application=True)])
def values(
    parts: Parts,
    who: Caller,
    column: str,
    status: _Status = "all",
    range: Range = "24h",  # noqa: A002
    where: Where = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[events.ColumnValue]:
    """The most frequent values of a column."""
    return events.values(parts, column, status=status, range_text=range, filters=where, limit=limit, apps=who.apps)

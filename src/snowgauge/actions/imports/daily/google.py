"""Google Analytics 4: reports and explorations saved as CSV, and answers of its Data API, with a row for each day.

A file may begin with lines of comment (``# Start date: 20260301``) and may hold several tables. Each table needs a
column of days (``Date``, or ``Nth day`` with the start date in the comment) and the dimensions of one report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from snowgauge.actions.imports.daily.lines import CsvFile
from snowgauge.actions.imports.daily.sums import Sums, Visited, day_of, device, number
from snowgauge.errors import ActionRefused
from snowgauge.modelling.tables.imported import REPORTS

_START = re.compile(r"#\s*start date:\s*(\d{8})", re.IGNORECASE)
_UNSET = frozenset(["(not set)", "(none)", "(direct)", "(data not available)", "(not provided)"])
_DATE, _NTH = "date", "nth day"

_DIMENSIONS: dict[str, str] = {
    "session source": "source", "session medium": "medium", "session campaign": "campaign",
    "session source / medium": "source_medium", "session manual ad content": "content",
    "session manual term": "term", "session manual source": "source", "session manual medium": "medium",
    "session manual campaign name": "campaign",
    "page path": "page", "page path and screen class": "page", "page path + query string": "page",
    "page path + query string and screen class": "page", "hostname": "host", "host name": "host",
    "landing page": "entry", "landing page + query string": "entry", "country id": "country", "city": "city",
    "device category": "device", "browser": "browser", "operating system": "system",
    "os version": "system_version", "operating system version": "system_version", "event name": "event",
    "sessionsource": "source", "sessionmedium": "medium", "sessioncampaignname": "campaign",
    "sessionsourcemedium": "source_medium", "sessionmanualadcontent": "content", "sessionmanualterm": "term",
    "pagepath": "page", "pagepathplusquerystring": "page", "landingpage": "entry",
    "landingpageplusquerystring": "entry", "countryid": "country", "devicecategory": "device",
    "operatingsystem": "system", "operatingsystemversion": "system_version", "eventname": "event",
}  # fmt: skip
"""Names in reports, and in the Data API without regard to case."""

_REPORT_OF = {
    "source": "sources", "medium": "sources", "campaign": "sources", "source_medium": "sources",
    "content": "sources", "term": "sources", "page": "pages", "host": "pages", "entry": "entry_pages",
    "country": "locations", "city": "locations", "device": "devices", "browser": "browsers", "system": "systems",
    "system_version": "systems", "event": "events",
}  # fmt: skip
_METRICS: dict[str, str] = {
    "total users": "visitors", "totalusers": "visitors", "active users": "active", "activeusers": "active",
    "users": "visitors", "sessions": "visits", "views": "views", "screenpageviews": "views",
    "engaged sessions": "engaged", "engagedsessions": "engaged", "bounce rate": "bounce_rate",
    "bouncerate": "bounce_rate", "average session duration": "duration", "averagesessionduration": "duration",
    "event count": "events", "eventcount": "events",
}  # fmt: skip


def take(files: Iterable[CsvFile], sums: Sums) -> None:
    """Raises ``ActionRefused`` with file, line and value."""
    for file in files:
        _file(file, sums)


def _file(file: CsvFile, sums: Sums) -> None:
    table: _Table | None = None
    start = ""
    tables = 0
    for line, cells in file.lines:
        if not any(cell.strip() for cell in cells):
            table = None
        elif cells[0].startswith("#"):
            table = None
            if begins := _START.match(",".join(cells)):
                start = begins[1]
        elif table is None:
            table = _Table(file, line, cells, start)
            tables += 1
        else:
            table.row(line, cells, sums)
    if not tables:
        raise ActionRefused(f"{file.name}: there is no table in it", status=422)


class _Table:
    def __init__(self, file: CsvFile, line: int, header: list[str], start: str) -> None:
        self._file = file
        names = [name.strip().lower() for name in header]
        self._width = len(names)
        self._dimensions = {_DIMENSIONS[name]: at for at, name in enumerate(names) if name in _DIMENSIONS}
        self._metrics = {_METRICS[name]: at for at, name in enumerate(names) if name in _METRICS}
        self._day = self._reader(names, start, line)
        if "country" in names and "country" not in self._dimensions:
            raise ActionRefused(
                f"{file.place(line)}: Country is a name in the language of the report: add Country ID to it", status=422
            )
        reports = list(dict.fromkeys(_REPORT_OF[one] for one in self._dimensions))
        if len(reports) > 1:
            raise ActionRefused(
                f"{file.place(line)}: it is divided by {' and by '.join(reports)} at once: save a report for each",
                status=422,
            )
        if not self._metrics:
            raise ActionRefused(
                f"{file.place(line)}: there is no metric that is known here: Total users, Sessions, Views, Engaged "
                "sessions, Average session duration or Event count",
                status=422,
            )
        self._report = reports[0] if reports else "visits"

    def row(self, line: int, cells: list[str], sums: Sums) -> None:
        place = self._file.place(line)
        cells = [*cells, *[""] * (self._width - len(cells))]
        if len(cells) != self._width:
            raise ActionRefused(f"{place}: {len(cells)} cells, and the header has {self._width}", status=422)
        if any(cell.strip().lower() in ("grand total", "totals") for cell in cells):
            return
        day = self._day(cells, place)
        if day is None:
            return
        held = REPORTS[self._report]
        figures = {
            name: count for name, count in self._figures(cells, place).items() if name in {*held.figures, *held.each}
        }
        sums.add(day, self._report, self._values(cells, sums), figures)

    def _reader(self, names: list[str], start: str, line: int) -> Callable[[list[str], str], int | None]:
        place = self._file.place(line)
        if _DATE in names:
            at = names.index(_DATE)
            return lambda cells, where: day_of(cells[at], where) if cells[at].strip() else None
        if _NTH not in names:
            raise ActionRefused(
                f"{place}: there is no column Date, only {', '.join(names)[:100]!r}: add the dimension Date to it",
                status=422,
            )
        if not start:
            raise ActionRefused(f"{place}: days are counted (Nth day), and no line says '# Start date:'", status=422)
        first, at = day_of(start, place), names.index(_NTH)

        def nth(cells: list[str], where: str) -> int | None:
            text = cells[at].strip()
            if not text:
                return None
            if not text.isdigit() or len(text) > 5:
                raise ActionRefused(f"{where}: {text[:60]!r} is no number of a day", status=422)
            return first + int(text)

        return nth

    def _figures(self, cells: list[str], place: str) -> dict[str, int]:
        read = {name: number(cells[at].removesuffix("%"), place) for name, at in self._metrics.items()}
        visits = read.get("visits", 0)
        bounces = 0.0
        if "engaged" in read:
            bounces = max(0.0, visits - read["engaged"])
        elif "bounce_rate" in read:
            at = self._metrics["bounce_rate"]
            bounces = visits * (read["bounce_rate"] / 100 if cells[at].strip().endswith("%") else read["bounce_rate"])
            if bounces > visits:
                raise ActionRefused(f"{place}: {cells[at][:60]!r} is no bounce rate: more than all", status=422)
        found = {
            "visitors": read.get("visitors", read.get("active", 0)), "visits": visits, "views": read.get("views", 0),
            "bounces": bounces, "duration_s": read.get("duration", 0) * visits, "events": read.get("events", 0),
        }  # fmt: skip
        return {name: round(value) for name, value in found.items()}

    def _values(self, cells: list[str], sums: Sums) -> Mapping[str, str]:
        def get(name: str) -> str:
            value = cells[self._dimensions[name]].strip() if name in self._dimensions else ""
            return "" if value.lower() in _UNSET else value

        if self._report == "sources":
            source, _, medium = get("source_medium").partition(" / ")
            return sums.origin(_visited(get("source") or source, get("medium") or medium, get))
        return {
            "page_urlhost": get("host").lower(),
            "page_path": sums.page(get("page")),
            "entry_path": sums.page(get("entry")),
            "geo_country": get("country").upper(),
            "geo_city": get("city"),
            "dvce_type": device(get("device")),
            "br_family": get("browser"),
            "os_family": get("system"),
            "os_version": get("system_version"),
            "event_name": get("event"),
        }


def _visited(source: str, medium: str, get: Callable[[str], str]) -> Visited:
    """A source that no tag named has the medium ``organic`` or ``referral`` there."""
    source, medium = ("" if text.lower() in _UNSET else text for text in (source, medium))
    campaign = get("campaign")
    named_by_google = medium.lower() in ("organic", "referral") or not medium
    if named_by_google:
        campaign = "" if campaign.startswith("(") else campaign
        return Visited(source, source if medium.lower() == "referral" else "", "", "", "", campaign, get("content"),
                       get("term"))  # fmt: skip
    return Visited("", "", "", medium, source, campaign, get("content"), get("term"))

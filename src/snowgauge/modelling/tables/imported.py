"""Daily sums that another product left behind. They are no events, and stay beside what is made of events."""

from __future__ import annotations

from typing import NamedTuple

from snowgauge.modelling.definition import MADE, Column, Table, Type

_OF_VISITS = ("visitors", "visits", "views", "bounces", "duration_s")


class Report(NamedTuple):
    """``columns``: what its sums are divided by. ``figures``: those that may be added up over its rows; ``each``: those
    that hold for one value of ``by``, since a visit has rows for several."""

    columns: tuple[str, ...]
    figures: tuple[str, ...]
    each: tuple[str, ...] = ()
    by: str = ""


REPORTS: dict[str, Report] = {
    "visits": Report((), _OF_VISITS),
    "sources": Report(
        ("channel", "source", "refr_urlhost", "refr_urlpath", "mkt_medium", "mkt_source", "mkt_campaign", "mkt_content",
         "mkt_term"),
        _OF_VISITS,
    ),
    "pages": Report(("page_urlhost", "page_path"), ("views",), ("visitors", "visits"), "page_path"),
    "entry_pages": Report(("entry_path",), ("visitors", "visits", "bounces", "duration_s")),
    "exit_pages": Report(("exit_path",), ("visitors", "visits")),
    "locations": Report(("geo_country", "geo_region", "geo_city"), _OF_VISITS),
    "devices": Report(("dvce_type",), _OF_VISITS),
    "browsers": Report(("br_family", "br_version"), _OF_VISITS),
    "systems": Report(("os_family", "os_version"), _OF_VISITS),
    "events": Report(("event_name",), (), ("visitors", "events"), "event_name"),
}  # fmt: skip
"""What imported sums are divided by; the first that has all that is asked for answers."""

FIGURES = (*_OF_VISITS, "events")

DAYS = Table(
    name="imported_days",
    row="day, report and values of an import",
    words="Daily sums from another product's export. No other table counts them; the analytics page shows them apart.",
    columns=(
        Column("import_id", Type.LABEL, "The import, in `imports`"),
        Column("line", Type.BIG, "Number of the row within the import"),
        Column("app_id", Type.LABEL, "Application"),
        Column("day", Type.DAY, "The day, in the zone of the other product"),
        Column("report", Type.LABEL, "What the sums are divided by: visits (by nothing), sources, pages, entry_pages, "
               "exit_pages, locations, devices, browsers, systems or events"),
        Column("channel", Type.LABEL, "As in `sessions`, by the application's rules"),
        Column("source", Type.LABEL, "As in `sessions`"),
        Column("refr_urlhost", Type.LABEL, "As in `sessions`"),
        Column("refr_urlpath", Type.TEXT, "As in `sessions`"),
        Column("mkt_medium", Type.LABEL, "As in `sessions`"),
        Column("mkt_source", Type.LABEL, "As in `sessions`"),
        Column("mkt_campaign", Type.LABEL, "As in `sessions`"),
        Column("mkt_content", Type.TEXT, "As in `sessions`"),
        Column("mkt_term", Type.TEXT, "As in `sessions`"),
        Column("page_urlhost", Type.LABEL, "As in `page_views`"),
        Column("page_path", Type.TEXT, "As in `page_views`, by the application's rules"),
        Column("entry_path", Type.TEXT, "As in `sessions`"),
        Column("exit_path", Type.TEXT, "As in `sessions`"),
        Column("geo_country", Type.LABEL, "As in `sessions`"),
        Column("geo_region", Type.LABEL, "As in `sessions`"),
        Column("geo_city", Type.LABEL, "As in `sessions`"),
        Column("dvce_type", Type.LABEL, "As in `sessions`"),
        Column("br_family", Type.LABEL, "As in `sessions`"),
        Column("br_version", Type.LABEL, "As in `sessions`"),
        Column("os_family", Type.LABEL, "As in `sessions`"),
        Column("os_version", Type.LABEL, "As in `sessions`"),
        Column("event_name", Type.LABEL, "Name of the event"),
        Column("visitors", Type.BIG, "Visitors of the day"),
        Column("visits", Type.BIG, "Visits; of `pages` those with the page"),
        Column("views", Type.BIG, "Page views"),
        Column("bounces", Type.BIG, "Visits that bounced, by the other product's rule"),
        Column("duration_s", Type.BIG, "Duration of all visits together, in seconds"),
        Column("events", Type.BIG, "Events, of the report `events`"),
        *MADE,
    ),
    key=("import_id", "line"),
    order=("app_id", "report", "day", "import_id", "line"),
    day="day",
    search=("import_id",),
)  # fmt: skip
IMPORTS = Table(
    name="imports",
    row="import of daily sums",
    words="What is not named here does not count: an import is written down when all of it is stored.",
    columns=(
        Column("id", Type.TEXT, "Made of the application and of what was imported"),
        Column("app_id", Type.LABEL, "Application"),
        Column("product", Type.LABEL, "plausible, umami or ga4"),
        Column("first_day", Type.DAY, "Its first day"),
        Column("last_day", Type.DAY, "Its last day"),
        Column("rows", Type.BIG, "Its rows in `imported_days`"),
        Column("views", Type.BIG, "Page views in it"),
        Column("reports", Type.TEXT, "Report -> its first and last day, as JSON"),
        Column("files", Type.TEXT, "Names of the files, as JSON"),
        Column("at", Type.TIME, "When it was imported"),
    ),
    key=("id",),
    order=("id",),
    version_column="at",
    kind="state",
)

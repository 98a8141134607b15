"""``derived.web_vitals``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type

TABLE = Table(
    name="web_vitals",
    row="view with a web_vitals event",
    words="Of several events of one view the first counts.",
    columns=(
        Column("event_id", Type.UUID, "Of the event"),
        Column("view_id", Type.ID, "Its view, else the event's id"),
        Column("session_id", Type.ID, "Its session"),
        Column("app_id", Type.LABEL, "Application"),
        Column("t", Type.TIME, "Time of the event"),
        Column("page_path", Type.TEXT, "As in `page_views`"),
        Column("content_group", Type.LABEL, "As in `page_views`"),
        Column("dvce_type", Type.LABEL, "As in `page_views`"),
        Column("br_family", Type.LABEL, "As in `page_views`"),
        Column("geo_country", Type.LABEL, "Country of the event"),
        Column("lcp", Type.REAL_OR_NONE, "Largest contentful paint, ms"),
        Column("fcp", Type.REAL_OR_NONE, "First contentful paint, ms"),
        Column("inp", Type.REAL_OR_NONE, "Interaction to next paint, ms"),
        Column("ttfb", Type.REAL_OR_NONE, "Time to first byte, ms"),
        Column("fid", Type.REAL_OR_NONE, "First input delay, ms (retired in March 2024)"),
        Column("cls", Type.REAL_OR_NONE, "Cumulative layout shift"),
        Column("navigation_type", Type.LABEL, "How the page was reached, as the browser tells"),
        Column("is_bot", Type.FLAG, "Of the session, else of the event"),
        UNIT,
        *MADE,
    ),
    key=("unit", "view_id"),
    order=("app_id", "toDate(t)", "unit", "view_id"),
    day="t",
    search=("unit",),
)

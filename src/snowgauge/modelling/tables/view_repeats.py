"""``derived.view_repeats``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type

TABLE = Table(
    name="view_repeats",
    row="view that a session repeats",
    words="A view counts once, in the session of its first view event. Its id in another session (a tab left open, a "
    "page restored) is noted down here and is no row of `page_views`.",
    columns=(
        Column("view_id", Type.ID, "The view"),
        Column("app_id", Type.LABEL, "Application"),
        Column("session_id", Type.ID, "The session that repeats it"),
        Column("event_id", Type.UUID, "Its first view event there"),
        Column("t", Type.TIME, "Time of that event"),
        UNIT,
        *MADE,
    ),
    key=("unit", "view_id"),
    order=("app_id", "toDate(t)", "unit", "view_id"),
    day="t",
    search=("unit", "view_id"),
)

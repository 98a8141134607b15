"""``derived.app_errors``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type

TABLE = Table(
    name="app_errors",
    row="application_error event",
    words="Without stack traces, which stay in `atomic.events`.",
    columns=(
        Column("event_id", Type.UUID, "Of the event"),
        Column("t", Type.TIME, "Its time"),
        Column("app_id", Type.LABEL, "Application"),
        Column("session_id", Type.ID, "Its session"),
        Column("person_id", Type.ID, "Person of the session, else the event's user_id, else its visitor"),
        Column("message", Type.TEXT, "The first 200 characters of the message"),
        Column("class", Type.LABEL, "Class of the error"),
        Column("file", Type.TEXT, "File that it came from"),
        Column("line", Type.INT_OR_NONE, "Line of the file"),
        Column("is_fatal", Type.FLAG, "The application ended"),
        Column("page_path", Type.TEXT, "Page or screen, as in `page_views`"),
        Column("app_version", Type.LABEL, "Version of the application"),
        UNIT,
        *MADE,
    ),
    key=("event_id",),
    order=("app_id", "toDate(t)", "event_id"),
    day="t",
    search=("unit", "person_id"),
)

"""``derived.user_days``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type

TABLE = Table(
    name="user_days",
    row="person, day, event name and session",
    words="For questions about people over time. A person with two visits on one day has a row for each: add up `n`, "
    "and "
    "count people and days as distinct ones.",
    columns=(
        Column("app_id", Type.LABEL, "Application"),
        Column("day", Type.DAY, "Day of the events in the application's reporting zone"),
        Column("event_name", Type.LABEL, "Name of the event; of goals `goal:<name>`. Page pings are left out"),
        Column("person_id", Type.ID, "Of the session"),
        Column("session_id", Type.ID, "The session that adds this much"),
        Column("n", Type.COUNT, "How many"),
        Column("is_bot", Type.FLAG, "Of the session"),
        Column("is_cookieless", Type.FLAG, "Of the session"),
        UNIT,
        *MADE,
    ),
    key=("unit", "app_id", "day", "event_name"),
    order=("app_id", "event_name", "day", "unit"),
    day="day",
    search=("unit", "person_id"),
)

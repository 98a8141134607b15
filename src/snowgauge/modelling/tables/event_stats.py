"""``derived.event_stats``."""

from snowgauge.modelling.definition import MADE, Column, Table, Type

TABLE = Table(
    name="event_stats",
    row="application, quarter of an hour and kind of event",
    words="Counts without anything about people. They outlive erasure and retention of the events: a count never "
    "falls.",
    columns=(
        Column("app_id", Type.LABEL, "Application"),
        Column("slot", Type.TIME, "Start of the quarter of an hour, by `collector_tstamp`"),
        Column("platform", Type.LABEL, "Platform"),
        Column("event_name", Type.LABEL, "Name of the event"),
        Column("schema", Type.LABEL, "`vendor/name/version` of the event"),
        Column("tracker", Type.LABEL, "Tracker, as its name and version"),
        Column("app_version", Type.LABEL, "Version of the application, of its entity"),
        Column("is_bot", Type.FLAG, "The event is a bot's"),
        Column("events", Type.BIG, "Events, each counted once in the quarter of an hour"),
        Column("duplicates", Type.BIG, "Rows beyond the first of an event"),
        Column("late", Type.BIG, "Events of which the time is unbelievable: more than 30 days before "
               "`collector_tstamp` or "
               "more than a day after"),
        *MADE,
    ),
    key=("app_id", "slot", "platform", "event_name", "schema", "tracker", "app_version", "is_bot"),
    order=("app_id", "event_name", "slot", "platform", "schema", "tracker", "app_version", "is_bot"),
    day="slot",
)  # fmt: skip

"""``derived.users``."""

from snowgauge.modelling.definition import MADE, Column, Table, Type

TABLE = Table(
    name="users",
    row="person",
    words="A person over all applications, made of all rows of `sessions` with the person's id.",
    columns=(
        Column("person_id", Type.ID, "As in `sessions`"),
        Column("user_id", Type.ID, "The last one known"),
        Column("visitor_ids", Type.TEXTS, "The visitor ids, at most 100, in order"),
        Column("apps", Type.LABELS, "The applications, in order"),
        Column("first_seen", Type.TIME, "Earliest start of a session"),
        Column("last_seen", Type.TIME, "Latest end of one"),
        Column("sessions", Type.COUNT, "How many sessions"),
        Column("views", Type.COUNT, "Sum over the sessions"),
        Column("events", Type.COUNT, "Sum over the sessions"),
        Column("engaged_s", Type.COUNT, "Sum over the sessions"),
        Column("duration_s", Type.COUNT, "Sum over the sessions"),
        Column(
            "active_days",
            Type.COUNT,
            "Distinct days of session starts, in the reporting zone that holds without an application",
        ),
        Column("first_session_id", Type.ID, "Of the earliest start; of equal ones the greatest id"),
        Column("last_session_id", Type.ID, "Of the latest end; of equal ones the greatest id"),
        *(
            Column(f"{end}_{name}", kind, f"Of the {end} session")
            for end in ("first", "last")
            for name, kind in (
                ("channel", Type.LABEL),
                ("source", Type.LABEL),
                ("mkt_medium", Type.LABEL),
                ("mkt_source", Type.LABEL),
                ("mkt_campaign", Type.LABEL),
                ("refr_urlhost", Type.LABEL),
                ("refr_medium", Type.LABEL),
                ("entry_path", Type.TEXT),
                ("country", Type.LABEL),
                ("device", Type.LABEL),
            )
        ),
        Column("last_path", Type.TEXT, "Exit path of the last session"),
        Column("conversions", Type.COUNT, "Sum over the sessions"),
        Column("revenue", Type.MONEY, "Sum over the sessions"),
        Column("orders", Type.COUNT, "Sum over the sessions"),
        Column("first_conversion_at", Type.TIME_OR_NONE, "Of the earliest row of `conversions`"),
        Column("last_conversion_at", Type.TIME_OR_NONE, "Of the latest one"),
        Column("on_web", Type.FLAG, "Has a session on platform web"),
        Column("on_mobile", Type.FLAG, "Has one on another platform"),
        Column("is_identified", Type.FLAG, "Has a user_id"),
        Column("is_bot", Type.FLAG, "All sessions are bots'"),
        *MADE,
    ),
    key=("person_id",),
    order=("person_id",),
)

"""``derived.identities``."""

from snowgauge.modelling.definition import MADE, Column, Table, Type

TABLE = Table(
    name="identities",
    row="visitor and user_id",
    words="Who logged in on which device, made of the rows of `sessions` that have both.",
    columns=(
        Column("visitor_id", Type.ID, "As in `sessions`"),
        Column("user_id", Type.ID, "As in `sessions`"),
        Column("first_seen", Type.TIME, "Earliest start of such a session"),
        Column("last_seen", Type.TIME, "Latest end of one"),
        Column("sessions", Type.COUNT, "How many"),
        *MADE,
    ),
    key=("visitor_id", "user_id"),
    order=("visitor_id", "user_id"),
    search=("user_id",),
)

"""``derived.conversions``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type
from snowgauge.modelling.tables.columns import MARKETING

TABLE = Table(
    name="conversions",
    row="event and goal that it meets",
    words="Goals hold for the whole history: a changed one is counted again from the start. A transaction counts "
    "once per "
    "application, however often its page is loaded. Values of different currencies are never added.",
    columns=(
        Column("event_id", Type.UUID, "The event that met the goal; of scroll, time and visit goals the one that met "
               "it first"),
        Column("goal", Type.LABEL, "The goal's name"),
        Column("app_id", Type.LABEL, "Of the event"),
        Column("t", Type.TIME, "Time of the event"),
        Column("view_id", Type.ID, "View of the event"),
        Column("session_id", Type.ID, "Its session; of a server-side event the person's last that began in the 30 days "
               "before"),
        Column("visitor_id", Type.ID, "Visitor of the session, else of the event"),
        Column("person_id", Type.ID, "Person of the session, else the event's user_id, else its visitor"),
        Column("value", Type.MONEY_OR_NONE, "What it is worth"),
        Column("currency", Type.LABEL, "Currency of the value"),
        Column("order_id", Type.ID, "Order, of a transaction"),
        Column("channel", Type.LABEL, "Of the session"),
        Column("source", Type.LABEL, "Of the session"),
        *MARKETING,
        Column("is_first_of_session", Type.FLAG, "The goal's first in the session"),
        Column("is_first_of_person", Type.FLAG, "The goal's first of the person"),
        Column("is_bot", Type.FLAG, "Of the session, else of the event"),
        UNIT,
        *MADE,
    ),
    key=("event_id", "goal"),
    order=("app_id", "goal", "toDate(t)", "event_id"),
    day="t",
    search=("unit", "session_id", "person_id"),
)  # fmt: skip

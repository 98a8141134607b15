"""The modeller's own tables: how far it is, what is to be made again, what it gave up, who is at work, the settings."""

from snowgauge.modelling.definition import Column, Table, Type

STATE = Table(
    name="model_state",
    row="table and application",
    words="How far the modeller is. `table` is `*` for what holds for all of them.",
    columns=(
        Column("table", Type.LABEL, "Table, or `*`"),
        Column("app_id", Type.LABEL, "Application, or empty"),
        Column("model_version", Type.BIG, "Version of the definitions"),
        Column("ledger_position", Type.TEXT, "Up to where stored events have been looked at: a `load_tstamp`, ms"),
        Column("modelled_until", Type.TIME, "Everything stored before is in the tables"),
        Column(
            "rebuild_day", Type.DAY_OR_NONE, "The day that a rebuild has reached, going backwards; none: no rebuild"
        ),
        Column("error", Type.TEXT, "Why the last run failed; empty: it did not"),
        Column("updated_at", Type.TIME, "When the row was written"),
    ),
    key=("table", "app_id"),
    order=("table", "app_id"),
    version_column="updated_at",
    kind="state",
)
DIRTY = Table(
    name="model_dirty",
    row="session, view or event to be made again",
    words="Rows go once it has been made again.",
    columns=(
        Column("unit", Type.TEXT, "As in `page_views`"),
        Column("kind", Type.LABEL, "session, view or event"),
        Column("since", Type.TIME, "The earliest `collector_tstamp` of its events that is known"),
        Column("until", Type.TIME, "The latest"),
        Column("reason", Type.LABEL, "stored, recovered, erased, definition, identity or transaction"),
        Column("batch_id", Type.TEXT, "What caused it"),
        Column("at", Type.TIME, "When it was written down"),
    ),
    key=("unit", "batch_id"),
    order=("unit", "batch_id"),
    version_column="at",
    kind="state",
)
QUARANTINE = Table(
    name="model_quarantine",
    row="session given up",
    words="Sessions that are too long or too large. What was modelled stays; later events of them are not.",
    columns=(
        Column("session_id", Type.ID, "The session"),
        Column("app_id", Type.LABEL, "Application"),
        Column("start_tstamp", Type.TIME, "Its start"),
        Column("end_tstamp", Type.TIME, "Its end when it was given up"),
        Column("events", Type.BIG, "Its events then"),
        Column("reason", Type.LABEL, "`longer than 3 days` or `more than 20000 events`"),
        Column("at", Type.TIME, "When"),
    ),
    key=("session_id",),
    order=("session_id",),
    version_column="at",
    kind="state",
)
LEASE = Table(
    name="model_lease",
    row="process that models, or wants to",
    words="Of several machines one models at a time.",
    columns=(
        Column("holder", Type.TEXT, "Machine and process"),
        Column("taken_at", Type.TIME, "Since when it has wanted to, without a break"),
        Column("until", Type.TIME, "When its wish ends unless renewed"),
        Column("at", Type.TIME, "When the row was written"),
    ),
    key=("holder",),
    order=("holder",),
    version_column="at",
    kind="state",
)
SETTINGS = Table(
    name="model_settings",
    row="application and change",
    words="Settings per application, every version of them.",
    columns=(
        Column("app_id", Type.LABEL, "Application; empty: what holds where an application says nothing"),
        Column("version", Type.BIG, "Number of the change, from 1; the highest holds"),
        Column("settings", Type.TEXT, "The settings, as JSON"),
        Column("changed_by", Type.TEXT, "Who changed them"),
        Column("at", Type.TIME, "When"),
    ),
    key=("app_id", "version"),
    order=("app_id", "version"),
    version_column="at",
    kind="state",
)

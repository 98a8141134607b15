"""``derived.touches``."""

from snowgauge.modelling.definition import Column, Table, Type

TABLE = Table(
    name="touches",
    row="marketing touch of a person",
    words="A view of `page_views` that opens a visit, or that carries a campaign of its own and was not reached from "
    "a page "
    "of the same site.",
    columns=(
        Column("view_id", Type.ID, "`view_id`"),
        Column("session_id", Type.ID, "`session_id`"),
        Column("person_id", Type.ID, "`person_id`"),
        Column("app_id", Type.LABEL, "`app_id`"),
        Column("t", Type.TIME, "`start_tstamp`"),
        Column("is_session_start", Type.FLAG, "`is_entry`"),
        Column("channel", Type.LABEL, "`channel`"),
        Column("source", Type.LABEL, "`source`"),
        Column("mkt_medium", Type.LABEL, "`mkt_medium`"),
        Column("mkt_campaign", Type.LABEL, "`mkt_campaign`"),
        Column("entry_path", Type.TEXT, "`page_path`"),
        Column("content_group", Type.LABEL, "`content_group`"),
        Column("is_bot", Type.FLAG, "`is_bot`"),
    ),
    key=("view_id",),
    kind="view",
    source="page_views",
    condition="is_entry OR (mkt_medium != '' AND refr_medium != 'internal')",
)

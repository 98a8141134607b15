"""``derived.page_views``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type
from snowgauge.modelling.tables.columns import DEVICE, MARKETING, PLACE, REFERRER

TABLE = Table(
    name="page_views",
    row="page view or screen view",
    words="“First” is the view's first page_view or screen_view event by time, `dvce_created_tstamp` and `event_id`. "
    "Its "
    "pings in another session count there as engaged time and not here. A view without a session has no `session_id`, "
    "and counts as a page view only.",
    columns=(
        Column("view_id", Type.ID, "The web_page entity's id; else the screen's; else the event's"),
        Column("event_id", Type.UUID, "Of the first event"),
        Column("app_id", Type.LABEL, "Of the first event"),
        Column("platform", Type.LABEL, "Of the first event"),
        Column("view_type", Type.LABEL, "`page` (page_view) or `screen` (screen_view)"),
        Column("session_id", Type.ID, "The visit that it belongs to: that of the first event"),
        Column("visitor_id", Type.ID, "client_session.user_id, else domain_userid, else network_userid; the nil UUID "
               "is none"),
        Column("person_id", Type.ID, "The session's; without a session `user_id`, else `visitor_id`"),
        Column("user_id", Type.ID, "Of the first event"),
        Column("view_in_session", Type.SMALL_OR_NONE, "Its number in the visit, from 1"),
        Column("views_in_session", Type.SMALL_OR_NONE, "How many views the visit has"),
        Column("start_tstamp", Type.TIME, "Time of the first event"),
        Column("end_tstamp", Type.TIME, "Time of the last event of any kind with the view's id in the session"),
        Column("engaged_s", Type.COUNT, "Engaged time in seconds: heartbeat × (distinct heartbeats with a page ping "
               "− 1) + "
               "minimum visit, 0 without pings; of screens the most foreground time told"),
        Column("absolute_s", Type.COUNT, "Seconds from start to end; of screens foreground + background"),
        Column("scroll_px", Type.COUNT_OR_NONE, "How far down it was scrolled, in pixels; none without a document's "
               "height"),
        Column("scroll_pct", Type.REAL_OR_NONE, "How much of the document was seen, 0 to 100; none without its height"),
        Column("page_title", Type.TEXT, "Of the first event; of screens their name"),
        Column("page_url", Type.TEXT, "Of the first event"),
        Column("page_urlhost", Type.LABEL, "Of the first event"),
        Column("page_urlpath", Type.TEXT, "Of the first event; of screens `/` and their name"),
        Column("page_urlquery", Type.TEXT, "Of the first event"),
        Column("page_urlfragment", Type.TEXT, "Of the first event"),
        Column("page_path", Type.TEXT, "The path after the application's path rules"),
        Column("content_group", Type.LABEL, "The application's first content group whose pattern matches `page_path`"),
        *REFERRER,
        *MARKETING,
        Column("channel", Type.LABEL, "The channel that a visit would have which began with this view"),
        Column("source", Type.LABEL, "The source that it would have; empty: direct"),
        *PLACE,
        *DEVICE,
        Column("previous_path", Type.TEXT, "`page_path` of the view before in the visit; empty: it is the first"),
        Column("next_path", Type.TEXT, "`page_path` of the view after; empty: it is the last"),
        Column("is_entry", Type.FLAG, "The visit's first view"),
        Column("is_exit", Type.FLAG, "The visit's last view"),
        Column("events", Type.COUNT, "Events with the view's id, page pings left out"),
        Column("is_bot", Type.FLAG, "One of its events is a bot's"),
        Column("is_internal", Type.FLAG, "Own traffic, by the application's rules"),
        UNIT,
        *MADE,
    ),
    key=("unit", "view_id"),
    order=("app_id", "toDate(start_tstamp)", "session_id", "view_id"),
    day="start_tstamp",
    search=("unit", "session_id", "person_id", "view_id"),
)  # fmt: skip

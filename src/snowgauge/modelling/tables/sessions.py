"""``derived.sessions``."""

from snowgauge.modelling.definition import MADE, UNIT, Column, Table, Type
from snowgauge.modelling.tables.columns import DEVICE, MARKETING, PLACE, REFERRER


def _end(which: str, end: str) -> tuple[Column, ...]:
    return (
        Column(f"{end}_host", Type.LABEL, f"Host of the {which} view"),
        Column(f"{end}_path", Type.TEXT, f"`page_path` of the {which} view"),
        Column(f"{end}_title", Type.TEXT, f"Title of the {which} view"),
        Column(f"{end}_view_id", Type.ID, f"Id of the {which} view"),
        Column(f"{end}_content_group", Type.LABEL, f"Content group of the {which} view"),
    )


TABLE = Table(
    name="sessions",
    row="session (visit)",
    words="A visit is the tracker's session: `client_session.session_id`, else `domain_sessionid`. Where it came from, "
    "where its visitor is and with what device is that of its first page view, screen view or page ping. Server-side "
    "events (platform `srv`) are not part of it.",
    columns=(
        Column("session_id", Type.ID, "client_session.session_id, else domain_sessionid"),
        Column("app_id", Type.LABEL, "Of its first event"),
        Column("platform", Type.LABEL, "Of its first event"),
        Column("visitor_id", Type.ID, "client_session.user_id, else domain_userid, else network_userid, of its first "
               "event "
               "that has one; the nil UUID is none"),
        Column("person_id", Type.ID, "Its own user_id; else the one that the visitor used next after it, else last "
               "before "
               "it; else the visitor_id"),
        Column("user_id", Type.ID, "The last user_id of its events"),
        Column("network_userid", Type.ID, "The first network_userid of its events"),
        Column("session_index", Type.INT_OR_NONE, "The highest domain_sessionidx, else client_session.session_index"),
        Column("is_new_visitor", Type.FLAG, "session_index is 1; without one: no earlier session of the visitor is "
               "known"),
        Column("start_tstamp", Type.TIME, "Time of the first event, less the minimum visit where that is a page ping"),
        Column("end_tstamp", Type.TIME, "Time of the last event"),
        Column("duration_s", Type.COUNT, "Seconds from start to end"),
        Column("engaged_s", Type.COUNT, "Engaged time in seconds, over all its views"),
        Column("views", Type.COUNT, "Views that belong to it"),
        Column("distinct_pages", Type.COUNT, "Distinct `page_path` of them"),
        Column("events", Type.COUNT, "Events, each counted once"),
        Column("interactions", Type.COUNT, "Events that a person caused: no views, pings, screen ends, moves to and "
               "from the "
               "background, web vitals, consent banners or errors, and none of the application's non-interactive "
               "events"),
        Column("max_scroll_pct", Type.REAL_OR_NONE, "The most seen of one of its pages, 0 to 100"),
        Column("is_bounce", Type.FLAG, "At most one view, engaged less than 10 s, no interaction and no conversion; "
               "with the "
               "rule `single_page`: at most one view and no interaction"),
        Column("is_engaged", Type.FLAG, "Not a bounce"),
        *_end("first", "entry"),
        *_end("last", "exit"),
        *REFERRER,
        *MARKETING,
        Column("click_id_param", Type.LABEL, "The parameter of the address that held a click id, such as gclid"),
        Column("channel", Type.LABEL, "The channel that brought the visit"),
        Column("source", Type.LABEL, "The source that brought it; empty: direct"),
        Column("is_continued", Type.FLAG, "It began on a page of the same site: channel and source are those of the "
               "visitor's visit before, if that ended less than 24 hours before, else Direct"),
        Column("landing_campaign_in_session", Type.FLAG, "A later view carries a campaign of its own"),
        *PLACE,
        Column("last_geo_country", Type.LABEL, "Country of its last event that has one"),
        *DEVICE,
        Column("first_event_name", Type.LABEL, "Name of its first event"),
        Column("last_event_name", Type.LABEL, "Name of its last event"),
        Column("conversions", Type.COUNT, "Rows in `conversions`"),
        Column("revenue", Type.MONEY, "Sum of their values; of one currency where the application has set one"),
        Column("orders", Type.COUNT, "Distinct orders among them"),
        Column("goals", Type.LABELS, "The goals met, each once"),
        Column("app_errors", Type.COUNT, "application_error events"),
        Column("is_bot", Type.FLAG, "One of its events is a bot's"),
        Column("is_internal", Type.FLAG, "Own traffic, by the application's rules"),
        Column("is_cookieless", Type.FLAG, "The visitor is known by a cookieless id, which holds for a day"),
        Column("is_quarantined", Type.FLAG, "Given up at some point: see `model_quarantine`; what follows is not "
               "counted"),
        UNIT,
        *MADE,
    ),
    key=("session_id",),
    order=("app_id", "toDate(start_tstamp)", "session_id"),
    day="start_tstamp",
    search=("unit", "visitor_id", "person_id"),
)  # fmt: skip

"""The events that the modeller reads: their columns, and one event as the model sees it.

A store gives columns (name -> values), ``''`` for a text that is not set, ms for instants. An event holds what every
step needs; the rest stays in its column until a step asks for it, since most events are page pings of which few are
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from snowgauge.modelling.entities import (
    CLIENT_SESSION,
    SCREEN,
    WEB_PAGE,
    Entities,
    entities,
    event_data,
    first,
    identity,
    text_of,
)

DAY_MS = 86_400_000
LATE_MS = 30 * DAY_MS
EARLY_MS = DAY_MS
"""An event's own time is believed within 30 days before, and a day after, the time at which it was collected."""

TIMES = ("collector_tstamp", "derived_tstamp", "dvce_created_tstamp")
NUMBERS = (
    "domain_sessionidx", "doc_height", "br_viewheight", "pp_yoffset_max", "dvce_screenwidth", "dvce_screenheight",
    "ti_quantity",
)  # fmt: skip
AMOUNTS = ("tr_total", "tr_tax", "tr_shipping", "ti_price", "se_value")
TEXTS = (
    "event_id", "app_id", "platform", "event_name", "event_vendor", "event_version", "user_id", "domain_userid",
    "domain_sessionid", "network_userid", "user_ipaddress", "useragent", "page_title", "page_url", "page_urlhost",
    "page_urlpath", "page_urlquery", "page_urlfragment", "page_referrer", "refr_urlhost", "refr_urlpath", "refr_medium",
    "refr_source", "refr_term", "mkt_medium", "mkt_source", "mkt_term", "mkt_content", "mkt_campaign", "mkt_clickid",
    "mkt_network", "geo_country", "geo_region", "geo_region_name", "geo_city", "br_family", "br_version", "os_family",
    "os_name", "dvce_type", "br_lang", "os_timezone", "se_category", "se_action", "se_label", "se_property",
    "tr_orderid", "tr_currency", "ti_orderid", "ti_sku", "ti_name", "ti_category", "ti_currency",
    "contexts", "unstruct_event", "derived_contexts",
)  # fmt: skip
COLUMNS = (*TIMES, *NUMBERS, *AMOUNTS, *TEXTS)
"""What a store reads of every event."""

Columns = Mapping[str, Sequence[Any]]
VIEW_NAMES = frozenset(["page_view", "screen_view"])
SERVER = "srv"


class Unit(NamedTuple):
    """What is made again as a whole, and when its events were collected, as far as is known (ms)."""

    name: str
    since: int
    until: int

    @property
    def kind(self) -> str:
        for kind in ("view", "event"):
            if self.name.startswith(f"{kind} "):
                return kind
        return "session"

    @property
    def id(self) -> str:
        """The session's, view's or event's own id."""
        return self.name.partition(" ")[2] if _marked(self.name) else self.name


def session_unit(session_id: str) -> str:
    """The unit of a session. One that is named like another kind of unit gets a mark."""
    return f"session {session_id}" if _marked(session_id) else session_id


def _marked(name: str) -> bool:
    return name.startswith(("view ", "event ", "session "))


def session_of(platform: str, domain_sessionid: str, found: Entities) -> str:
    """The session of an event, by its entities; server-side events have none."""
    if platform == SERVER:
        return ""
    own = first(found, CLIENT_SESSION)
    return (identity(text_of(own, "sessionId")) if own else "") or identity(domain_sessionid)


def view_of(event_id: str, event_name: str, found: Entities, unstruct_event: str) -> str:
    """The view of an event; empty: it has none."""
    if page := text_of(first(found, WEB_PAGE), "id"):
        return page
    if event_name == "screen_view" and (screen := text_of(event_data(unstruct_event), "id")):
        return screen
    return text_of(first(found, SCREEN), "id") or (event_id if event_name in VIEW_NAMES else "")


def unit_of(session_id: str, view_id: str, event_id: str) -> str:
    if session_id:
        return session_unit(session_id)
    return f"view {view_id}" if view_id else f"event {event_id}"


class Event:
    """One event. ``t``: its time; ``late``: its own time is not believed; ``order``: what events are ordered by."""

    __slots__ = ("_at", "_columns", "app_id", "collected", "created", "entities", "id", "late", "name", "session_id",
                 "t", "user_id", "view_id", "visitor_id")  # fmt: skip

    def __init__(self, columns: Columns, at: int) -> None:
        self._columns = columns
        self._at = at
        self.id: str = columns["event_id"][at]
        self.name: str = columns["event_name"][at]
        self.app_id: str = columns["app_id"][at]
        self.collected: int = columns["collector_tstamp"][at]
        self.created: int | None = columns["dvce_created_tstamp"][at]
        own = columns["derived_tstamp"][at]
        self.late = own is not None and not self.collected - LATE_MS <= own <= self.collected + EARLY_MS
        self.t: int = self.collected if own is None or self.late else own
        self.entities: Entities = entities(columns["contexts"][at])
        session = first(self.entities, CLIENT_SESSION)
        self.session_id = session_of(columns["platform"][at], columns["domain_sessionid"][at], self.entities)
        unstruct = columns["unstruct_event"][at] if self.name == "screen_view" else ""
        self.view_id = view_of(self.id, self.name, self.entities, unstruct)
        self.visitor_id = (
            (identity(text_of(session, "userId")) if session else "")
            or identity(columns["domain_userid"][at])
            or identity(columns["network_userid"][at])
        )
        self.user_id = identity(columns["user_id"][at])

    @property
    def order(self) -> tuple[int, int, str]:
        return self.t, self.created or 0, self.id

    @property
    def unit(self) -> str:
        return unit_of(self.session_id, self.view_id, self.id)

    @property
    def is_view(self) -> bool:
        return self.name in VIEW_NAMES

    @property
    def is_ping(self) -> bool:
        return self.name == "page_ping"

    @property
    def data(self) -> dict[str, Any]:
        """Of a self-describing event."""
        return event_data(self.get("unstruct_event"))

    @property
    def derived(self) -> Entities:
        """The entities that enrichments attached."""
        return entities(self.get("derived_contexts"))

    def get(self, column: str) -> Any:
        return self._columns[column][self._at]


def read(batches: Iterable[Columns], units: frozenset[str]) -> dict[str, list[Event]]:
    """Unit -> its events in order, each once, of those units that are meant.

    Of rows of a unit with one event id the one with the least (collector_tstamp, dvce_created_tstamp) counts; of rows
    that are equal in both, too, the one with the least address, so that any order of rows gives the same.
    """
    best: dict[str, dict[str, Event]] = {}
    for columns in batches:
        for at in range(len(columns["event_id"])):
            event = Event(columns, at)
            unit = event.unit
            if unit in units:
                of_unit = best.setdefault(unit, {})
                known = of_unit.get(event.id)
                if known is None or _rank(event) < _rank(known):
                    of_unit[event.id] = event
    return {unit: sorted(events.values(), key=lambda event: event.order) for unit, events in best.items()}


def _rank(event: Event) -> tuple[int, int, str, str]:
    return event.collected, event.created or 0, event.name, event.get("page_url")

"""The row of ``sessions``. Who the person is comes later: that depends on the visitor's other sessions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from snowgauge.modelling.entities import CLIENT_SESSION, first, number_of
from snowgauge.modelling.events import Event
from snowgauge.modelling.making.page_views import Engagement
from snowgauge.modelling.making.unit import MARKETING, PLACE, REFERRER, Made, Row, columns_of, device_of

_SOURCE = (*REFERRER, *MARKETING, *PLACE)
NO_INTERACTIONS = frozenset(
    [
        "page_view", "screen_view", "page_ping", "screen_end", "application_background", "application_foreground",
        "web_vitals", "cmp_visible", "application_error", "diagnostic_error",
    ]
)  # fmt: skip
"""Events that no person causes by doing something on the page."""

ENGAGED_S = 10
"""A visit engaged for so long is none that bounced."""


def session(made: Made, told: Iterable[Engagement], views: Sequence[Row], conversions: Sequence[Row]) -> Row:
    """``told``: the engagement of each view that it has events of; ``views``, ``conversions``: the unit's own rows."""
    application, events = made.rules.application, made.events
    opening, closing = events[0], events[-1]
    start = opening.t - (application.minimum_visit * 1000 if opening.is_ping else 0)
    end = closing.t
    landing = next((e for e in events if e.view_id and (e.is_view or e.is_ping)), opening)
    engaged = sum(one.seconds(application.heartbeat, application.minimum_visit) for one in told)
    interactions = sum(e.name not in NO_INTERACTIONS and made.rules.is_interactive(e.name) for e in events)
    came = made.rules.origin(landing)
    scrolled = [row["scroll_pct"] for row in views if row["scroll_pct"] is not None]
    few = len(views) <= 1 and interactions == 0
    bounce = few if application.bounce == "single_page" else few and engaged < ENGAGED_S and not conversions
    currency = application.currency or next((row["currency"] for row in conversions if row["value"] is not None), "")
    worth = [row["value"] for row in conversions if row["value"] is not None and row["currency"] == currency]
    return (
        columns_of(landing, _SOURCE)
        | device_of(landing)
        | _end("entry", views[0] if views else {})
        | _end("exit", views[-1] if views else {})
        | {
            "session_id": opening.session_id,
            "app_id": opening.app_id,
            "platform": opening.get("platform"),
            "visitor_id": next((e.visitor_id for e in events if e.visitor_id), ""),
            "user_id": next((e.user_id for e in reversed(events) if e.user_id), ""),
            "network_userid": next((e.get("network_userid") for e in events if e.get("network_userid")), ""),
            "session_index": _index(events),
            "start_tstamp": start,
            "end_tstamp": end,
            "duration_s": (end - start) // 1000,
            "engaged_s": engaged,
            "views": len(views),
            "distinct_pages": len({row["page_path"] for row in views}),
            "events": len(events),
            "interactions": interactions,
            "max_scroll_pct": max(scrolled, default=None),
            "is_bounce": bounce,
            "is_engaged": not bounce,
            "click_id_param": came.click_id,
            "channel": came.channel,
            "source": came.source,
            "is_continued": came.inside,
            "landing_campaign_in_session": any(row["mkt_medium"] or row["mkt_campaign"] for row in views[1:]),
            "last_geo_country": next((e.get("geo_country") for e in reversed(events) if e.get("geo_country")), ""),
            "first_event_name": opening.name,
            "last_event_name": closing.name,
            "conversions": len(conversions),
            "revenue": sum(worth, Decimal(0)),
            "orders": len({row["order_id"] for row in conversions if row["order_id"]}),
            "goals": sorted({row["goal"] for row in conversions}),
            "app_errors": sum(e.name == "application_error" for e in events),
            "is_bot": made.is_bot,
            "is_internal": made.is_internal,
            "unit": made.unit,
        }
    )


def _index(events: Sequence[Event]) -> int | None:
    own = [e.get("domain_sessionidx") for e in events if e.get("domain_sessionidx") is not None]
    if own:
        return int(max(own))
    told = [number_of(first(e.entities, CLIENT_SESSION), "sessionIndex") for e in events]
    return int(max(one for one in told if one is not None)) if any(one is not None for one in told) else None


def _end(name: str, view: Row) -> Row:
    return {
        f"{name}_host": view.get("page_urlhost", ""),
        f"{name}_path": view.get("page_path", ""),
        f"{name}_title": view.get("page_title", ""),
        f"{name}_view_id": view.get("view_id", ""),
        f"{name}_content_group": view.get("content_group", ""),
    }

"""Rows of ``page_views``, and what the events of each view tell: engaged time and scroll depth.

Engaged time and scroll depth are Snowplow's formulas (dbt-snowplow-unified 1.0.0), so that figures can be compared. The
end of a view is its last event of any kind; Snowplow's is its last page ping.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

from snowgauge.modelling.entities import SCREEN_SUMMARY, first, number_of, text_of
from snowgauge.modelling.events import Event
from snowgauge.modelling.making.unit import MARKETING, PLACE, REFERRER, Made, Row, columns_of, device_of

_VIEW = (
    "app_id",
    "platform",
    "page_url",
    "page_urlhost",
    "page_urlquery",
    "page_urlfragment",
    *REFERRER,
    *MARKETING,
    *PLACE,
)


class Engagement(NamedTuple):
    """``pings``: distinct heartbeats with a page ping; ``foreground``, ``background``: seconds that a screen tells."""

    pings: int
    foreground: float
    background: float

    def seconds(self, heartbeat: int, minimum_visit: int) -> int:
        engaged = heartbeat * (self.pings - 1) + minimum_visit if self.pings else 0
        return engaged + floor(self.foreground + 0.5)


def engagement(events: Sequence[Event], heartbeat: int) -> Engagement:
    """Of the events of one view in one session."""
    beats = set()
    foreground = background = 0.0
    for event in events:
        if event.is_ping:
            beats.add((event.t if event.created is None else event.created) // (heartbeat * 1000))
        elif summary := first(event.entities, SCREEN_SUMMARY):
            foreground = max(foreground, number_of(summary, "foreground_sec") or 0)
            background = max(background, number_of(summary, "background_sec") or 0)
    return Engagement(len(beats), foreground, background)


def page_views(made: Made, views: dict[str, list[Event]], told_of: dict[str, Engagement]) -> list[Row]:
    """The views of a unit in order; ``views``: view id -> its events, those views left out that have no view event.
    ``told_of``: the engagement of each."""
    application = made.rules.application
    firsts = sorted((next(e for e in events if e.is_view) for events in views.values()), key=lambda e: e.order)
    paths = [made.rules.page_path(event) for event in firsts]
    in_session = bool(made.events[0].session_id)
    rows = []
    for at, event in enumerate(firsts):
        events = views[event.view_id]
        told = told_of[event.view_id]
        end = max(e.t for e in events)
        pixels, percent = scroll(events)
        came = made.rules.origin(event)
        is_screen = event.name == "screen_view"
        rows.append(
            columns_of(event, _VIEW)
            | device_of(event)
            | {
                "view_id": event.view_id,
                "event_id": event.id,
                "view_type": "screen" if is_screen else "page",
                "session_id": event.session_id,
                "visitor_id": event.visitor_id,
                "person_id": event.user_id or event.visitor_id,
                "user_id": event.user_id,
                "view_in_session": at + 1 if in_session else None,
                "views_in_session": len(firsts) if in_session else None,
                "start_tstamp": event.t,
                "end_tstamp": end,
                "engaged_s": told.seconds(application.heartbeat, application.minimum_visit),
                "absolute_s": floor(told.foreground + told.background + 0.5)
                if told.foreground
                else (end - event.t) // 1000,
                "scroll_px": pixels,
                "scroll_pct": percent,
                "page_title": text_of(event.data, "name") if is_screen else event.get("page_title"),
                "page_urlpath": "/" + text_of(event.data, "name") if is_screen else event.get("page_urlpath"),
                "page_path": paths[at],
                "content_group": made.rules.content_group(paths[at]),
                "channel": came.channel,
                "source": came.source,
                "previous_path": paths[at - 1] if in_session and at else "",
                "next_path": paths[at + 1] if in_session and at + 1 < len(paths) else "",
                "is_entry": in_session and at == 0,
                "is_exit": in_session and at == len(firsts) - 1,
                "events": sum(not e.is_ping for e in events),
                "is_bot": made.is_bot,
                "is_internal": made.is_internal,
                "unit": made.unit,
            }
        )
    return rows


def view_repeat(unit: str, events: Sequence[Event]) -> Row:
    """A row of ``view_repeats``: the events of a view that belongs to another unit."""
    event = next(e for e in events if e.is_view)
    return {
        "view_id": event.view_id,
        "app_id": event.app_id,
        "session_id": event.session_id,
        "event_id": event.id,
        "t": event.t,
        "unit": unit,
    }


def scroll(events: Sequence[Event]) -> tuple[int | None, float | None]:
    """Pixels and percent of the document that were seen; of screens by their summary."""
    deepest = height = viewport = 0
    seen: float | None = None
    for event in events:
        if event.is_view or event.is_ping:
            if own := event.get("doc_height") or 0:
                height = max(height, own)
                deepest = max(deepest, event.get("pp_yoffset_max") or 0)
                viewport = max(viewport, event.get("br_viewheight") or 0)
        elif summary := first(event.entities, SCREEN_SUMMARY):
            content, offset = number_of(summary, "content_height"), number_of(summary, "max_y_offset")
            items, last = number_of(summary, "items_count"), number_of(summary, "last_item_index")
            if content and offset is not None:
                seen = max(seen or 0, min(1, offset / content))
            if items and last is not None:
                seen = max(seen or 0, min(1, (last + 1) / items))
    if height > 0:
        deepest = min(deepest, height)
        return deepest, float(floor(100 * min(deepest + viewport, height) / height + 0.5))
    return None, None if seen is None else float(floor(100 * seen + 0.5))

"""The rows of one unit, table by table."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from snowgauge.modelling.bots import is_bot
from snowgauge.modelling.events import DAY_MS, Event
from snowgauge.modelling.making.conversions import conversions
from snowgauge.modelling.making.ecommerce import ecommerce_actions
from snowgauge.modelling.making.page_views import engagement, page_views, view_repeat
from snowgauge.modelling.making.rules import Rules
from snowgauge.modelling.making.sessions import session
from snowgauge.modelling.making.small_tables import app_errors, user_days, web_vitals
from snowgauge.modelling.making.unit import Made, Rows

LONGEST_MS = 3 * DAY_MS
"""A session that goes on for longer is cut here and given up."""

MOST_EVENTS = 20_000
"""So is one with more events."""


def too_much(events: Sequence[Event]) -> str:
    """Why a session is given up; empty: it is not."""
    if not events[0].session_id:
        return ""
    if len(events) > MOST_EVENTS:
        return f"more than {MOST_EVENTS} events"
    return "longer than 3 days" if events[-1].t - events[0].t >= LONGEST_MS else ""


def cut(events: Sequence[Event]) -> Sequence[Event]:
    """What counts of a session that is given up."""
    return [event for event in events[:MOST_EVENTS] if event.t - events[0].t < LONGEST_MS]


def make(
    unit: str, events: Sequence[Event], rules: Rules, repeats: Collection[str] = (), repeated: Collection[str] = ()
) -> Rows:
    """``events``: all of the unit, in order, or those that ``cut`` left. ``repeats``: ids of events that repeat a
    transaction of another unit; ``repeated``: ids of views that belong to another unit."""
    made = Made(
        unit,
        events,
        rules,
        is_bot=any(is_bot(e.get("derived_contexts"), _claims(e), e.get("useragent")) for e in events),
        is_internal=any(rules.is_internal(event) for event in events),
    )
    by_view: dict[str, list[Event]] = {}
    for event in events if events[0].session_id else _near(events):
        if event.view_id:
            by_view.setdefault(event.view_id, []).append(event)
    told = {id_: engagement(of, rules.application.heartbeat) for id_, of in by_view.items()}
    seen = {id_: of for id_, of in by_view.items() if any(event.is_view for event in of)}
    views = page_views(made, {id_: of for id_, of in seen.items() if id_ not in repeated}, told)
    actions = ecommerce_actions(made)
    mark_first(actions, repeats)
    reached = conversions(made, by_view, views, actions)
    rows: Rows = {
        "page_views": views,
        "conversions": reached,
        "ecommerce_actions": actions,
        "web_vitals": web_vitals(made),
        "app_errors": app_errors(made),
        "user_days": user_days(made, reached),
        "view_repeats": [view_repeat(unit, of) for id_, of in seen.items() if id_ in repeated],
        "sessions": [],
    }
    if events[0].session_id:
        rows["sessions"] = [session(made, told.values(), views, reached)]
    return rows


def _near(events: Sequence[Event]) -> Sequence[Event]:
    """Of events without a session, those within a day of the first view event: only they belong to the view, since they
    must be found without knowing how long it lasted."""
    view = next((event for event in events if event.is_view), None)
    return events if view is None else [event for event in events if abs(event.t - view.t) <= DAY_MS]


def mark_first(actions: Sequence[dict[str, object]], repeats: Collection[str]) -> None:
    """Mark the first transaction event of each transaction, unless another unit has an earlier one."""
    seen = set()
    for row in actions:
        key = (row["app_id"], row["transaction_id"])
        if row["action"] == "transaction" and row["transaction_id"] and row["event_id"] not in repeats:
            row["is_first_of_transaction"] = key not in seen
            seen.add(key)


def _claims(event: Event) -> str:
    """The entities of the tracker, where they can say that it is a bot."""
    text: str = event.get("contexts")
    return text if "client_side_bot_detection" in text else ""

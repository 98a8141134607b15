"""Rows of ``conversions``: which events meet which goals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from snowgauge.modelling.applications import Goal
from snowgauge.modelling.entities import text_of
from snowgauge.modelling.events import Event
from snowgauge.modelling.making.ecommerce import amount
from snowgauge.modelling.making.unit import Made, Row
from snowgauge.modelling.paths import matches

TRANSACTION = "transaction"
"""The goal that every ecommerce transaction meets."""


def conversions(made: Made, by_view: dict[str, list[Event]], views: Sequence[Row], actions: Sequence[Row]) -> list[Row]:
    """In order of time. ``actions``: the unit's rows of ``ecommerce_actions``, in which the first of each transaction
    is marked."""
    found: list[tuple[Event, str, Decimal | None, str, str]] = []
    if made.rules.application.transactions:
        found += _transactions(made, actions)
    for goal in made.rules.application.goals:
        worth = amount(goal.value)
        for event in _meeting(goal, made, by_view, views):
            value = amount(_property(event.data, goal.value_property)) if goal.value_property else worth
            found.append((event, goal.name, value, goal.currency if value is not None else "", ""))
    found.sort(key=lambda one: (one[0].order, one[1]))
    met: set[str] = set()
    rows = []
    for event, goal_name, value, currency, order in found:
        rows.append(
            {
                "event_id": event.id,
                "goal": goal_name,
                "app_id": event.app_id,
                "t": event.t,
                "view_id": event.view_id,
                "session_id": event.session_id,
                "visitor_id": event.visitor_id,
                "person_id": event.user_id or event.visitor_id,
                "value": value,
                "currency": currency,
                "order_id": order,
                "is_first_of_session": bool(event.session_id) and goal_name not in met,
                "is_bot": made.is_bot,
                "unit": made.unit,
            }
        )
        met.add(goal_name)
    return rows


def _transactions(made: Made, actions: Sequence[Row]) -> Iterator[tuple[Event, str, Decimal | None, str, str]]:
    events = {event.id: event for event in made.events}
    for row in actions:
        counts = row["is_first_of_transaction"] or not row["transaction_id"]
        if row["action"] == TRANSACTION and row["product_index"] <= 1 and counts:
            value = row.get("revenue")
            currency = row.get("currency", "") if value is not None else ""
            yield events[row["event_id"]], TRANSACTION, value, currency, row["transaction_id"]


def _meeting(goal: Goal, made: Made, by_view: dict[str, list[Event]], views: Sequence[Row]) -> Iterator[Event]:
    """The events that meet a goal; of reading depth, reading time and visits the one that met it first."""
    if goal.kind in ("page", "screen"):
        for view in views:
            if view["view_type"] == goal.kind and _is(goal.pattern, view["page_path"], goal.kind):
                yield next(e for e in by_view[view["view_id"]] if e.id == view["event_id"])
    elif goal.kind in ("scroll", "time"):
        for view in views:
            if _is(goal.pattern, view["page_path"], "page"):
                yield from _first_reading(goal, made, by_view[view["view_id"]])
    elif goal.kind == "visit":
        yield from _first_of_visit(goal, made, views)
    else:
        for event in made.events:
            if _is_meant(goal, event):
                yield event


def _is_meant(goal: Goal, event: Event) -> bool:
    if goal.kind == "link":
        return event.name == "link_click" and _is(goal.pattern, text_of(event.data, "targetUrl"), "link")
    wanted = event.name == ("submit_form" if goal.kind == "form" else goal.event)
    return wanted and all(_holds(one.property, one.values, event) for one in goal.conditions)


def _holds(name: str, values: Sequence[str], event: Event) -> bool:
    found = _property(event.data if event.get("unstruct_event") else _structured(event), name)
    if found is None or found == "":
        return False
    text = ("true" if found else "false") if isinstance(found, bool) else str(found)
    return not values or text in values


def _structured(event: Event) -> dict[str, Any]:
    """A structured event's own columns, by their short names."""
    return {name: event.get(f"se_{name}") for name in ("category", "action", "label", "property", "value")}


def _property(data: dict[str, Any], path: str) -> Any:
    value: Any = data
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _is(pattern: str, text: str, kind: str) -> bool:
    if kind == "screen":
        text = text.removeprefix("/")
    return not pattern or matches(pattern, text)


def _first_reading(goal: Goal, made: Made, events: Sequence[Event]) -> Iterator[Event]:
    """The ping or view of one page by which it had been read so far, or for so long."""
    from snowgauge.modelling.making.page_views import engagement, scroll

    application = made.rules.application
    assert goal.at_least is not None
    for at, event in enumerate(events):
        so_far = events[: at + 1]
        if goal.kind == "scroll":
            reached = scroll(so_far)[1] if event.is_view or event.is_ping else None
        else:
            reached = engagement(so_far, application.heartbeat).seconds(
                application.heartbeat, application.minimum_visit
            )
        if reached is not None and reached >= goal.at_least:
            yield event
            return


def _first_of_visit(goal: Goal, made: Made, views: Sequence[Row]) -> Iterator[Event]:
    if not made.events[0].session_id:
        return
    assert goal.at_least is not None
    if goal.unit == "views":
        if len(views) >= goal.at_least:
            last = views[max(0, int(goal.at_least) - 1)]["event_id"]
            yield next(e for e in made.events if e.id == last)
        return
    start = made.events[0].t
    for event in made.events:
        if event.t - start >= goal.at_least * 1000:
            yield event
            return

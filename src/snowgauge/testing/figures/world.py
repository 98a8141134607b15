"""A small random world: visits with page views, goals, measurements, purchases, errors and events, as modelled rows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.events import described, web_page_view

DAY = 86_400_000
PATHS = ("/", "/a", "/a/b", "/A", "/blog/x%y", "/preis/äöü", "/it's", "/\\", "/[x]*", "")
SOURCES = ("Google", "google", "", "news.example", "ÄRZTE", "a_b%c")
COUNTRIES = ("DE", "US", "")
GOALS = ("signup", "buy", "Read more")
PRODUCTS = ("Cup", "Pot", "")
ENTITY = "com.acme/cart/1"
EVENT = "com.acme/search/1"


@dataclass(repr=False)
class World:
    """Rows by table; events as dictionaries of what matters of them, and as they are stored."""

    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            name: []
            for name in ("sessions", "page_views", "conversions", "web_vitals", "ecommerce_actions", "app_errors")
        }
    )
    events: list[dict[str, Any]] = field(default_factory=list)
    stored: list[EnrichedEvent] = field(default_factory=list)


def world(seed: int, *, start: int, days: int, visits: int = 25) -> World:
    """Deterministic. ``start`` in ms."""
    chance = random.Random(seed)  # noqa: S311 - test data
    made = World()
    ids = iter(range(10**9))

    def uuid() -> str:
        return str(UUID(int=(seed % 2**32) << 64 | next(ids) + 1))

    persons = [f"p{n}" for n in range(max(2, visits // 3))]
    for number in range(visits):
        _visit(made, chance, number, uuid, persons, start, days)
    for _ in range(3):
        at = start + chance.randrange(days * DAY)
        made.rows["page_views"].append(
            {
                "view_id": uuid(), "event_id": uuid(), "app_id": "web", "view_type": "page", "start_tstamp": at,
                "end_tstamp": at, "page_path": chance.choice(PATHS), "page_urlhost": "a.example", "unit": uuid(),
                "engaged_s": 0,
            }
        )  # fmt: skip
    return made


def _visit(
    made: World, chance: random.Random, number: int, uuid: Any, persons: list[str], start: int, days: int
) -> None:
    at = start + chance.randrange(days * DAY)
    session = f"s{number}"
    app = chance.choice(("web", "web", "shop"))
    person = chance.choice(persons)
    visit: dict[str, Any] = {
        "session_id": session, "unit": session, "app_id": app, "platform": "web", "person_id": person,
        "visitor_id": f"v-{person}", "user_id": person if chance.random() < 0.2 else "",
        "is_new_visitor": chance.random() < 0.5, "start_tstamp": at, "channel": chance.choice(("Direct", "Referral")),
        "source": chance.choice(SOURCES), "mkt_campaign": chance.choice(("", "Spring", "spring")),
        "refr_urlhost": chance.choice(("", "www.google.com")), "refr_urlpath": chance.choice(("", "/q")),
        "geo_country": chance.choice(COUNTRIES), "geo_region": chance.choice(("", "BY")), "dvce_type": "Desktop",
        "br_family": chance.choice(("Chrome", "Firefox")), "is_bot": chance.random() < 0.1,
        "is_internal": chance.random() < 0.1, "duration_s": chance.randrange(600), "engaged_s": chance.randrange(100),
        "is_bounce": chance.random() < 0.5,
    }  # fmt: skip
    views = []
    moment = at
    for _ in range(chance.randrange(4)):
        views.append(
            {
                "view_id": uuid(), "event_id": uuid(), "session_id": session, "unit": session, "app_id": app,
                "person_id": person, "view_type": "page", "start_tstamp": moment, "end_tstamp": moment + 1000,
                "page_path": chance.choice(PATHS), "page_title": chance.choice(("", "Home", "مرحبا")),
                "page_urlhost": chance.choice(("a.example", "b.example")), "content_group": chance.choice(("", "blog")),
                "engaged_s": chance.choice((0, 0, 5, 15, 30)), "is_bot": visit["is_bot"],
                "is_internal": visit["is_internal"],
                "scroll_pct": chance.choice((None, 10.0, 55.5, 100.0)),
            }
        )  # fmt: skip
        moment += chance.randrange(1, 30) * 60_000
    for place, view in enumerate(views):
        view |= {
            "view_in_session": place + 1, "views_in_session": len(views), "is_entry": place == 0,
            "is_exit": place == len(views) - 1,
            "previous_path": views[place - 1]["page_path"] if place else "",
            "next_path": views[place + 1]["page_path"] if place + 1 < len(views) else "",
        }  # fmt: skip
    visit["views"] = len(views)
    visit["end_tstamp"] = moment
    if views:
        visit |= {
            "entry_path": views[0]["page_path"], "entry_host": views[0]["page_urlhost"],
            "entry_title": views[0]["page_title"], "entry_content_group": views[0]["content_group"],
            "exit_path": views[-1]["page_path"],
        }  # fmt: skip
    made.rows["sessions"].append(visit)
    made.rows["page_views"] += views
    _after(made, chance, uuid, visit, views, moment)


def _after(
    made: World, chance: random.Random, uuid: Any, visit: dict[str, Any], views: list[dict[str, Any]], moment: int
) -> None:
    session, app, person, is_bot = (visit[name] for name in ("session_id", "app_id", "person_id", "is_bot"))
    whose = {"session_id": session, "app_id": app, "is_bot": is_bot, "unit": session}
    for _ in range(chance.randrange(3)):
        goal = chance.choice(GOALS)
        paid = goal == "buy" and chance.random() < 0.8
        made.rows["conversions"].append(
            {
                **whose, "event_id": uuid(), "goal": goal, "t": moment + chance.randrange(DAY // 2),
                    "person_id": person,
                "view_id": chance.choice(views)["view_id"] if views else "",
                "value": chance.choice((9.5, 20.25, 0.1)) if paid else None,
                "currency": chance.choice(("EUR", "EUR", "USD")) if paid else "",
            }
        )  # fmt: skip
    for view in views:
        if chance.random() < 0.5:
            made.rows["web_vitals"].append(
                {
                    **whose, "event_id": uuid(), "view_id": view["view_id"], "t": view["start_tstamp"] + 500,
                    "page_path": view["page_path"], "content_group": view["content_group"], "dvce_type": "Desktop",
                    "lcp": chance.choice((None, 1000.0, 2500.0, 4100.0)), "cls": chance.choice((0.0, 0.1, 0.3)),
                    "inp": chance.choice((None, 10.0, 300.0)), "fcp": 900.0, "ttfb": float(chance.randrange(2000)),
                }
            )  # fmt: skip
    for _ in range(chance.randrange(3)):
        _shop(made, chance, {**whose, "person_id": person}, uuid(), moment)
    for at in range(chance.randrange(3)):
        kind = chance.choice(("search", "link_click"))
        values = [chance.choice(("a", "B", "ä", "")) for _ in range(chance.randrange(3))]
        term = chance.choice(("shoes", "Hats", "", None))
        made.events.append(
            {
                "event_id": uuid(), "event_name": kind, "app_id": app, "session_id": session, "t": moment + at * 1000,
                ENTITY: list(dict.fromkeys(value for value in values if value)), "has_entity": bool(values),
                EVENT: [term] if kind == "search" and term else [],
            }
        )  # fmt: skip
        made.stored.append(_stored(made.events[-1], values, term))
    if chance.random() < 0.2:
        made.rows["app_errors"].append(
            {
                "event_id": uuid(), "t": moment, "app_id": app, "session_id": session, "person_id": person,
                "message": chance.choice(("boom", "null")), "is_fatal": chance.random() < 0.5, "page_path": "/",
                "unit": session,
            }
        )  # fmt: skip


def _shop(made: World, chance: random.Random, whose: dict[str, Any], event_id: str, at: int) -> None:
    action = chance.choice(("product_view", "add_to_cart", "transaction", "refund"))
    transaction = f"t{chance.randrange(8)}" if action in ("transaction", "refund") else ""
    earlier = any(
        row["transaction_id"] == transaction and row["app_id"] == whose["app_id"] and row["action"] == "transaction"
        for row in made.rows["ecommerce_actions"]
    )
    revenue = chance.choice((10.0, 99.99)) if transaction else None
    for index in range(1, chance.randrange(1, 3) + 1):
        made.rows["ecommerce_actions"].append(
            {
                **whose, "event_id": event_id, "product_index": index, "t": at, "action": action,
                "name": chance.choice(PRODUCTS), "brand": "Acme", "price": chance.choice((None, 5.0, 7.5)),
                "quantity": chance.choice((None, 2.0)), "currency": "EUR", "transaction_id": transaction,
                "revenue": -revenue if action == "refund" and revenue else revenue,
                "is_first_of_transaction": action == "transaction" and not earlier,
            }
        )  # fmt: skip


def _stored(event: dict[str, Any], values: list[str], term: str | None) -> EnrichedEvent:
    is_search = event["event_name"] == "search"
    return web_page_view(
        event_id=event["event_id"], app_id=event["app_id"], collector_tstamp=event["t"] + 20,
        derived_tstamp=event["t"], domain_sessionid=event["session_id"],
        event="unstruct", event_name=event["event_name"],
        event_vendor="com.acme" if is_search else "com.snowplowanalytics.snowplow",
        contexts=[described("iglu:com.acme/cart/jsonschema/1-0-0", {"kind": value}) for value in values],
        derived_contexts=[],
        unstruct_event=described("iglu:com.acme/search/jsonschema/1-0-0", {"term": term}) if is_search else None,
    )  # fmt: skip

"""Sessions that only an entity names, screens, the shop's plug-in, vitals and errors, on every store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling.applications import Application
from snowgauge.modelling.modeller import Modeller
from snowgauge.modelling.tables import APP_ERRORS, ECOMMERCE_ACTIONS, PAGE_VIEWS, SESSIONS, WEB_VITALS
from snowgauge.store.base import StoreBatch
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import described
from snowgauge.testing.modelling import event

Stored = ClickHouseStore | PostgresStore
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
MOBILE = "iglu:com.snowplowanalytics.mobile"
SHOP = f"{SNOWPLOW}.ecommerce"
SESSION = "8f4c2b0a-0000-4000-8000-000000000001"
USER = "8f4c2b0a-0000-4000-8000-000000000002"


def _mobile(name: str, event_name: str, at: str, *entities: Any, **columns: Any) -> EnrichedEvent:
    session = described(
        f"{SNOWPLOW}/client_session/jsonschema/1-0-2",
        {"userId": USER, "sessionId": SESSION, "sessionIndex": 3, "previousSessionId": None,
         "storageMechanism": "SQLITE", "eventIndex": 1},
    )  # fmt: skip
    app = described(f"{MOBILE}/application/jsonschema/1-0-0", {"version": "2.1", "build": "7"})
    return event(name, event_name, at, platform="mob", contexts=[session, app, *entities], **columns)


def _events() -> list[EnrichedEvent]:
    screen = {"id": "8f4c2b0a-0000-4000-8000-00000000000a", "name": "Home"}
    seen = described(f"{MOBILE}/screen/jsonschema/1-0-0", {**screen, "type": None})
    summary = described(
        f"{MOBILE}/screen_summary/jsonschema/1-0-0",
        {"foreground_sec": 12.4, "background_sec": 5.2, "items_count": 10, "last_item_index": 4},
    )
    error = {
        "message": "x" * 300,
        "programmingLanguage": "SWIFT",
        "className": "Boom",
        "isFatal": True,
        "lineNumber": 7,
    }
    goods = [
        described(f"{SHOP}/product/jsonschema/1-0-0",
                  {"id": f"p{n}", "name": f"Good {n}", "category": "tools/snow/gauges", "price": 19.99,
                   "currency": "EUR"})
        for n in (1, 2)
    ]  # fmt: skip
    order = described(
        f"{SHOP}/transaction/jsonschema/1-0-0",
        {"transaction_id": "T1", "revenue": 39.98, "currency": "EUR", "payment_method": "card", "total_quantity": 2},
    )
    action = described(f"{SHOP}/snowplow_ecommerce_action/jsonschema/1-0-2", {"type": "transaction"})
    vitals = described(
        f"{SNOWPLOW}/web_vitals/jsonschema/1-0-0", {"lcp": 1200.5, "cls": 0.05, "navigationType": "reload"}
    )
    web: dict[str, Any] = {"domain_userid": "d1", "domain_sessionid": "s1", "view": "v1", "page_urlpath": "/thanks"}
    buy = event("w2", "snowplow_ecommerce_action", "2026-03-10 09:00:05", **web, unstruct_event=action)
    buy.contexts = [*buy.contexts, *goods, order]
    again = event("w4", "snowplow_ecommerce_action", "2026-03-11 09:00:05", domain_userid="d1", domain_sessionid="s2",
                  unstruct_event=action)  # fmt: skip
    again.contexts = [order]
    return [
        _mobile("m1", "screen_view", "2026-03-10 10:00:00", seen,
                unstruct_event=described(f"{MOBILE}/screen_view/jsonschema/1-0-0", screen)),
        _mobile("m2", "screen_end", "2026-03-10 10:00:20", seen, summary,
                unstruct_event=described(f"{MOBILE}/screen_end/jsonschema/1-0-0", {})),
        _mobile("m3", "application_error", "2026-03-10 10:00:25", seen,
                unstruct_event=described(f"{SNOWPLOW}/application_error/jsonschema/1-0-2", error)),
        event("w1", "page_view", "2026-03-10 09:00:00", **web),
        buy,
        event("w3", "web_vitals", "2026-03-10 09:00:09", **web, unstruct_event=vitals),
        again,
    ]  # fmt: skip


def test_what_entities_tell(stored: Stored) -> None:
    events = _events()
    stored.write(StoreBatch("b1", events[:2]))
    model = stored.modelling()
    modeller = Modeller(model, lambda: {"": Application()})
    modeller.run()
    stored.write(StoreBatch("b2", events[2:]))
    modeller.run()
    rows = {row["session_id"]: row for row in model.all_rows(SESSIONS)}
    mobile = rows[SESSION]
    shown = ("visitor_id", "session_index", "views", "events", "engaged_s", "app_errors", "entry_path", "platform")
    assert [mobile[name] for name in shown] == [USER, 3, 1, 3, 12, 1, "/Home", "mob"]
    (screen,) = [row for row in model.all_rows(PAGE_VIEWS) if row["view_type"] == "screen"]
    assert (screen["page_title"], screen["engaged_s"], screen["absolute_s"], screen["scroll_pct"]) == (
        "Home",
        12,
        18,
        50.0,
    )
    (error,) = model.all_rows(APP_ERRORS)
    assert (len(error["message"]), error["class"], error["line"], error["is_fatal"], error["app_version"]) == (
        200, "Boom", 7, True, "2.1",
    )  # fmt: skip
    (vital,) = model.all_rows(WEB_VITALS)
    assert (vital["view_id"], vital["lcp"], vital["inp"], vital["navigation_type"]) == ("v1", 1200.5, None, "reload")
    bought = sorted(model.all_rows(ECOMMERCE_ACTIONS), key=lambda row: (row["t"], row["product_index"]))
    assert [(row["product_id"], row["category_2"], row["is_first_of_transaction"]) for row in bought] == [
        ("p1", "snow", True), ("p2", "snow", False), ("", "", False),
    ]  # fmt: skip
    # the page was loaded again in another visit: the order counts once
    assert (rows["s1"]["revenue"], rows["s1"]["orders"], rows["s1"]["goals"]) == (Decimal("39.98"), 1, ["transaction"])
    assert (rows["s2"]["revenue"], rows["s2"]["conversions"]) == (Decimal(0), 0)

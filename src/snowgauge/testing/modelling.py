"""Events for modelled tables: the example that was worked out by hand, and events with nothing set but what is
asked."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.timestamps import parse_ms
from snowgauge.testing.events import described

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


def event_id(name: str) -> str:
    """The id of the event of this name."""
    return str(uuid5(NAMESPACE_OID, f"modelling-{name}"))


def event(name: str, event_name: str, at: str, **columns: Any) -> EnrichedEvent:
    """``at``: ``2026-03-10 10:00:00``; ``view``: the id of its web page; the rest are columns."""
    t = parse_ms(f"{at}.000" if "." not in at else at)
    view = columns.pop("view", "")
    page = described("iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0", {"id": view})
    values = {
        "event_id": event_id(name),
        "app_id": "shop",
        "platform": "web",
        "collector_tstamp": t,
        "derived_tstamp": t,
        "dvce_created_tstamp": t,
        "event_name": event_name,
        "event": event_name if event_name in ("page_view", "page_ping", "transaction") else "unstruct",
        "event_vendor": "com.snowplowanalytics.snowplow",
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        "v_tracker": "js-4.6.9",
        "v_collector": "test",
        "v_etl": "test",
        "useragent": BROWSER,
        "page_urlhost": "shop.example.com",
        "contexts": [page] if view else [],
    }
    return EnrichedEvent(**{**values, **columns})


def worked_example() -> list[EnrichedEvent]:
    """Twelve events, one of them sent twice: two visits of one person, an anonymous view, a bot, a pixel."""
    day = "2026-03-10"
    s1: dict[str, Any] = {"domain_userid": "d1", "domain_sessionid": "s1", "domain_sessionidx": 1}
    home: dict[str, Any] = {**s1, "view": "v1", "page_urlpath": "/", "doc_height": 2000, "br_viewheight": 800}
    product: dict[str, Any] = {
        **s1,
        "view": "v2",
        "page_urlpath": "/product/7",
        "doc_height": 3000,
        "br_viewheight": 800,
    }
    thanks: dict[str, Any] = {
        **s1, "view": "v3", "page_urlpath": "/thanks", "doc_height": 1000, "br_viewheight": 800, "user_id": "u7",
    }  # fmt: skip
    google: dict[str, Any] = {"refr_medium": "search", "refr_source": "Google", "refr_urlhost": "www.google.com"}
    inside: dict[str, Any] = {"refr_medium": "internal", "refr_urlhost": "shop.example.com"}
    news: dict[str, Any] = {"refr_medium": "unknown", "refr_urlhost": "news.example"}
    chat: dict[str, Any] = {"refr_medium": "chatbot", "refr_source": "ChatGPT", "refr_urlhost": "chatgpt.com"}
    paid: dict[str, Any] = {"mkt_medium": "cpc", "mkt_source": "google"}
    link = described(
        "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1", {"targetUrl": "https://a.example/"}
    )
    bare: dict[str, Any] = {"br_viewheight": 800}
    e05 = event("e05", "page_ping", f"{day} 10:00:45", **product, pp_yoffset_max=0)
    return [
        event("e01", "page_view", f"{day} 10:00:00", **home, **google, **paid),
        event("e02", "page_ping", f"{day} 10:00:05", **home, pp_yoffset_max=400),
        event("e03", "page_ping", f"{day} 10:00:15", **home, pp_yoffset_max=900),
        event("e04", "page_view", f"{day} 10:00:40", **product, **inside),
        e05,
        e05,
        event("e06", "link_click", f"{day} 10:01:10", **{**product, "doc_height": None}, unstruct_event=link),
        event("e07", "page_view", f"{day} 10:01:20", **thanks, **inside),
        event("e08", "transaction", f"{day} 10:01:21", **thanks, tr_orderid="o1", tr_total="49.90", tr_currency="EUR"),
        event(
            "e09", "page_view", "2026-03-11 09:00:00", domain_userid="d1", domain_sessionid="s2", domain_sessionidx=2,
            view="v4", page_urlpath="/blog/a", doc_height=1500, **bare, **news,
        ),
        event("e10", "page_view", f"{day} 10:02:00", view="v5", page_urlpath="/pricing", doc_height=1200, **bare),
        event(
            "e11", "page_view", f"{day} 10:03:00", domain_userid="d9", domain_sessionid="s9", domain_sessionidx=1,
            view="v9", page_urlpath="/", doc_height=2000, useragent=GOOGLEBOT, **bare,
        ),
        event(
            "e12", "page_view", f"{day} 11:00:00", domain_userid="d2", domain_sessionid="s3", domain_sessionidx=1,
            page_urlpath="/landing", **chat,
        ),
    ]  # fmt: skip


def late_ping() -> EnrichedEvent:
    """Of the second page of the example, stored two days later."""
    return event(
        "e13", "page_ping", "2026-03-10 10:00:55", domain_userid="d1", domain_sessionid="s1", domain_sessionidx=1,
        view="v2", page_urlpath="/product/7", doc_height=3000, br_viewheight=800, pp_yoffset_max=0,
    )  # fmt: skip

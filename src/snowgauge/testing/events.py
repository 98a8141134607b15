"""Makes enriched and failed events that look like real ones, the same for the same number."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent, Processor, bad_row_data
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

NOON = 1_714_564_800_000
"""2024-05-01T12:00:00Z."""


def described(uri: str, data: Any) -> SelfDescribing:
    """Self-describing data as it comes from a tracker, with its text."""
    try:
        literal = msgspec.json.encode(data).decode()
    except (UnicodeEncodeError, OverflowError):
        literal = None
    return SelfDescribing(SchemaKey.parse(uri), data, literal)


def web_page_view(number: int = 0, **columns: Any) -> EnrichedEvent:
    """A page view with three entities, one second after the one before it."""
    at = NOON + number * 1000
    name = f"snowgauge-event-{number}"
    user = str(uuid5(NAMESPACE_OID, f"user-{number % 50}"))
    values: dict[str, Any] = {
        "app_id": "shop",
        "platform": "web",
        "etl_tstamp": at + 400,
        "collector_tstamp": at,
        "dvce_created_tstamp": at - 120,
        "dvce_sent_tstamp": at - 20,
        "derived_tstamp": at - 100,
        "event": "page_view",
        "event_id": str(uuid5(NAMESPACE_OID, name)),
        "name_tracker": "sp1",
        "v_tracker": "js-4.6.9",
        "v_collector": "snowgauge-0.1.0",
        "v_etl": "snowgauge-0.1.0",
        "user_ipaddress": "203.0.113.9",
        "domain_userid": user,
        "domain_sessionidx": 1 + number % 7,
        "domain_sessionid": str(uuid5(NAMESPACE_OID, f"session-{number // 20}")),
        "network_userid": user,
        "page_url": f"https://shop.example.com/products/{number % 97}?ref=mail&n={number}",
        "page_title": f"Product {number % 97}",
        "page_referrer": "https://www.google.com/",
        "page_urlscheme": "https",
        "page_urlhost": "shop.example.com",
        "page_urlport": 443,
        "page_urlpath": f"/products/{number % 97}",
        "page_urlquery": f"ref=mail&n={number}",
        "refr_urlscheme": "https",
        "refr_urlhost": "www.google.com",
        "refr_urlport": 443,
        "refr_urlpath": "/",
        "refr_medium": "search",
        "refr_source": "Google",
        "useragent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
        "br_lang": "en-GB",
        "br_cookies": True,
        "br_colordepth": "24",
        "br_viewwidth": 1280,
        "br_viewheight": 720,
        "os_timezone": "Europe/Berlin",
        "dvce_screenwidth": 1920,
        "dvce_screenheight": 1080,
        "doc_charset": "UTF-8",
        "doc_width": 1265,
        "doc_height": 3200,
        "event_vendor": "com.snowplowanalytics.snowplow",
        "event_name": "page_view",
        "event_format": "jsonschema",
        "event_version": "1-0-0",
        "contexts": [
            described(
                "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
                {"id": str(uuid5(NAMESPACE_OID, f"page-{number}"))},
            ),
            described(
                "iglu:org.w3/PerformanceTiming/jsonschema/1-0-0",
                {"navigationStart": at - 900, "fetchStart": at - 880, "domComplete": at - 130},
            ),
        ],
        "derived_contexts": [
            described(
                "iglu:com.snowplowanalytics.snowplow/ua_parser_context/jsonschema/1-0-0",
                {"useragentFamily": "Chrome", "useragentMajor": "126", "osFamily": "Linux", "deviceFamily": "Other"},
            )
        ],
    }  # fmt: skip
    return EnrichedEvent(**{**values, **columns})


def schema_violation(number: int = 0, **columns: Any) -> FailedEvent:
    """A failed event with its bad row and its record."""
    at = NOON + number * 1000
    values: dict[str, Any] = {
        "id": str(uuid5(NAMESPACE_OID, f"snowgauge-failure-{number}")),
        "failure_type": "schema_violations",
        "failed_at": at + 500,
        "app_id": "shop",
        "platform": "web",
        "event_id": str(uuid5(NAMESPACE_OID, f"snowgauge-failed-event-{number}")),
        "tracker": "js-4.6.9",
        "collector_tstamp": at,
        "schema": "iglu:com.acme/cart/jsonschema/1-0-0",
        "message": "$.quantity: string found, integer expected",
        "record": bytes([0, 255, 10, number % 256]),
        "data": bad_row_data(
            Processor("snowgauge", "0.1.0"),
            {"messages": [{"schemaKey": "iglu:com.acme/cart/jsonschema/1-0-0"}]},
            {"raw": {"parameters": [{"name": "e", "value": "ue"}]}},
        ),
    }
    return FailedEvent(**{**values, **columns})

"""The view's columns, by Simple Snowplow's rules for entities and events, from events as trackers send them today."""

from __future__ import annotations

from typing import Any

import pytest

from snowgauge.store.base import StoreBatch
from snowgauge.store.clickhouse.layout import Features
from snowgauge.store.clickhouse.simple_snowplow.views import Views
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import SimpleSnowplowSchemas
from snowgauge.testing.events import NOON, described, web_page_view

SP, MOBILE = "com.snowplowanalytics.snowplow", "com.snowplowanalytics.mobile"
ID = "11111111-2222-4333-8444-555555555555"
ZERO = "00000000-0000-0000-0000-000000000000"


def entity(schema: str, data: Any, version: str = "1-0-0") -> Any:
    return described(f"iglu:{schema}/jsonschema/{version}", data)


def with_entity(schema: str, data: Any, version: str = "1-0-0", **columns: Any) -> dict[str, Any]:
    return {"contexts": [entity(schema, data, version)], "derived_contexts": [], **columns}


def unstruct(schema: str, data: Any, **columns: Any) -> dict[str, Any]:
    return {
        "event": "unstruct",
        "event_name": schema.partition("/")[2],
        "unstruct_event": entity(schema, data),
        **columns,
    }


CLIENT_SESSION = {
    "userId": ID, "sessionId": ID, "sessionIndex": 5, "eventIndex": 9, "previousSessionId": ID, "firstEventId": ID,
    "firstEventTimestamp": "2026-03-01T09:00:00.123Z", "storageMechanism": "SQLITE", "own": 1,
}  # fmt: skip
NO_IDS = {"domain_userid": None, "domain_sessionid": None, "domain_sessionidx": None}
MOBILE_CONTEXT = {"deviceManufacturer": "Apple", "deviceModel": "iPhone15,2", "osType": "ios", "osVersion": "17.4",
                  "carrier": "x"}  # fmt: skip

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (with_entity("com.acme/static_context", {"a": 1, "b": {"c": "d"}}), {"extra.a": "1", "extra.b.c": "d"}),
    (with_entity("org.w3/PerformanceTiming", {"fetchStart": 5}), {"extra.performance_timing.fetchStart": "5"}),
    (with_entity("org.ietf/http_client_hints", {"isMobile": True}),
     {"extra.client_hints.isMobile": "true", "device_is.mobile": "true", "device_is.pc": "false"}),
    (with_entity("org.ietf/http_client_hints", {"isMobile": False}, dvce_type=None),
     {"device_is.mobile": "false", "device_is.pc": "true"}),
    (with_entity("com.google.analytics/cookies", {"_ga": "x"}), {"extra.ga_cookies._ga": "x"}),
    (with_entity("com.google.ga4/cookies", {"_ga": "y"}), {"extra.ga_cookies._ga": "y"}),
    (with_entity(f"{SP}/web_page", {"id": ID}), {"view_id": ID}),
    (with_entity("dev.amp.snowplow/amp_id", {"ampClientId": "c", "domainUserid": ID}, **NO_IDS),
     {"amp.ampClientId": "c", "device_id": ID}),
    (with_entity("dev.amp.snowplow/amp_session", {"ampSessionId": 7}), {"amp.ampSessionId": "7"}),
    (with_entity("dev.snowplow.simple/page_data", {"id": "qwe"}, "1-0-0"), {"page_data.id": "qwe"}),
    (with_entity("dev.snowplow.simple/user_data", {"name": "John", "tags": ["a"]}, "2-1-0"),
     {"user_data.name": "John", "user_data.tags": "['a']"}),
    (with_entity("dev.snowplow.simple/screen_data", {"screen_name": "Home", "tab": 1}, page_url=None),
     {"page": "Home", "screen.tab": "1"}),
    (with_entity("dev.snowplow.simple/ad_data", {"slot": "top"}), {"event.unstructured.ad_data.slot": "top"}),
    (with_entity(f"{SP}/mobile_context", MOBILE_CONTEXT, "1-0-3"),
     {"device.brand": "Apple", "device.model": "iPhone15,2", "os.family": "ios", "os.version": "17.4",
      "device.extra.carrier": "x", "device_is.mobile": "true", "device_is.touch": "true", "device_is.pc": "false"}),
    (with_entity(f"{MOBILE}/application", {"version": "1.2", "build": "34"}),
     {"app_info.version": "1.2", "app_info.build": "34"}),
    (with_entity(f"{SP}/client_session", CLIENT_SESSION, "1-0-2", **NO_IDS),
     {"visit_count": "5", "session_id": ID, "device_id": ID, "session.event_index": "9",
      "session.previous_session_id": ID, "session.first_event_id": ID, "session.storage_mechanism": "SQLITE",
      "session.first_event_time": "2026-03-01 09:00:00.123", "session.unstructured.own": "1"}),
    (with_entity(f"{MOBILE}/screen", {"name": "Basket", "id": ID, "type": "modal"}, page_url=None),
     {"page": "Basket", "view_id": ID, "screen.type": "modal"}),
    (with_entity(f"{SP}/browser_context", {"resolution": "1x2", "viewport": "3x4", "documentSize": "5x6", "tabId": "t"},
                 "2-0-0", dvce_screenwidth=None, br_viewwidth=None, doc_width=None),
     {"resolution.browser": "1x2", "resolution.viewport": "3x4", "resolution.page": "5x6", "browser.extra.tabId": "t"}),
    (with_entity(f"{SP}/geolocation_context", {"latitude": 52.5}, "1-1-0"), {"geolocation.latitude": "52.5"}),
    (with_entity(f"{MOBILE}/screen_summary", {"foreground_sec": 3}),
     {"event.unstructured.screen_summary.foreground_sec": "3"}),
    (with_entity(f"{MOBILE}/application_lifecycle", {"isVisible": True}),
     {"event.unstructured.app_lifecycle.isVisible": "true"}),
    (with_entity("com.android.installreferrer.api/referrer_details", {"installReferrer": "r"}),
     {"event.unstructured.install_referrer.installReferrer": "r"}),
    (with_entity("org.w3/PerformanceNavigationTiming", {"duration": 8}),
     {"event.unstructured.performance_navigation_timing.duration": "8"}),
    # events
    (unstruct(f"{SP}/link_click", {"targetUrl": "https://x.example/"}),
     {"event_type": "unstruct", "event_code": "ue", "event.unstructured.link_click.targetUrl": "https://x.example/"}),
    (unstruct("dev.snowplow.simple/u2s_data",
              {"action": "play", "category": "video", "label": "l", "property": {"q": 1}, "value": 2.5}),
     {"event_type": "struct", "event_code": "se", "event.action": "play", "event.category": "video",
      "event.label": "l", "event.value": "2.5"}),
    (unstruct("dev.snowplow.simple/u2s_data", {"se_action": "play", "se_property": "hd", "se_value": "3"}),
     {"event_type": "struct", "event.action": "play", "event.property.`ex-property`": "hd", "event.value": "3"}),
    (unstruct(f"{MOBILE}/screen_view", {"name": "Home", "id": ID, "previousName": "Start", "type": "t"},
              page_url=None, page_referrer=None, contexts=[]),
     {"event_type": "page_view", "event_code": "pv", "page": "Home", "view_id": ID, "referer": "Start", "refr": "Start",
      "screen.type": "t"}),
    (unstruct(f"{MOBILE}/screen_view", {"name": "Home", "id": ID, "previousName": "Unknown"}), {"referer": ""}),
    (unstruct("dev.amp.snowplow/amp_page_ping", {"scrollTop": 1}), {"event_type": "page_ping", "event_code": "pp"}),
    ({"event": "page_ping", "event_name": "page_ping", "pp_xoffset_max": 3, "pp_yoffset_max": 400},
     {"event.unstructured.page_ping.max_y": "400", "event.unstructured.page_ping.min_x": "0"}),
    ({"event": "struct", "se_property": '{"q": "v"}'}, {"event.property.q": "v"}),
    ({"event": "struct", "se_property": "plain", "se_value": "1.5"},
     {"event.property.`ex-property`": "plain", "event.value": "1.5"}),
    ({"page_url": "https://a.example/?sp_amp_linker=1*abc*k*QUJD"}, {"amp.device_id": "ABC"}),
    # columns
    ({"app_id": "undefined"}, {"app_id": "other"}),
    ({"platform": "headset"}, {"platform": "app"}),
    ({"user_ipaddress": "2001:db8::1"}, {"user_ip": "0.0.0.0", "user_ip_text": "2001:db8::1"}),
    ({"domain_userid": "hashed"}, {"device_id": ZERO, "device_id_text": "hashed"}),
    ({"page_url": "https://x.example/caf%C3%A9", "page_referrer": "https://y.example/%41"},
     {"page": "https://x.example/café", "refr": "https://y.example/A"}),
    ({"dvce_created_tstamp": None, "collector_tstamp": NOON}, {"time": "2024-05-01 12:00:00.000"}),
    ({"platform": "mob", "name_tracker": "app1"}, {"app": "app1"}),
    # what enrichments know of the user agent
    ({"derived_contexts": [entity(f"{SP}/ua_parser_context", {
        "useragentFamily": "Firefox", "useragentMajor": "128", "useragentMinor": "0", "useragentPatch": "1",
        "osFamily": "Linux", "osMajor": "6", "deviceFamily": "Other"})]},
     {"browser.family": "Firefox", "browser.version": "128.0.1", "os.family": "Linux", "os.version": "6",
      "device.model": "Other"}),
    ({"derived_contexts": [entity("nl.basjes/yauaa_context", {
        "deviceClass": "Tablet", "deviceBrand": "Samsung", "deviceName": "Tab S9", "agentName": "Chrome",
        "agentVersion": "126", "operatingSystemName": "Android", "operatingSystemVersion": "14"}, "1-0-4")]},
     {"browser.family": "Chrome", "browser.version": "126", "os.family": "Android", "os.version": "14",
      "device.brand": "Samsung", "device.model": "Tab S9", "device_is.tablet": "true", "device_is.touch": "true",
      "device_is.pc": "false"}),
    ({"derived_contexts": [entity("com.iab.snowplow/spiders_and_robots", {"spiderOrRobot": True})]},
     {"device_is.bot": "true"}),
    ({"contexts": [], "derived_contexts": [], "br_family": "Opera", "br_version": "1", "os_family": "Mac",
      "dvce_type": "Computer"},
     {"browser.family": "Opera", "os.family": "Mac", "device_is.pc": "true", "device_is.bot": "false", "view_id": ZERO,
      "page_data": "{}", "extra": "{}", "user_data": "{}", "amp": "{}", "screen": "{}", "event.unstructured": "{}"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> list[tuple[Any, dict[str, Any]]]:
    return [(web_page_view(number, **columns), expected) for number, (columns, expected) in enumerate(CASES)]


def test_every_rule_of_simple_snowplow(store: ClickHouseStore, cases: list[tuple[Any, dict[str, Any]]]) -> None:
    store.write(StoreBatch("b", [event for event, _ in cases]))
    view = f"{store.layout.settings.views_database}.local"
    for event, expected in cases:
        shown = ", ".join(f"toString({column})" for column in expected)
        rows = store.query(f"SELECT {shown} FROM {view} WHERE event_id = '{event.event_id}'").rows
        assert dict(zip(expected, rows[0], strict=True)) == expected, event


def test_without_the_json_type_the_columns_are_its_text(
    store: ClickHouseStore, cases: list[tuple[Any, dict[str, Any]]]
) -> None:
    store.write(StoreBatch("b", [event for event, _ in cases]))
    Views(SimpleSnowplowSchemas(), Features("22.11", "")).refresh(store.connection, store.layout)
    view = f"{store.layout.settings.views_database}.local"
    texts = store.query(
        f"SELECT JSONExtractString(page_data, 'id'), toTypeName(page_data) FROM {view} WHERE page_data != '{{}}'"
    )
    assert texts.rows == [["qwe", "String"]]
    columns = "extra, amp, screen, user_data, event.unstructured, event.property, session.unstructured, device.extra"
    for row in store.query(f"SELECT {columns} FROM {view}").rows:
        assert store.query("SELECT arrayAll(x -> isValidJSON(x), {t:Array(String)})", {"t": row}).rows == [[True]], row


def test_another_schema_makes_the_view_anew(store: ClickHouseStore) -> None:
    store.write(StoreBatch("b", [web_page_view(1, contexts=[entity("com.acme/page", {"id": "mine"})])]))
    view = f"{store.layout.settings.views_database}.local"
    assert store.query(f"SELECT toString(page_data) FROM {view}").rows == [["{}"]]
    chosen = Views(SimpleSnowplowSchemas(page_data="com.acme/page"), store.features)
    for _ in range(2):
        chosen.refresh(store.connection, store.layout)
        assert store.query(f"SELECT toString(page_data.id) FROM {view}").rows == [["mine"]]
    store.connection.command(f"DROP VIEW {view}")
    store.migrate()
    assert store.query(f"SELECT count() FROM {view}").rows == [[1]]


HOSTILE = [
    "{",
    '{"a":',
    "[1,2]",
    '"text"',
    "null",
    '{"a":1,"a":2}',
    '{"":{"":[]}}',
    "{" + '"x":{' * 50,
    "é'\\\n",
    "%zz%",
]


def test_hostile_texts_make_no_query_fail(store: ClickHouseStore) -> None:
    events = [
        web_page_view(number, event="struct", se_property=text, page_url=text, page_referrer=text, domain_userid=text,
                      user_ipaddress=text, platform=text, useragent=text)
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    events += [
        web_page_view(100 + number, contexts=[entity(f"{SP}/{name}", data)], derived_contexts=[])
        for number, (name, data) in enumerate(
            (name, data)
            for name in ("client_session", "browser_context", "mobile_context", "web_page")
            for data in ({"sessionIndex": -5, "eventIndex": "x", "firstEventTimestamp": "never"}, {"id": 7}, [], {})
        )
    ]
    store.write(StoreBatch("b", events))
    view = f"{store.layout.settings.views_database}.local"
    assert len(store.query(f"SELECT * FROM {view}").rows) == len(events)
    count = f"SELECT count() FROM (SELECT toString(event.property) AS p, toString(extra) FROM {view} ORDER BY p)"
    for mode in (1, 2):
        assert store.connection.rows(count, settings={"readonly": mode}) == [[len(events)]], "read-only users may ask"

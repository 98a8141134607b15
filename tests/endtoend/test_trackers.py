"""Snowplow's own trackers against a running Snowgauge: every event arrives once, with the right columns."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest
import requests
from snowplow_analytics_sdk import event_transformer
from snowplow_tracker import (
    Emitter,
    PageView,
    SelfDescribing,
    SelfDescribingJson,
    StructuredEvent,
    Subject,
    Tracker,
)

from snowgauge.testing.deployment import free_port, wait_until

pytestmark = pytest.mark.e2e

APPLICATION = "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0"
TIMING = "iglu:com.snowplowanalytics.snowplow/timing/jsonschema/1-0-0"


def entities(row, name):
    """Data of a row's entities of one name."""
    contexts = json.loads(row["contexts"])["data"] if row["contexts"] else []
    return [item["data"] for item in contexts if f"/{name}/" in item["schema"]]


def self_describing(row):
    return json.loads(row["unstruct_event"])["data"]


def send_with_python(port, method, app_id, base64=True):
    """One of each event; returns how many."""
    with requests.Session() as session:
        refused = []
        emitter = Emitter(
            "127.0.0.1",
            protocol="http",
            port=port,
            method=method,
            batch_size=3 if method == "post" else 1,
            on_failure=lambda count, events: refused.append(events),
            session=session,
        )
        subject = Subject().set_user_id("näme").set_lang("de").set_ip_address("10.1.2.3")
        tracker = Tracker(namespace="py", emitters=emitter, app_id=app_id, subject=subject, encode_base64=base64)
        entity = SelfDescribingJson(APPLICATION, {"version": "3.1"})
        tracker.track(PageView(page_url="http://shop.example/a?x=1#f", page_title="Tüte", context=[entity]))
        tracker.track(StructuredEvent(category="c", action="a", label="l", property_="p", value=2.25, context=[entity]))
        data = {"category": "c", "variable": "v", "timing": 12}
        tracker.track(SelfDescribing(SelfDescribingJson(TIMING, data), context=[entity]))
        tracker.flush()
    assert refused == []
    return 3


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("base64", [True, False])
def test_the_python_tracker(deployment, method, base64):
    app_id = f"python-{method}-{base64}"
    count = send_with_python(deployment.port, method, app_id, base64)
    rows = deployment.events(app_id, count)
    by_name = {row["event_name"]: row for row in rows}
    assert len(rows) == count
    assert by_name.keys() == {"page_view", "event", "timing"}
    for row in rows:
        assert row["user_id"] == "näme"
        assert row["user_ipaddress"].startswith("10.1.2.")  # the last part is masked unless that is switched off
        assert row["br_lang"] == "de"
        assert row["name_tracker"] == "py"
        assert row["v_tracker"].startswith("py-")
        assert row["network_userid"]
        assert entities(row, "application") == [{"version": "3.1"}]
    view = by_name["page_view"]
    assert (view["page_url"], view["page_title"]) == ("http://shop.example/a?x=1#f", "Tüte")
    assert (view["page_urlhost"], view["page_urlpath"], view["page_urlquery"]) == ("shop.example", "/a", "x=1")
    struct = by_name["event"]
    assert (struct["se_category"], struct["se_action"], struct["se_label"], struct["se_property"]) == (
        "c",
        "a",
        "l",
        "p",
    )
    assert struct["se_value"] == 2.25
    assert self_describing(by_name["timing"]) == {
        "schema": TIMING,
        "data": {"category": "c", "variable": "v", "timing": 12},
    }


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_node_tracker(deployment, js, method):
    done = subprocess.run(
        ["node", "node_client.mjs", deployment.url, method], cwd=js, capture_output=True, text=True, check=True
    )
    sent = json.loads(done.stdout)
    rows = deployment.events(f"node-{method}", len(sent))
    assert sorted(row["event_id"] for row in rows) == sorted(sent)
    by_name = {row["event_name"]: row for row in rows}
    assert by_name.keys() == {"page_view", "event", "timing"}
    for row in rows:
        assert (row["platform"], row["user_id"]) == ("srv", "näme")
        assert entities(row, "application") == [{"version": "7"}]
    assert by_name["page_view"]["page_urlfragment"] == "f"
    assert by_name["event"]["se_value"] == 3
    assert self_describing(by_name["timing"])["data"]["timing"] == 9


@pytest.mark.browser
def test_the_browser_tracker(deployment, page, chromium):
    context = chromium.new_context(locale="de-DE", viewport={"width": 800, "height": 600})
    tab = context.new_page()
    problems = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.goto(f"{page}?collector={deployment.url}&utm_source=quelle&utm_campaign=k")
    tab.click("#link")
    tab.fill("#name", "wert")
    tab.click("#send")
    tab.evaluate("test.events()")
    for step in range(30):  # pings come only when somebody moves
        tab.mouse.move(10 + step, 20)
        tab.mouse.wheel(0, 20)
        time.sleep(0.1)
    tab.evaluate("test.quiet()")
    acknowledged = lambda: tab.evaluate("test.acknowledged")  # noqa: E731
    wait_until(lambda: len(acknowledged()) >= 18, "the tracker has sent everything", within=180)
    time.sleep(0.5)
    sent = acknowledged()
    cookies = {cookie["name"]: cookie for cookie in context.cookies(deployment.url)}
    context.close()
    assert problems == []
    assert len(sent) == len(set(sent))

    where = "app_id LIKE 'browser%'"
    wait_until(lambda: deployment.stored(where)[0] >= len(sent), "the browser's events are stored")
    rows = deployment.sql(f"SELECT * FROM atomic.events WHERE {where} ORDER BY dvce_created_tstamp")
    assert sorted(row["event_id"] for row in rows) == sorted(sent)

    main = [row for row in rows if row["app_id"] == "browser"]
    counts = {}
    for row in main:
        counts[row["event_name"]] = counts.get(row["event_name"], 0) + 1
    pings = counts.pop("page_ping")
    assert pings >= 1
    assert counts == {
        "page_view": 1,
        "link_click": 1,
        "focus_form": 1,
        "change_form": 1,
        "submit_form": 1,
        "event": 1,
        "timing": 1,
        "snowplow_ecommerce_action": 3,
    }
    view = next(row for row in main if row["event_name"] == "page_view")
    view_id = entities(view, "web_page")[0]["id"]
    session = view["domain_sessionid"]
    nuid = cookies["sp"]["value"]
    for row in main:
        assert row["platform"] == "web"
        assert row["br_lang"] == "de-DE"
        assert (row["mkt_source"], row["mkt_campaign"]) == ("quelle", "k")
        assert (row["br_viewwidth"], row["br_viewheight"]) == (800, 600)
        assert "HeadlessChrome" in row["useragent"]
        assert row["domain_sessionid"] == session
        assert entities(row, "web_page")[0]["id"] == view_id
        assert len(entities(row, "client_session")) == len(entities(row, "browser_context")) == 1
        assert entities(row, "application") == [{"version": "1.2.3"}]
    assert view["page_title"] == "Prüfseite"
    assert main[-1]["network_userid"] == nuid
    ping = next(row for row in main if row["event_name"] == "page_ping")
    assert ping["pp_yoffset_max"] > 0
    link = next(row for row in main if row["event_name"] == "link_click")
    assert self_describing(link)["data"]["elementId"] == "link"
    change = next(row for row in main if row["event_name"] == "change_form")
    assert self_describing(change)["data"]["value"] == "wert"
    timing = next(row for row in main if row["event_name"] == "timing")
    assert entities(timing, "geolocation_context") == [{"latitude": 1.5, "longitude": -2.5}]
    shop = [row for row in main if row["event_name"] == "snowplow_ecommerce_action"]
    kinds = {self_describing(row)["data"]["type"]: row for row in shop}
    assert kinds.keys() == {"product_view", "add_to_cart", "transaction"}
    for row in shop:
        (product,) = entities(row, "product")
        assert (product["id"], product["price"], product["currency"]) == ("P1", 2.5, "EUR")
        assert entities(row, "page") == [{"type": "product"}]
    assert entities(kinds["transaction"], "transaction")[0]["transaction_id"] == "T1"

    pixels = [row for row in rows if row["app_id"] == "browser-get"]
    assert sorted(row["event_name"] for row in pixels) == ["event", "page_view"]
    assert {row["se_label"] for row in pixels} == {"", "läbel"}

    anonymous = [row for row in rows if row["app_id"] == "browser-anonymous"]
    assert len(anonymous) == 2
    for row in anonymous:
        assert row["network_userid"] == "00000000-0000-0000-0000-000000000000"
        assert row["user_ipaddress"] == "unknown"
        assert not row["domain_userid"]
        assert not row["domain_sessionid"]


def test_enriched_tsv_is_read_by_snowplows_analytics_sdk(deployment):
    """Recorded payloads through ``eventlog show`` and ``enrich --format tsv``, with a worker that is not there."""
    port = free_port()
    collector = deployment.role("collector", "--port", str(port), folder="tsv")
    try:
        wait_until(lambda: deployment.answers(port), "the collector is up")
        count = send_with_python(port, "post", "sdk") + send_with_python(port, "get", "sdk")
        payloads = deployment.command("eventlog", "show", folder="tsv")
    finally:
        collector.send_signal(signal.SIGINT)
        collector.wait()
    lines = deployment.command("enrich", "-", "--format", "tsv", stdin=payloads, folder="tsv").decode().splitlines()
    events = [event_transformer.transform(line) for line in lines]
    assert len(events) == count
    assert {event["event_name"] for event in events} == {"page_view", "event", "timing"}
    for event in events:
        assert event["app_id"] == "sdk"
        assert event["user_id"] == "näme"
        assert event["contexts_com_snowplowanalytics_snowplow_application_1"] == [{"version": "3.1"}]
    timings = [event for event in events if event["event_name"] == "timing"]
    for event in timings:
        assert event["unstruct_event_com_snowplowanalytics_snowplow_timing_1"]["timing"] == 12

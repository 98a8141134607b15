"""Each page's main task, as a person does it."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from snowgauge.console.site import Console
from snowgauge.events import payload_record
from snowgauge.events.payload import CollectorPayload
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.events import web_page_view
from snowgauge.testing.issuer import Provider
from snowgauge.testing.web import serving

CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"
pytestmark = pytest.mark.browser
Findings = Callable[[Page], list[str]]


def test_first_run_turns_live_with_the_first_event(page: Page, port: PrivatePort) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Send your first event")).to_be_visible()
    expect(page.get_by_label("JavaScript snippet")).to_contain_text("http://127.0.0.1:1")
    page.get_by_role("tab", name="Python").click()
    expect(page.get_by_label("Python snippet")).to_contain_text("snowplow_tracker")
    page.get_by_label("App id").fill("tea-shop")
    expect(page.get_by_label("Python snippet")).to_contain_text("tea-shop")
    port.store.write(StoreBatch("first", [web_page_view(1, collector_tstamp=1_000)]))
    expect(page.get_by_role("heading", name="Your events are arriving")).to_be_visible()
    assert "snippet=python" in page.url


def test_live_filters_by_value_and_says_so_in_the_url(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live")
    rows = page.locator("tbody tr[data-kind]")
    expect(rows.first).to_be_visible()
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("Find a column").fill("app_id")
    page.get_by_role("dialog").get_by_role("button", name="app_id").click()
    page.get_by_label("blog").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("app_id is blog")).to_be_visible()
    expect(page).to_have_url(re.compile(r"where=app_id:blog"))
    expect(page.get_by_text("14 events, that is all of them")).to_be_attached()
    page.reload()
    expect(page.get_by_text("app_id is blog")).to_be_visible()
    page.get_by_label("Remove filter app_id").click()
    expect(page).not_to_have_url(re.compile("where="))


def test_live_shows_new_events_until_paused(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live?cols=page_title")
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()
    now = time.time_ns() // 1_000_000
    seeded.store.write(StoreBatch("n1", [web_page_view(901, collector_tstamp=now, page_title="Brand new")]))
    expect(page.get_by_role("cell", name="Brand new")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    seeded.store.write(StoreBatch("n2", [web_page_view(902, collector_tstamp=now + 1, page_title="Not yet")]))
    page.wait_for_timeout(2_500)
    expect(page.get_by_role("cell", name="Not yet")).to_have_count(0)
    page.keyboard.press("p")
    expect(page.get_by_role("cell", name="Not yet")).to_be_visible()


def test_live_opens_an_event_beside_the_table(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live?status=good")
    page.locator("tbody tr[data-kind]").nth(4).click()
    panel = page.get_by_role("complementary", name="Event")
    expect(panel).to_contain_text("web_page")
    panel.get_by_role("button", name="JSON", exact=True).click()
    expect(panel).to_contain_text("derived_contexts")
    panel.get_by_role("button", name="Columns").click()
    panel.get_by_role("button", name="shop", exact=True).first.click()
    expect(page).to_have_url(re.compile("where=app_id:"))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_live_columns_are_picked_and_pinned(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live")
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()
    page.get_by_role("button", name="Columns", exact=True).click()
    page.get_by_label("Find a column").fill("br_lang")
    page.get_by_label("br_lang").check()
    page.get_by_label("Close panel").click()
    expect(page.get_by_role("cell", name="en-GB").first).to_be_visible()
    page.get_by_role("button", name="br_lang", exact=True).click()
    page.get_by_role("menuitem", name="Pin to the left").click()
    expect(page).to_have_url(re.compile("pins=br_lang"))


def test_live_shows_properties_of_entities_as_columns(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live?status=good")
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()
    page.keyboard.press("c")
    page.get_by_role("button", name="Entities", exact=True).click()
    page.get_by_label("Find a column").fill("deviceclass")
    expect(page.get_by_text("No such column")).to_be_visible()
    page.get_by_label("Find a column").fill("domcompl")
    page.get_by_label("domComplete").check()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("cols=.*contexts/org.w3/PerformanceTiming/1/domComplete"))
    page.get_by_role("button", name="Filter PerformanceTiming.domComplete").click()
    values = page.get_by_role("dialog").get_by_role("checkbox")
    values.first.check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text(re.compile("PerformanceTiming.domComplete is"))).to_be_visible()
    expect(page).to_have_url(re.compile("where=contexts/org.w3/PerformanceTiming/1/domComplete:"))
    rows = page.locator("tbody tr[data-kind]")
    shown = rows.count()
    assert 0 < shown <= 40
    rows.first.click()
    panel = page.get_by_role("complementary", name="Event")
    section = panel.get_by_role("region", name="web_page")
    section.get_by_role("button", name="Show id as a column").click()
    expect(page).to_have_url(re.compile("contexts/com.snowplowanalytics.snowplow/web_page/1/id"))
    section.get_by_role("button", name=re.compile("Only id =")).click()
    expect(page.get_by_text(re.compile("web_page.id is"))).to_be_visible()


def test_live_can_begin_with_the_oldest(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live?status=good&cols=page_title")
    expect(page.locator("tbody tr[data-kind]").first).to_contain_text("Product 0")
    page.get_by_role("button", name="Time", exact=True).click()
    expect(page.locator("tbody tr[data-kind]").first).to_contain_text("Product 39")
    expect(page).to_have_url(re.compile("order=oldest"))


def test_live_remembers_columns_but_not_those_of_a_link(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live?cols=page_title")
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()
    page.keyboard.press("c")
    page.get_by_label("Find a column").fill("br_lang")
    page.get_by_label("br_lang").check()
    page.goto("/live")
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()
    expect(page).not_to_have_url(re.compile("cols="))
    page.keyboard.press("c")
    page.get_by_label("Find a column").fill("br_lang")
    page.get_by_label("br_lang").check()
    expect(page).to_have_url(re.compile("cols=.*br_lang"))
    page.goto("/live")
    expect(page).to_have_url(re.compile("cols=.*br_lang"))


def test_a_bar_of_the_timeline_is_a_filter(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live")
    chart = page.get_by_role("img", name=re.compile("Last 30 minutes"))
    expect(chart).to_be_visible()
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()  # what is above it has its height then
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.985, box["y"] + 40)
    expect(page).to_have_url(re.compile("range=20"))
    page.mouse.click(box["x"] + box["width"] * 0.985, box["y"] + 40)
    expect(page).not_to_have_url(re.compile("range="))


def test_the_palette_goes_anywhere_by_keyboard(page: Page, seeded: PrivatePort) -> None:
    page.goto("/start")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("live")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/live"))
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(re.compile("/start"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_the_theme_is_kept(page: Page, seeded: PrivatePort) -> None:
    page.goto("/start")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    before = page.evaluate("document.documentElement.classList.contains('dark')")
    page.keyboard.press("t")
    page.reload()
    assert page.evaluate("document.documentElement.classList.contains('dark')") is not before


def failing(port: PrivatePort, schema: str = CLICK) -> str:
    """Three events of a schema that fail for one reason; the newest failure's id."""
    now = time.time_ns() // 1_000_000
    outcomes = []
    for n in range(3):
        data = {"schema": schema, "data": {"targetUrl": n}}
        ue = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": data}
        query = "e=ue&p=web&tv=js-4.6.9&aid=clicks&ue_pr=" + quote(json.dumps(ue))
        record = payload_record.encode(CollectorPayload(path="/i", querystring=query, timestamp=now - n * 1000))
        assert port.deployment.lend_enricher is not None
        with port.deployment.lend_enricher() as enricher:
            outcomes += enricher.process(record, f"seed-{n}")
    port.store.write(StoreBatch("failing", failed=[one.failure for one in outcomes]))
    return str(outcomes[0].failure.id)


def test_a_failure_is_found_by_its_cause_and_shown_beside_the_rule(page: Page, port: PrivatePort) -> None:
    failing(port)
    page.goto("/failed")
    page.get_by_role("button", name=re.compile("targetUrl is a whole number; link_click 1-0-1 expects text")).click()
    panel = page.get_by_role("complementary", name="Why they fail")
    expect(panel.get_by_text("event.data.targetUrl").first).to_be_visible()
    expect(panel.get_by_text('"string"').first).to_be_visible()
    expect(panel.get_by_text("$.targetUrl: integer found, string expected").first).to_be_visible()
    expect(panel.get_by_role("link", name=re.compile("Infer"))).to_have_count(0)  # a schema of Snowplow
    expect(page).to_have_url(re.compile("cause="))


def test_a_schema_drafted_from_failures_is_published(page: Page, port: PrivatePort) -> None:
    failing(port, "iglu:com.acme/click/jsonschema/1-0-0")
    page.goto("/failed")
    page.get_by_role("button", name=re.compile("No registry has the schema click 1-0-0")).click()
    page.get_by_role("link", name="Infer a schema").click()
    area = page.get_by_label("Schema as JSON")
    expect(area).to_have_value(re.compile("targetUrl"))
    page.get_by_role("button", name="Publish").click()
    panel = page.get_by_role("complementary", name="click 1-0-0")
    expect(panel.get_by_text("targetUrl")).to_be_visible()
    assert (port.deployment.data_dir / "schemas/com.acme/click/jsonschema/1-0-0").is_file()


def test_a_schema_with_errors_cannot_be_published(page: Page, port: PrivatePort) -> None:
    page.goto("/schemas?create=1")
    area = page.get_by_label("Schema as JSON")
    expect(area).to_have_value(re.compile("my_event"))
    area.fill('{"type": "object"}')
    expect(page.get_by_text("error", exact=True).first).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()


def test_schemas_are_found_read_and_compared(page: Page, seeded: PrivatePort) -> None:
    page.goto("/schemas")
    expect(page.get_by_role("button", name=re.compile("web_page"))).to_contain_text("40 events")
    page.get_by_label("Find a schema").fill("link_click")
    page.get_by_role("button", name=re.compile("link_click")).click()
    panel = page.get_by_role("complementary", name=re.compile("link_click"))
    expect(panel.get_by_text("targetUrl", exact=True)).to_be_visible()
    panel.get_by_role("button", name="Differences").click()
    expect(panel.get_by_text(re.compile("breaking|compatible|cosmetic|No difference")).first).to_be_visible()


def test_the_xray_shows_request_steps_and_place(page: Page, port: PrivatePort) -> None:
    wanted = failing(port)
    page.goto("/xray")
    page.get_by_label("Event id").fill(wanted)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kept as a failed event")).to_be_visible()
    expect(page.get_by_role("region", name="Tracker parameters")).to_contain_text("clicks")
    expect(page.get_by_role("region", name="Steps")).to_contain_text("tracker parameters")
    page.get_by_label("Event id").fill("0d6f32ea-6a0c-4c0a-8a62-000000000000")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("alert")).to_contain_text("no event 0d6f32ea")


def test_sql_says_why_a_query_is_refused(page: Page, port: PrivatePort) -> None:
    page.goto("/sql?q=SELECT%201")
    expect(page.get_by_label("SQL query")).to_contain_text("SELECT 1")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert").first).to_contain_text("the store in memory has no SQL")


def test_health_shows_parts_and_checks(page: Page, seeded: PrivatePort) -> None:
    page.goto("/state")
    expect(page.get_by_role("region", name="Event log")).to_contain_text("waiting")
    expect(page.get_by_text("There is room on the disk")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/start",
        "/live",
        "/live?open=good:first",
        "/failed",
        "/xray",
        "/sql",
        "/schemas",
        "/state",
        "/access",
        "/access?tab=keys",
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessibility_has_no_serious_findings(
    page: Page, seeded: PrivatePort, path: str, theme: str, serious_findings: Findings
) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    failing(seeded)
    if "first" in path:
        path = path.replace("first", str(web_page_view(0).event_id))
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_attached()
    assert not serious_findings(page)


def test_a_phone_shows_every_page_without_scrolling_sideways(page: Page, seeded: PrivatePort) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/start", "/live", "/failed", "/xray", "/sql", "/schemas", "/state", "/access", "/account"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (path, wide)


def test_a_login_through_an_identity_provider(browser: Browser, tmp_path: Path) -> None:
    """From the page that was wanted to the provider and back, twice: once turned away, once let in."""
    with serving() as web:
        provider = Provider(web)
        oidc = {
            "issuer": provider.url, "client_id": provider.client_id, "client_secret": provider.secret, "name": "Acme",
            "allow_private_hosts": True, "allowed_domains": ["acme.example"],
        }  # fmt: skip
        port = PrivatePort(tmp_path, site=Console(), oidc=oidc)
        with listening(port.app) as address:
            context = browser.new_context(base_url=address)
            tab = context.new_page()
            provider.overrides = {"email": "eve@elsewhere.example"}
            tab.goto("/schemas?find=link_click")
            tab.get_by_role("link", name="Log in with Acme").click()
            tab.get_by_role("link", name="Continue as Ada").click()
            expect(tab.get_by_role("alert")).to_contain_text("you may not use this console")
            expect(tab).not_to_have_url(re.compile("refused"))
            provider.overrides = {}
            tab.get_by_role("link", name="Log in with Acme").click()
            tab.get_by_role("link", name="Continue as Ada").click()
            expect(tab.get_by_role("heading", name="Schemas", level=1)).to_be_visible()
            expect(tab).to_have_url(f"{address}/schemas?find=link_click")
            context.close()
        port.close()


def test_the_numbers_of_a_schema_lead_to_its_events(page: Page, port: PrivatePort) -> None:
    failing(port)
    page.goto("/schemas")
    page.get_by_role("button", name=re.compile("link_click")).click()
    panel = page.get_by_role("complementary", name=re.compile("link_click"))
    panel.get_by_role("link", name="3 failed").click()
    expect(page).to_have_url(re.compile("/failed.*where=schema:iglu:com.snowplowanalytics.snowplow/link_click"))
    expect(page.get_by_role("button", name=re.compile("targetUrl: integer found"))).to_be_visible()


def test_the_number_of_an_entity_leads_to_the_events_that_have_it(page: Page, port: PrivatePort) -> None:
    now = time.time_ns() // 1_000_000
    having = [web_page_view(n, collector_tstamp=now - n) for n in range(3)]
    without = [web_page_view(n, collector_tstamp=now - n, contexts=[], derived_contexts=[]) for n in range(3, 5)]
    port.store.write(StoreBatch("entities", [*having, *without]))
    page.goto("/schemas?uri=iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0")
    page.get_by_role("link", name="3 events").click()
    expect(page).to_have_url(re.compile("/live.*where=contexts/com.snowplowanalytics.snowplow/web_page/1:"))
    expect(page.get_by_text("web_page is set")).to_be_visible()
    expect(page.locator("tbody tr[data-kind]")).to_have_count(3)
    page.get_by_label("Remove filter web_page").click()
    expect(page.locator("tbody tr[data-kind]")).to_have_count(5)
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("Find a column").fill("web_page")
    page.get_by_role("dialog").get_by_role("button", name="web_page entity", exact=True).click()
    page.get_by_label("1-0-0").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr[data-kind]")).to_have_count(3)


def test_what_live_shows_is_exported(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live?where=app_id:blog&cols=event_name,app_id")
    expect(page.get_by_role("region", name="Table of events").get_by_role("row")).to_have_count(15)
    expect(page.get_by_text(", all time")).to_be_visible()
    for name, lines in (("CSV", 15), ("JSON lines", 14)):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        rows = download.value.path().read_text().splitlines()
        assert len(rows) == lines
        assert rows[0].startswith("status,time,event_name,app_id" if name == "CSV" else "{")


def test_live_compares_and_keeps_views(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live")
    page.get_by_role("button", name="Add filter").click()
    finder = page.get_by_label("Find a column")
    finder.fill("doc_height")
    finder.press("Enter")
    page.get_by_label("Condition").select_option("between")
    page.get_by_label("From", exact=True).fill("1")
    page.get_by_label("To, not included").fill("20")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("where=doc_height:%3E%3D1~20"))
    expect(page.get_by_text("doc_height is from 1 to below 20")).to_be_visible()
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Save this view as").fill("Short pages")
    page.get_by_role("button", name="Save view").click()
    page.goto("/live")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Short pages", exact=True).click()
    expect(page.get_by_text("doc_height is from 1 to below 20")).to_be_visible()

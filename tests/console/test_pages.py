"""Each page's main task, as a person does it."""

import re

import pytest
from playwright.sync_api import Page, expect

from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import PrivatePort
from snowgauge.testing.events import web_page_view

pytestmark = pytest.mark.browser


def test_first_run_turns_live_with_the_first_event(page: Page, port: PrivatePort) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Send your first event")).to_be_visible()
    expect(page.get_by_label("JavaScript snippet")).to_contain_text("http://127.0.0.1:1")
    page.get_by_role("tab", name="Python").click()
    expect(page.get_by_label("Python snippet")).to_contain_text("snowplow_tracker")
    page.get_by_label("App id").fill("tea-shop")
    expect(page.get_by_label("Python snippet")).to_contain_text("tea-shop")
    port.store.write(StoreBatch("first", [web_page_view(1, collector_tstamp=1_000)]))
    expect(page.get_by_role("heading", name="Your events are arriving")).to_be_visible(timeout=10_000)
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
    import time

    page.goto("/live?cols=page_title")
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()
    now = time.time_ns() // 1_000_000
    seeded.store.write(StoreBatch("n1", [web_page_view(901, collector_tstamp=now, page_title="Brand new")]))
    expect(page.get_by_role("cell", name="Brand new")).to_be_visible(timeout=8_000)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    seeded.store.write(StoreBatch("n2", [web_page_view(902, collector_tstamp=now + 1, page_title="Not yet")]))
    page.wait_for_timeout(2_500)
    expect(page.get_by_role("cell", name="Not yet")).to_have_count(0)
    page.keyboard.press("p")
    expect(page.get_by_role("cell", name="Not yet")).to_be_visible(timeout=8_000)


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
    page.get_by_role("button", name="Columns", exact=True).click()
    page.get_by_label("Find a column").fill("br_lang")
    page.get_by_label("br_lang").check()
    page.get_by_label("Close panel").click()
    expect(page.get_by_role("cell", name="en-GB").first).to_be_visible()
    page.get_by_role("button", name="br_lang").click()
    page.get_by_role("menuitem", name="Pin to the left").click()
    expect(page).to_have_url(re.compile("pins=br_lang"))


def test_a_bar_of_the_timeline_is_a_filter(page: Page, seeded: PrivatePort) -> None:
    page.goto("/live")
    chart = page.get_by_role("img", name=re.compile("Last 30 minutes"))
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


def test_a_login_is_asked_for_once_somebody_is_registered(page: Page, seeded: PrivatePort) -> None:
    seeded.access.add_person("ada", "correct horse battery", "admin")
    page.goto("/live")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("name or password is wrong")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("tbody tr[data-kind]").first).to_be_visible()

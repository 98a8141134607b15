"""The page at /micro/ui, in a browser."""

from __future__ import annotations

import shutil
import urllib.request

import pytest

from snowgauge.testing.micro import Micro

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture(scope="module")
def micro():
    with Micro("--set", "iglu.iglu_central=false", "--set", "logging.level=ERROR") as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine, so the page cannot be looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def page(browser, micro):
    """The page with a valid event of the shop and a failed one of the blog; errors in it fail the test."""
    micro.reset()
    for query in ("e=pv&aid=shop&url=http%3A%2F%2Fa.com%2F", "e=pv&aid=blog&eid=bad"):
        urllib.request.urlopen(f"{micro.url}/i?{query}", timeout=30).close()
    opened = browser.new_page()
    errors = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{micro.url}/micro/ui")
    opened.wait_for_selector("#rows tr")
    yield opened
    opened.close()
    assert errors == []


def rows(page):
    return [row.inner_text().split("\t") for row in page.query_selector_all("#rows tr")]


def test_events_are_listed_newest_first(page) -> None:
    assert [(row[0], row[2], row[3]) for row in rows(page)] == [
        ("✗ 1 failure", "blog", "page_view"),
        ("✓ Valid", "shop", "page_view"),
    ]
    assert page.inner_text("#shown") == "Showing 1-2 of 2 events"


def test_filters_are_in_the_address_and_come_from_it(page, micro) -> None:
    page.fill("#filters th:nth-child(3) input", "shop")
    page.press("#filters th:nth-child(3) input", "Tab")
    page.wait_for_function("document.querySelectorAll('#rows tr').length === 1")
    assert rows(page)[0][2] == "shop"
    assert "app_id=shop" in page.url
    page.goto(f"{micro.url}/micro/ui?app_id=&status=failed&time=last30m")
    page.wait_for_selector("#rows tr")
    assert [row[2] for row in rows(page)] == ["blog"]
    page.click("#clear")
    page.wait_for_function("document.querySelectorAll('#rows tr').length === 2")


def test_an_event_and_its_failures_can_be_read(page) -> None:
    page.click("#rows tr:nth-child(2) td:nth-child(2)")
    assert '"page_urlhost": "a.com"' in page.inner_text("#content")
    page.press("body", "Escape")
    assert not page.is_visible("#panel")
    page.click("#rows td.failed")
    assert "Not a valid UUID" in page.inner_text("#content")


def test_columns_are_picked(page) -> None:
    page.click("#pick")
    page.fill("#content input:not([type=checkbox])", "page_urlhost")
    page.check("#content input[type=checkbox]")
    page.wait_for_function("document.querySelector('#names').innerText.includes('page_urlhost')")
    assert rows(page)[1][4] == "a.com"


def test_a_bar_of_the_chart_filters_by_its_time(page) -> None:
    assert page.locator("#minutes button").count() == 30
    page.locator('#minutes button:not([title*=": 0 valid, 0 failed"])').first.click()
    page.wait_for_function("location.search.includes('time=')")
    page.wait_for_selector("#clear", state="visible")


def test_everything_can_be_deleted(page, micro) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#wipe")
    page.wait_for_function("document.querySelectorAll('#rows tr').length === 0")
    assert micro.all()["total"] == 0
    assert page.inner_text("#shown") == "No events"

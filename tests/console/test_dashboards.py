"""What an analyst does with a result: keeps it, puts it on a dashboard, and shows that to someone by a link."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from snowgauge.console.site import Console
from snowgauge.modelling.applications import Application
from snowgauge.modelling.modeller import Modeller
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view

pytestmark = pytest.mark.browser
Findings = Callable[[Page], list[str]]
_DAY = 86_400_000


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePort]:
    """Forty views of four pages, two days ago."""
    folder = tmp_path_factory.mktemp("dashboards")
    engine = EngineProcess(folder / "engine", sync=False).start()
    settings = ClickHouseSettings()
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    at = time.time_ns() // 1_000_000 - 2 * _DAY
    views = [
        web_page_view(
            n, collector_tstamp=at + n, derived_tstamp=at + n, page_urlpath=f"/page-{n % 4}", app_id="shop",
            domain_sessionid=f"00000000-0000-4000-8000-{n % 10:012d}", domain_userid=f"visitor-{n % 10}",
        )
        for n in range(40)
    ]  # fmt: skip
    store.write(StoreBatch("views", views))
    modeller = Modeller(store.modelling(), lambda: {"": Application()})
    modeller.run()
    while modeller.rebuild_next():
        pass
    made = PrivatePort(folder, store=store, site=Console())
    yield made
    made.close()
    engine.stop()


@pytest.fixture(scope="module")
def address(port: PrivatePort) -> Iterator[str]:
    with listening(port.app) as url:
        yield url


def test_a_panel_is_kept_and_put_on_a_dashboard(page: Page, serious_findings: Findings) -> None:
    page.goto("/analytics")
    panel = page.get_by_role("region", name="Pages", exact=True)
    panel.get_by_role("button", name="More about pages").click()
    page.get_by_role("menuitem", name="Save report…").click()
    dialog = page.get_by_role("dialog", name="Save report")
    dialog.get_by_label("Name", exact=True).fill("Busiest pages")
    dialog.get_by_label("Put it on a dashboard").select_option(label="New dashboard…")
    dialog.get_by_label("Name of the dashboard").fill("Launch week")
    dialog.get_by_role("button", name="Save report").click()
    page.get_by_role("link", name="Open dashboard").click()
    expect(page.get_by_role("heading", name="Launch week")).to_be_visible()
    tile = page.get_by_role("region", name="Busiest pages")
    expect(tile.get_by_role("row", name="/page-1")).to_be_visible()
    assert serious_findings(page) == []
    # one period for all tiles, for oneself until it is saved
    page.get_by_role("button", name="Period: Last 28 days").click()
    page.get_by_role("button", name="Today D", exact=True).click()
    expect(tile.get_by_text("Nothing in this period")).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    expect(tile.get_by_role("row", name="/page-1")).to_be_visible()
    # moved with the keyboard
    page.get_by_role("button", name="Edit").click()
    handle = tile.get_by_role("button", name="Move Busiest pages")
    handle.press("ArrowRight")
    handle.press("Shift+ArrowDown")
    expect(page.get_by_text("column 2, row 1, 6 wide, 7 high")).to_be_attached()
    page.get_by_role("button", name="Add text").click()
    page.get_by_label("Text", exact=True).fill("# Notes\n\nSee [the blog](https://example.com) <b>now</b>")
    page.get_by_role("dialog").get_by_role("button", name="Add text").click()
    page.get_by_role("button", name="Save dashboard").click()
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Notes")).to_be_visible()
    expect(page.get_by_text("<b>now</b>")).to_be_visible()
    tile.get_by_role("button", name="More about Busiest pages").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download CSV").click()
    assert download.value.path().read_text().splitlines()[0] == "event:page,visitors,pageviews"


def test_a_dashboard_is_opened_by_a_link_without_a_login(
    page: Page, browser: Browser, address: str, serious_findings: Findings
) -> None:
    page.goto("/dashboards")
    page.get_by_role("button", name="New dashboard").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("For the board")
    page.get_by_role("dialog").get_by_role("button", name="Add dashboard").click()
    page.goto("/analytics")
    page.get_by_role("button", name="Save chart").click()
    dialog = page.get_by_role("dialog", name="Save report")
    dialog.get_by_label("Put it on a dashboard").select_option(label="For the board")
    dialog.get_by_role("button", name="Save report").click()
    page.get_by_role("link", name="Open dashboard").click()
    page.get_by_role("button", name="More about this dashboard").click()
    page.get_by_role("menuitem", name="Share by link…").click()
    dialog = page.get_by_role("dialog", name="Share links")
    dialog.get_by_label("Password (optional)").fill("correct horse")
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.get_by_role("region", name="New link").locator("code").inner_text()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    guest = context.new_page()
    guest.goto(address + link[link.index("/share/") :])
    guest.get_by_label("Password of this link").fill("correct horse")
    guest.get_by_role("button", name="Open link").click()
    expect(guest.get_by_role("heading", name="For the board")).to_be_visible()
    expect(guest.get_by_role("img", name="Visitors over time")).to_be_visible()
    expect(guest.get_by_role("button", name="Edit")).to_have_count(0)
    assert serious_findings(guest) == []
    context.close()


def test_a_saved_query_with_a_parameter_runs_by_its_link(page: Page, serious_findings: Findings) -> None:
    text = "SELECT page_urlpath, count() AS views FROM atomic.events WHERE app_id = {application:String} GROUP BY 1"
    page.goto(f"/sql?q={quote(text)}")
    page.get_by_role("textbox", name="application String").fill("shop")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="4 rows")).to_be_visible()
    page.get_by_role("button", name="Bars").click()
    expect(page.get_by_role("img", name="Chart of views")).to_be_visible()
    page.get_by_role("button", name="Save query").click()
    page.get_by_label("Name", exact=True).fill("Views of an application")
    page.get_by_role("dialog").get_by_role("button", name="Save report").click()
    page.get_by_role("button", name="Close", exact=True).last.click()
    page.goto("/sql")
    page.get_by_role("list", name="Saved queries").get_by_role("button", name="Views of an application").click()
    expect(page.get_by_role("img", name="Chart of views")).to_be_visible()
    expect(page.get_by_role("list", name="Queries asked before").get_by_role("button")).to_have_count(1)
    assert serious_findings(page) == []
    page.reload()
    expect(page.get_by_role("img", name="Chart of views")).to_be_visible()

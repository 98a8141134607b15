"""What a site's owner asks of the analytics page: Chromium over a real engine and the tables of the modeller."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import pytest
from playwright.sync_api import Browser, Page, expect

from snowgauge.actions.imports.daily.book import DailyImports
from snowgauge.console.site import Console
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling.applications import Application
from snowgauge.modelling.modeller import Modeller
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import PrivatePort
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view

pytestmark = pytest.mark.browser
Findings = Callable[[Page], list[str]]
_DAY = 86_400_000
HOSTILE = "/" + "x" * 9_000
RIGHT_TO_LEFT = "שלום <script>alert(1)</script>"
GOALS = {"goals": [{"name": "Order", "kind": "page", "pattern": "/thanks", "value": 25, "currency": "EUR"}]}


def _view(number: int, at: int, path: str, *, visit: int, **columns: object) -> EnrichedEvent:
    visitor = str(uuid5(NAMESPACE_OID, f"visitor-{visit}"))
    return web_page_view(
        number, collector_tstamp=at, derived_tstamp=at, dvce_created_tstamp=at, dvce_sent_tstamp=at, page_urlpath=path,
        page_url=f"https://shop.example.com{path}", page_urlquery="", domain_userid=visitor, network_userid=visitor,
        domain_sessionid=str(uuid5(NAMESPACE_OID, f"visit-{visit}")), domain_sessionidx=1, **columns,
    )  # fmt: skip


def events(now: int) -> list[EnrichedEvent]:
    """Of the last days: 12 visits to /, of which 9 came from Google, 3 with the campaign spring; each of these ordered.
    A year before: 6 visits. Two hostile page views. All of the application shop, but one of the blog."""
    found: list[EnrichedEvent] = []
    for visit in range(12):
        at = now - 2 * _DAY + visit * 60_000
        campaign = {"mkt_source": "newsletter", "mkt_medium": "email", "mkt_campaign": "spring"} if visit < 3 else {}
        paths = ["/", "/products/gauge", "/thanks"] if visit < 3 else ["/", "/blog"][: 1 + visit % 2]
        found += [
            _view(100 * visit + step, at + step * 15_000, path, visit=visit, geo_country="DE", **campaign)
            for step, path in enumerate(paths)
        ]
    found += [_view(5_000 + visit, now - 366 * _DAY, "/", visit=100 + visit) for visit in range(6)]
    found.append(_view(9_000, now - 2 * _DAY, HOSTILE, visit=900, page_title=RIGHT_TO_LEFT))
    found.append(_view(9_001, now - 2 * _DAY, "/", visit=901, app_id="blog"))
    return found


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePort]:
    folder = tmp_path_factory.mktemp("analytics")
    engine = EngineProcess(folder / "engine", sync=False).start()
    settings = ClickHouseSettings()
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    store.write(StoreBatch("visits", events(time.time_ns() // 1_000_000)))
    model(store)
    leave_behind(store, folder / "imported_visitors.csv")
    made = PrivatePort(folder, store=store, site=Console())
    yield made
    made.close()
    engine.stop()


def imported_day() -> str:
    return f"{datetime.now(UTC).date() - timedelta(days=100)}"


def leave_behind(store: ClickHouseStore, file: Path) -> None:
    """A day long ago, of which another product knows 1,234 visitors, most of them from Example Search."""
    day = imported_day()
    file.write_text(f"date,visitors,visits,pageviews,bounces,visit_duration\n{day},1234,1500,4500,300,90000\n")
    sources = file.with_name("imported_sources.csv")
    sources.write_text(f"date,source,visitors,visits\n{day},Example Search,1000,1200\n{day},Example News,234,300\n")
    DailyImports(store.modelling()).take("plausible", [file, sources], "shop", Application())


def model(store: ClickHouseStore) -> None:
    modeller = Modeller(store.modelling(), lambda: {"": Application.model_validate(GOALS)})
    modeller.run()
    while modeller.rebuild_next():
        pass


@pytest.fixture(autouse=True)
def patient(page: Page) -> None:
    """A page of a dozen questions takes its time where other tests keep the machine busy."""
    expect.set_options(timeout=90_000)
    page.set_default_timeout(90_000)


def figure(page: Page, name: str) -> str:
    """A figure on top, as it is written."""
    button = page.get_by_role("group", name="Figures of the period").get_by_role("button", name=re.compile(f"^{name}"))
    expect(button).to_be_visible()
    return button.inner_text()


def test_it_is_home_as_soon_as_there_are_page_views(page: Page) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/analytics"))
    expect(page.get_by_role("group", name="Figures of the period").get_by_text("Visitors")).to_be_visible()
    page.get_by_role("link", name="First run").click()
    expect(page).to_have_url(re.compile("/start"))


def test_which_pages_and_sources_were_popular_this_week(page: Page) -> None:
    page.goto("/analytics?app=shop")
    expect(page.get_by_role("group", name="Figures of the period")).to_be_visible()
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("period=7d"))
    pages = page.get_by_role("region", name="Pages").get_by_role("listitem")
    expect(pages.first).to_contain_text("/")
    expect(pages.first).to_contain_text("12")
    sources = page.get_by_role("region", name="Sources")
    sources.get_by_role("button", name="Sources", exact=True).click()
    expect(sources.get_by_role("listitem").first).to_contain_text("Google")
    sources.get_by_role("link", name=re.compile("newsletter")).click()
    expect(page.get_by_role("group", name="Filters")).to_contain_text("Source is newsletter")
    expect(pages.first).to_contain_text("3")
    page.reload()
    expect(page.get_by_role("group", name="Filters")).to_contain_text("Source is newsletter")
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("f="))


def test_compare_to_last_year(page: Page) -> None:
    page.goto("/analytics?app=shop&period=28d")
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Year over year").click()
    expect(page).to_have_url(re.compile("compare=year_over_year"))
    figures = page.get_by_role("group", name="Figures of the period")
    expect(figures.get_by_role("button", name=re.compile("^Visitors"))).to_contain_text("6 before")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show table").click()
    expect(
        page.get_by_role("group", name="Visitors as a table").get_by_role("columnheader", name="Before")
    ).to_be_visible()


def test_what_one_campaign_brought_in_revenue(page: Page) -> None:
    page.goto("/analytics?app=shop&period=7d")
    page.get_by_role("button", name="Filter", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add filter")
    dialog.get_by_label("Dimension").select_option("visit:utm_campaign")
    dialog.get_by_label("spring").check()
    dialog.get_by_role("button", name="Apply filter").click()
    expect(page.get_by_role("group", name="Filters")).to_contain_text("UTM campaign is spring")
    assert "75.00" in figure(page, "Revenue")
    goals = page.get_by_role("region", name="Goals")
    goals.scroll_into_view_if_needed()
    expect(goals.get_by_role("listitem").filter(has_text="Order")).to_contain_text("75.00")


def test_all_rows_are_searched_and_what_is_hostile_is_text(page: Page) -> None:
    page.goto("/analytics?app=shop&period=7d&tab=pages.title")
    page.get_by_role("button", name="More about pages").click()
    page.get_by_role("menuitem", name="Show all rows").click()
    dialog = page.get_by_role("dialog", name="Titles")
    dialog.get_by_label("Search titles").fill("שלום")
    expect(dialog.get_by_role("row").filter(has_text="<script>alert(1)</script>")).to_have_count(1)
    expect(dialog.get_by_role("status")).to_have_text("1–1 of 1")
    page.keyboard.press("Escape")
    page.goto("/analytics?app=shop&period=7d")
    expect(page.get_by_role("link", name=re.compile(r"^\/xxxx"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_applications_stand_side_by_side(page: Page) -> None:
    page.goto("/analytics?period=7d")
    page.get_by_role("region", name="Applications").get_by_role("link", name=re.compile("blog")).click()
    expect(page).to_have_url(re.compile("app=blog"))
    expect(page.get_by_role("combobox", name="Application")).to_have_value("blog")


def test_visits_lead_to_what_one_visitor_did(page: Page) -> None:
    page.goto("/analytics?app=shop&period=7d&f=is,visit:utm_campaign,spring")
    visits = page.get_by_role("region", name="Visits", exact=True)
    visits.scroll_into_view_if_needed()
    visits.get_by_role("row").nth(1).get_by_role("button").click()
    panel = page.get_by_role("complementary", name="Visitor")
    expect(panel).to_contain_text("/thanks")
    expect(panel).to_contain_text("Order")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/analytics?compare=previous_period", "/analytics?period=realtime", "/analytics?all=pages.page",
     "/analytics?app=shop&dialog=settings", "/analytics?app=shop&dialog=goals", "/analytics?app=shop&dialog=share"],
)  # fmt: skip
def test_accessibility_has_no_serious_findings(page: Page, theme: str, path: str, serious_findings: Findings) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(path)
    expect(page.get_by_role("heading", name="Analytics", level=1, include_hidden=True)).to_be_attached()
    if "dialog=" in path:
        expect(page.get_by_role("dialog").get_by_role("heading").first).to_be_visible()
    expect(page.locator(".animate-pulse")).to_have_count(0)
    assert not serious_findings(page)


def test_a_phone_shows_it_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/analytics?app=shop", "/analytics?period=realtime", "/analytics?all=pages.page"):
        page.goto(path)
        expect(page.locator(".animate-pulse")).to_have_count(0)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (path, wide)


def test_a_store_that_does_not_answer_is_said_once(page: Page) -> None:
    page.route(
        "**/api/v1/analytics/**", lambda route: route.fulfill(status=503, json={"detail": "The store does not answer."})
    )
    page.goto("/analytics")
    # while the page comes, a part of it may say so, too
    expect(page.get_by_role("alert").first).to_contain_text("The store does not answer.")
    expect(page.get_by_role("alert")).to_have_count(1)
    page.unroute("**/api/v1/analytics/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("group", name="Figures of the period").get_by_text("Visitors")).to_be_visible()


def test_a_link_shows_figures_to_someone_without_an_account(page: Page, browser: Browser, address: str) -> None:
    page.goto("/analytics?app=shop&period=7d&dialog=share")
    page.get_by_label("Name").fill("For the board")
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_role("region", name="New link").locator("code").inner_text()
    outside = browser.new_context(base_url=address).new_page()
    outside.goto(link)
    expect(outside.get_by_role("heading", name="For the board")).to_be_visible()
    expect(outside.get_by_role("group", name="Figures of the period").get_by_text("Visitors")).to_be_visible()
    expect(outside.get_by_role("region", name="Pages").get_by_role("listitem").first).to_contain_text("/")
    expect(outside.get_by_role("region", name="Visits", exact=True)).to_have_count(0)
    expect(outside.get_by_role("navigation")).to_have_count(0)
    outside.context.close()


def test_a_goal_is_made_and_its_history_kept(page: Page) -> None:
    page.goto("/analytics?app=shop&dialog=goals")
    dialog = page.get_by_role("dialog", name="Goals of shop")
    dialog.get_by_label("Name").fill("Saw a product")
    dialog.get_by_label("Pages, such as").fill("/products/**")
    dialog.get_by_role("button", name="Add goal").click()
    goals = dialog.get_by_role("list", name="Goals")
    expect(goals).to_contain_text("Saw a product")
    dialog.get_by_text("History").click()
    expect(dialog.get_by_role("list", name="History")).to_contain_text("Version 1")


def test_settings_of_an_application_are_edited(page: Page) -> None:
    page.goto("/analytics?app=journal-settings&dialog=settings")
    dialog = page.get_by_role("dialog", name="Settings of journal-settings")
    dialog.get_by_label("Time zone of days").fill("Europe/Berlin")
    dialog.get_by_label("Weeks begin on").select_option("sunday")
    dialog.get_by_label("Own hosts").fill("example.com\n")
    dialog.get_by_role("button", name="Add group").click()
    dialog.get_by_label("Name, 1").fill("Blog")
    dialog.get_by_label("Pages, such as /blog/*, 1").fill("/blog/*")
    dialog.get_by_role("button", name="Save settings").click()
    expect(dialog.get_by_role("status")).to_have_text("Saved. Figures are being made again.")
    page.reload()
    expect(dialog.get_by_label("Time zone of days")).to_have_value("Europe/Berlin")
    expect(dialog.get_by_label("Own hosts")).to_have_value("example.com")
    expect(dialog.get_by_label("Name, 1")).to_have_value("Blog")
    dialog.get_by_text("History").click()
    expect(dialog.get_by_role("list", name="History")).to_contain_text("content groups")
    dialog.get_by_label("Own networks").fill("nonsense")
    dialog.get_by_role("button", name="Save settings").click()
    expect(dialog.get_by_role("alert")).to_contain_text("'nonsense' is no address or network")


def test_a_note_lies_on_the_chart(page: Page) -> None:
    page.goto("/analytics?app=shop&period=7d&today=1")
    page.get_by_role("button", name="Note…").click()
    page.get_by_label("Note", exact=True).fill("Release 2.4")
    page.get_by_role("button", name="Add note").click()
    notes = page.get_by_role("list", name="Notes")
    expect(notes).to_contain_text("Release 2.4")
    page.get_by_role("button", name="Show table").click()
    expect(page.get_by_role("group", name="Visitors as a table")).to_contain_text("Release 2.4")
    notes.get_by_role("button", name="Remove note Release 2.4").click()
    expect(notes).to_have_count(0)


def test_everything_comes_as_one_file(page: Page) -> None:
    page.goto("/analytics?app=shop&period=7d&today=1")
    page.get_by_role("button", name="Options").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download all panels").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert download.value.suggested_filename == "shop.zip"
    assert {"sources-channel.csv", "pages-page.csv"} <= set(names), names


def test_filters_are_kept_under_a_name(page: Page) -> None:
    page.goto("/analytics?app=shop&period=7d&f=is,visit:utm_campaign,spring")
    page.get_by_role("button", name="Segments").click()
    page.get_by_label("Save these filters as").fill("Spring readers")
    page.get_by_role("button", name="Save segment").click()
    page.get_by_role("button", name="Spring readers", exact=True).click()
    page.get_by_label("Remove filter: UTM campaign is spring").click()
    expect(page.get_by_role("group", name="Filters")).to_have_text("Segment is Spring readers")
    expect(page.get_by_role("region", name="Pages").get_by_role("listitem").first).to_contain_text("3")


def test_days_of_another_product_stand_beside_ones_own_and_can_be_hidden(
    page: Page, serious_findings: Findings
) -> None:
    day = imported_day()
    page.goto(f"/analytics?app=shop&period={day}~{day}&interval=day")
    expect(page.get_by_text("1,234 imported").or_(page.get_by_text("1.2k imported"))).to_be_visible()
    assert figure(page, "Visitors").splitlines()[1] == "0"
    expect(page.get_by_text(re.compile("was imported from Plausible. Imported figures are hatched"))).to_be_visible()
    sources = page.get_by_role("region", name="Sources")
    sources.get_by_role("button", name="Sources", exact=True).click()
    rows = sources.get_by_role("listitem")
    expect(rows.first).to_contain_text("Example Search")
    expect(rows).to_have_count(2)
    expect(page.get_by_role("region", name="Pages").get_by_text("Nothing in this period")).to_be_visible()
    assert serious_findings(page) == []
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("group", name="Filters")).to_contain_text("Source is Example Search")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("menuitemcheckbox", name="Imported days").click()
    expect(page).to_have_url(re.compile("imports="))
    expect(rows).to_have_count(0)

"""What an analyst asks on Explore: Chromium over a real engine and the tables of the modeller."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from uuid import NAMESPACE_OID, uuid5

import pytest
from playwright.sync_api import Page, Route, expect

from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.places import store_places
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.console.site import Console
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.modelling.applications import Application
from snowgauge.modelling.modeller import Modeller
from snowgauge.pipeline.personal_places import CohortsPlace, ModelledPlace
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import PrivatePort
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import described, web_page_view

pytestmark = pytest.mark.browser
Findings = Callable[[Page], list[str]]
_DAY = 86_400_000
HOSTILE = "/x<script>alert(1)</script>"
GOALS = {"goals": [{"name": "Order", "kind": "page", "pattern": "/thanks", "value": 25, "currency": "EUR"}]}
FUNNEL = "/explore?report=funnel&app=shop&period=7d&e=page,/&e=page,/cart&e=page,/thanks"
REPORTS = {
    "trends": "/explore?app=shop&period=7d&e=page,&e=goal,&formula=B+/+A&by=visit:country&compare=previous_period",
    "funnel": f"{FUNNEL}&by=visit:country",
    "people": f"{FUNNEL}&people=1",
    "retention": "/explore?report=retention&app=shop&period=7d&interval=day",
    "lifecycle": "/explore?report=lifecycle&app=shop&period=7d&interval=day",
    "stickiness": "/explore?report=stickiness&app=shop&period=7d",
    "journeys": "/explore?report=journeys&app=shop&period=7d",
    "attribution": "/explore?report=attribution&app=shop&period=7d",
}


def _view(number: int, at: int, path: str, visit: int) -> EnrichedEvent:
    visitor = str(uuid5(NAMESPACE_OID, f"explorer-{visit}"))
    return web_page_view(
        number, collector_tstamp=at, derived_tstamp=at, dvce_created_tstamp=at, dvce_sent_tstamp=at, page_urlpath=path,
        page_url=f"https://shop.example.com{path}", page_urlquery="", domain_userid=visitor, network_userid=visitor,
        domain_sessionid=str(uuid5(NAMESPACE_OID, f"exploring-{visit}")), domain_sessionidx=1, app_id="shop",
        geo_country="DE" if visit % 2 else "FR",
    )  # fmt: skip


def events(now: int) -> list[EnrichedEvent]:
    """Ten visits of two days ago: all saw /, six of them /cart, two of these /thanks; the four others read the help."""
    found = []
    for visit in range(10):
        at = now - 2 * _DAY + visit * 60_000
        paths = ["/", "/cart", "/thanks"] if visit < 2 else ["/", "/cart"] if visit < 6 else ["/", "/help"]
        found += [
            _view(50_000 + 100 * visit + step, at + step * 20_000, path, visit) for step, path in enumerate(paths)
        ]
    found.append(_view(59_000, now - 2 * _DAY, HOSTILE, 90))
    return found + released(now)


def released(now: int) -> list[EnrichedEvent]:
    """Forty events of an application's former release, and forty of the new one, which has no coupon any more."""
    found = []
    for number in range(80):
        at = now - (3 * _DAY if number < 40 else 3_600_000) + number * 1_000
        data = {"total": number, **({"coupon": "SPRING"} if number < 40 else {})}
        found.append(
            web_page_view(
                70_000 + number, collector_tstamp=at, derived_tstamp=at, dvce_created_tstamp=at, dvce_sent_tstamp=at,
                app_id="released", event="unstruct", event_name="basket", event_vendor="com.acme",
                unstruct_event=described("iglu:com.acme/basket/jsonschema/1-0-0", data),
                domain_userid=str(uuid5(NAMESPACE_OID, f"buyer-{number % 8}")),
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePort]:
    folder = tmp_path_factory.mktemp("explore")
    engine = EngineProcess(folder / "engine", sync=False).start()
    settings = ClickHouseSettings()
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    store.write(StoreBatch("explored", events(time.time_ns() // 1_000_000)))
    modeller = Modeller(store.modelling(), lambda: {"": Application.model_validate(GOALS)})
    modeller.run()
    while modeller.rebuild_next():
        pass
    places = [*store_places(store.lifetime()), ModelledPlace(store.modelling()), CohortsPlace(store.modelling())]
    erasing = Erasing(places, Tombstones(FolderDocuments(folder / "privacy")), Gate(folder))
    made = PrivatePort(folder, store=store, site=Console(), erasing=lambda: erasing)
    yield made
    made.close()
    engine.stop()


@pytest.fixture(autouse=True)
def patient(page: Page) -> None:
    expect.set_options(timeout=60_000)
    page.set_default_timeout(60_000)


def choose(page: Page, name: str, value: str) -> None:
    """Type a part of a value and take it from the list."""
    box = page.get_by_role("combobox", name=name)
    box.click()
    box.fill(value)
    page.get_by_role("listbox", name=name).get_by_role("option").filter(has_text=value).first.click()


def test_build_a_funnel_from_a_page_and_see_who_dropped_off(page: Page) -> None:
    page.goto("/explore?app=shop&period=7d")
    page.get_by_role("navigation", name="Kinds of reports").get_by_role("button", name="Funnel").click()
    choose(page, "Name of 1", "/")
    page.get_by_role("combobox", name="Kind of 2").select_option("page")
    choose(page, "Name of 2", "/cart")
    page.get_by_role("button", name="Add step").click()
    choose(page, "Name of 3", "/thanks")
    steps = page.get_by_role("list", name="Steps")
    expect(steps).to_contain_text("60% went on")
    expect(steps).to_contain_text("4 dropped off")
    page.get_by_role("button", name="4 dropped off").first.click()
    panel = page.get_by_role("complementary", name="Dropped off after step 1")
    people = panel.get_by_role("list", name="People").get_by_role("listitem")
    expect(people).to_have_count(4)
    expect(people.first).to_contain_text("Then: /help")
    people.first.get_by_role("button").click()
    expect(page.get_by_role("complementary", name="Visitor")).to_contain_text("/help")
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()


def test_who_dropped_off_becomes_a_cohort_that_filters(page: Page, serious_findings: Findings) -> None:
    page.goto(f"{FUNNEL}&people=1")
    panel = page.get_by_role("complementary", name="Dropped off after step 1")
    panel.get_by_label("Save them as a cohort").fill("Read the help")
    panel.get_by_role("button", name="Save cohort").click()
    expect(panel.get_by_role("status")).to_contain_text("Saved 4 people")
    page.goto("/explore?app=shop&period=7d&e=page,/help&e=page,/cart")
    page.get_by_role("button", name="Filter", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Dimension").select_option("cohort")
    dialog.get_by_role("checkbox", name="Read the help").check()
    dialog.get_by_role("button", name="Apply filter").click()
    expect(page.get_by_role("group", name="Filters")).to_contain_text("Cohort is Read the help")
    page.goto("/cohorts")
    page.get_by_role("button", name="New cohort").click()
    panel = page.get_by_role("complementary", name="New cohort")
    panel.get_by_label("Name", exact=True).fill("Left the cart")
    choose(page, "Name of 1", "/cart")
    panel.get_by_role("button", name="Add condition").click()
    choose(page, "Name of 2", "/thanks")
    panel.get_by_label("How often 2").select_option("at_most")
    panel.get_by_label("Times 2").fill("0")
    panel.get_by_role("button", name="Count people").click()
    expect(panel.get_by_role("status")).to_contain_text("4 people")
    panel.get_by_role("button", name="Save cohort").click()
    panel = page.get_by_role("complementary", name="Cohort", exact=True)
    expect(panel.get_by_role("list", name="People").get_by_role("listitem")).to_have_count(4)
    assert serious_findings(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("list").get_by_text("never saw /thanks in the last 28 days")).to_be_visible()


def test_find_out_that_a_release_stopped_sending_a_property(page: Page, serious_findings: Findings) -> None:
    page.goto("/plan?tab=drift&app=released")
    entry = page.get_by_role("list", name="Drift").get_by_role("listitem").filter(has_text="basket: coupon")
    expect(entry).to_contain_text("no longer sent: it was in 100 % of them, now in 0 %")
    assert serious_findings(page) == []
    page.get_by_role("radio", name="Events").or_(page.get_by_role("button", name="Events", exact=True)).first.click()
    page.get_by_role("button", name=re.compile("^basket")).click()
    panel = page.get_by_role("complementary", name="basket")
    expect(panel).to_contain_text("total")
    panel.get_by_label("Owner").fill("Ann")
    panel.get_by_label("Status").select_option("planned")
    panel.get_by_role("button", name="Save").click()
    expect(page.get_by_role("list").get_by_text("owner Ann")).to_be_visible()
    panel.get_by_role("button", name="Accept").first.click()
    expect(panel.get_by_role("button", name="Open again")).to_be_visible()
    assert serious_findings(page) == []
    panel.get_by_role("link", name="Make a schema of it").click()
    expect(page.get_by_role("textbox", name="Schema as JSON")).to_have_value(re.compile('"basket"'))


def test_one_person_from_an_event_to_their_data(page: Page, serious_findings: Findings) -> None:
    page.goto(f"{FUNNEL}&people=1")
    panel = page.get_by_role("complementary", name="Dropped off after step 1")
    panel.get_by_role("list", name="People").get_by_role("button").first.click()
    page.get_by_role("link", name="Whole page").click()
    expect(page.get_by_role("heading", name="Person")).to_be_visible()
    expect(page.get_by_role("list", name="Visits").get_by_role("heading")).to_have_count(1)
    expect(page.get_by_text("/help").first).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Plan erasure").click()
    expect(page.get_by_text("An erasure takes out")).to_contain_text("events")
    expect(page.get_by_role("button", name="Erase person")).to_be_visible()


def test_a_link_shows_the_same(page: Page) -> None:
    page.goto(FUNNEL)
    expect(page.get_by_role("list", name="Steps")).to_contain_text("33% went on")
    before = page.get_by_role("region", name="Result").inner_text()
    page.reload()
    expect(page.get_by_role("list", name="Steps")).to_contain_text("33% went on")
    assert page.get_by_role("region", name="Result").inner_text() == before


def test_the_keyboard_is_enough(page: Page) -> None:
    page.goto("/explore?app=shop&period=7d")
    name = page.get_by_role("combobox", name="Name of A")
    name.focus()
    page.keyboard.press("ArrowDown")
    names = page.get_by_role("listbox", name="Name of A")
    expect(names).to_be_visible()
    page.keyboard.press("Escape")
    expect(names).to_have_count(0)
    page.keyboard.type("/ca")
    expect(names.get_by_role("option").first).to_contain_text("/cart")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("e=page,/cart"))


def test_what_is_long_is_said_and_can_be_cancelled(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/analytics/funnel", hold)
    page.goto(FUNNEL)
    expect(page.get_by_role("status").filter(has_text="The store is counting the funnel")).to_be_visible()
    page.get_by_role("button", name="Cancel question").click()
    expect(page.get_by_text("The question was cancelled")).to_be_visible()
    page.unroute("**/api/v1/analytics/funnel")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("list", name="Steps")).to_contain_text("60% went on")


def test_a_refusal_is_said_in_words(page: Page) -> None:
    page.goto(f"{FUNNEL}&by=visit:weather")
    expect(page.get_by_text("This cannot be answered")).to_be_visible()


def test_what_is_hostile_is_text(page: Page) -> None:
    page.goto("/explore?report=journeys&app=shop&period=7d")
    page.get_by_role("button", name="List").click()
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("report", REPORTS)
def test_accessibility_has_no_serious_findings(page: Page, theme: str, report: str, serious_findings: Findings) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(REPORTS[report])
    expect(page.get_by_role("region", name="Result")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".animate-pulse")).to_have_count(0)
    assert not serious_findings(page)


def test_a_phone_shows_it_without_scrolling_sideways(page: Page, serious_findings: Findings) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for report, path in REPORTS.items():
        page.goto(path)
        expect(page.get_by_role("region", name="Result")).to_have_attribute("aria-busy", "false")
        expect(page.locator(".animate-pulse")).to_have_count(0)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (report, wide)
    assert not serious_findings(page)

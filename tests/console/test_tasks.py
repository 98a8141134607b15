"""Everyday tasks from the console's first page, with as many clicks as ``docs/guide/tasks.md`` says."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.console.test_analytics import events, model
from tests.console.test_pages import failing
from tests.console.test_repair import send

from snowgauge.console.site import Console
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.alerting import means
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import described, web_page_view
from snowgauge.testing.failing import cart_schema

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
DAY = 86_400_000
TABLE = Path(__file__).parents[2] / "docs/guide/tasks.md"
ADD_TO_CART = {
    "self": {"vendor": "com.acme", "name": "add_to_cart", "format": "jsonschema", "version": "1-0-0"},
    "type": "object",
    "properties": {"price": {"type": "number", "minimum": 0, "maximum": 10_000}},
}
COUNTING = """
addEventListener("pointerdown", (event) => {
  // a list that opens is chosen from without another press that the page would see
  if (event.isTrusted) sessionStorage.presses = Number(sessionStorage.presses ?? 0) + 1;
}, true);
addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement) sessionStorage.presses = Number(sessionStorage.presses ?? 0) + 2;
}, true);
"""


def documented() -> dict[str, int]:
    """Tasks with their clicks."""
    rows = re.findall(r"^\| ([A-Z][^|]*) \| (\d+) \|", TABLE.read_text("utf-8"), re.MULTILINE)
    return {task: int(clicks) for task, clicks in rows}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, PrivatePort]]:
    """A shop with visits, events of yesterday and failures, and an admin."""
    folder = tmp_path_factory.mktemp("tasks")
    engine = EngineProcess(folder / "engine", sync=False).start()
    store = ClickHouseStore(ClickHouseSettings(), engine_connection(ClickHouseSettings(), engine.url))
    store.migrate()
    now = time.time_ns() // 1_000_000
    carts = [
        web_page_view(
            20_000 + n, collector_tstamp=now - DAY, derived_tstamp=now - DAY, event="unstruct",
            event_vendor="com.acme", event_name="add_to_cart" if n % 2 else "remove_from_cart", event_version="1-0-0",
            unstruct_event=described(
                f"iglu:com.acme/{'add_to' if n % 2 else 'remove_from'}_cart/jsonschema/1-0-0", {"price": n}
            ),
        )
        for n in range(20)
    ]  # fmt: skip
    store.write(StoreBatch("visits", [*events(now), *carts]))
    model(store)
    schema = folder / "schemas/com.acme/cart/jsonschema/1-0-0"
    schema.parent.mkdir(parents=True)
    schema.write_text(json.dumps(cart_schema()))
    added = folder / "schemas/com.acme/add_to_cart/jsonschema/1-0-0"
    added.parent.mkdir(parents=True)
    added.write_text(json.dumps(ADD_TO_CART))
    with means() as made:
        port = PrivatePort(folder, store=store, site=Console(), alert_means=lambda: made)
        port.access.add_person("ada", PASSWORD, "admin")
        with listening(port.app) as url:
            yield url, port
    port.close()
    engine.stop()


class Task:
    """A tab on the console's first page, of an admin who is logged in."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def menu(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Pages").first.get_by_role("link", name=name, exact=True).click()
        # what the first page offers has the names of some things on others
        expect(self.page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()

    def took(self, task: str) -> None:
        clicks = int(self.page.evaluate("sessionStorage.presses ?? 0"))
        assert {task: clicks} == {task: documented()[task]}


@pytest.fixture
def task(browser: Browser, deployment: tuple[str, PrivatePort]) -> Iterator[Task]:
    url, port = deployment
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 1000}, timezone_id="UTC")
    # a dozen questions to a busy engine
    context.set_default_timeout(90_000)
    expect.set_options(timeout=90_000)
    session = port.access.log_in("ada", PASSWORD)
    context.add_cookies([{"name": "snowgauge_session", "value": session.token, "url": url}])
    context.add_init_script(COUNTING)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("group", name="Figures of the period")).to_be_visible()
    yield Task(page)
    context.close()


def test_every_task_of_the_page_is_done_here() -> None:
    text = Path(__file__).read_text("utf-8")
    assert len(documented()) == 13
    assert [task for task in documented() if f'took("{task}")' not in text] == []


def test_events_of_yesterday_by_a_value(task: Task) -> None:
    page = task.page
    task.menu("Live")
    page.get_by_role("button", name=re.compile("^Time range")).click()
    page.get_by_role("group", name="One day").get_by_role("button").nth(5).click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("Find a column").fill("event_name")
    page.get_by_label("Find a column").press("Enter")
    page.get_by_label("Value", exact=True).fill("add_to_cart")
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.get_by_text("event_name is add_to_cart")).to_be_visible()
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("Find a column").fill("add_to_cart.price")
    page.get_by_label("Find a column").press("Enter")
    page.get_by_label("Condition").select_option("gt")
    page.get_by_label("Value", exact=True).fill("10")
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.locator("tbody tr[data-kind]")).to_have_count(5)
    task.took("Find yesterday's add_to_cart events with a price above 10")


def test_failed_events_are_repaired(task: Task, deployment: tuple[str, PrivatePort]) -> None:
    send(deployment[1], {"quantity": "1"}, {"quantity": "2"}, {"quantity": "3"})
    page = task.page
    task.menu("Failed events")
    page.get_by_role("button", name=re.compile("quantity is text; cart 1-0-0")).click()
    page.get_by_role("button", name="Repair all 3").click()
    expect(page.get_by_text("3 of 3 repaired").first).to_be_visible()
    task.took("See why events failed, and repair them")


def test_what_one_user_did(task: Task) -> None:
    visits = task.page.get_by_role("region", name="Visits", exact=True)
    visits.scroll_into_view_if_needed()
    visits.get_by_role("row").nth(1).get_by_role("button").click()
    expect(task.page.get_by_role("complementary", name="Visitor")).to_be_visible()
    task.took("See what one user did")


def test_a_schema_from_an_example(task: Task, deployment: tuple[str, PrivatePort]) -> None:
    failing(deployment[1], "iglu:com.acme/click/jsonschema/1-0-0")
    page = task.page
    task.menu("Failed events")
    page.get_by_role("button", name=re.compile("No registry has the schema click 1-0-0")).click()
    page.get_by_role("link", name="Infer a schema").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("complementary", name="click 1-0-0").get_by_text("targetUrl")).to_be_visible()
    task.took("Make a schema from an example")


def test_page_views_by_day(task: Task) -> None:
    figures = task.page.get_by_role("group", name="Figures of the period")
    figures.get_by_role("button", name=re.compile("^Page views")).click()
    expect(task.page.get_by_role("img", name=re.compile("^Page views by "))).to_be_visible()
    task.took("See page views by day")


def test_popular_pages(task: Task) -> None:
    expect(task.page.get_by_role("region", name="Pages", exact=True).get_by_role("listitem").first).to_contain_text("/")
    task.took("See popular pages")


def test_referrers(task: Task) -> None:
    sources = task.page.get_by_role("region", name="Sources")
    sources.get_by_role("button", name="Sources", exact=True).click()
    expect(sources.get_by_role("listitem").first).to_contain_text("Google")
    task.took("See referrers")


def test_figures_are_shared(task: Task) -> None:
    page = task.page
    page.get_by_role("button", name="Options").click()
    page.get_by_role("menuitem", name=re.compile("Share")).click()
    page.get_by_label("Name", exact=True).fill("For the board")
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("region", name="New link")).to_contain_text("/share/")
    task.took("Share the figures with someone without an account")


def test_a_chart_is_put_on_a_dashboard(task: Task) -> None:
    page = task.page
    page.get_by_role("button", name="Save chart").click()
    dialog = page.get_by_role("dialog", name="Save report")
    dialog.get_by_label("Put it on a dashboard").select_option(label="New dashboard…")
    dialog.get_by_label("Name of the dashboard").fill("Launch week")
    dialog.get_by_role("button", name="Save report").click()
    page.get_by_role("link", name="Open dashboard").click()
    expect(page.get_by_role("heading", name="Launch week")).to_be_visible()
    task.took("Put a chart on a dashboard")


def test_live_is_exported(task: Task) -> None:
    page = task.page
    task.menu("Live")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.path().read_text("utf-8").startswith("status,time,")
    task.took("Export what Live shows as CSV")


def test_a_colleague_is_invited(task: Task) -> None:
    page = task.page
    task.menu("Access")
    form = page.get_by_role("region", name="Add user")
    form.get_by_label("Name").fill("grace")
    form.get_by_label("Role").select_option("viewer")
    form.get_by_role("button", name="Invite user").click()
    expect(page.get_by_role("region", name="Invitation link")).to_contain_text("/invitation#")
    task.took("Add a colleague who may only look")


def test_a_token_is_made(task: Task) -> None:
    page = task.page
    task.menu("Access")
    page.get_by_role("button", name="API keys").click()
    page.get_by_label("What it is for").fill("grafana")
    page.get_by_role("button", name="Add key").click()
    expect(page.get_by_role("region", name="New key")).to_contain_text("sg_")
    task.took("Make an API token")


def test_a_message_is_sent_when_events_stop(task: Task, deployment: tuple[str, PrivatePort]) -> None:
    page = task.page
    task.menu("Alerts")
    page.get_by_role("button", name="Channels").click()
    page.get_by_role("button", name="New channel").click()
    page.get_by_label("Name").fill("Duty")
    page.get_by_label("Address").fill(f"{deployment[0]}/hook")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="Duty")).to_be_visible()
    page.get_by_role("button", name="Alerts", exact=True).first.click()
    page.get_by_role("button", name=re.compile("No events")).click()
    page.get_by_role("checkbox", name=re.compile("Duty")).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Saved", exact=True)).to_be_visible()
    task.took("Have a message sent when events stop")

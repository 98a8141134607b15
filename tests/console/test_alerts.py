"""Alerts in the browser: the bell, the list, a trial on history, a channel that is tested; usable on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from snowgauge.actions.alerts import alert_sources
from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.evaluator import Evaluator
from snowgauge.alerts.rules import HOUR_MS, QUARTER_MS, NoEvents, Rule
from snowgauge.console.site import Console
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.alerting import DAY_MS, means
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.web import Web, serving

HOSTILE = "<img src=x onerror=alert(1)> شركة"


@pytest.fixture(scope="module")
def alerting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Web]]:
    """A shop with a month of traffic that has been silent for an hour, and an alert that found it."""
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    store = ClickHouseStore(ClickHouseSettings(), engine_connection(ClickHouseSettings(), process.url))
    store.migrate()
    now = store.modelling().now()
    hour = now - now % HOUR_MS
    begin = hour - 35 * DAY_MS
    rows = [
        {"slot": slot, "app_id": app, "event_name": "page_view", "platform": "web", "model_version": 1,
         "events": 100 + (slot // HOUR_MS) % 24}
        for slot in range(begin, hour - HOUR_MS, QUARTER_MS) for app in ("shop", HOSTILE)
    ]  # fmt: skip
    state = {"table": "*", "ledger_position": str(now), "modelled_until": now + DAY_MS, "updated_at": now}
    fill(store, {"event_stats": rows, "model_state": [state]})
    folder = tmp_path_factory.mktemp("port")
    with means() as made, serving() as web:
        web.answers["/hook"] = (200, b"ok")
        book = AlertBook(store.modelling(), made.seal)
        book.put_rule(
            Rule(id="no-events", name="No events", severity="critical", condition=NoEvents(), for_checks=1), "t"
        )
        book.write("no-events", hour - HOUR_MS, {}, (), ())
        port = PrivatePort(folder, store=store, site=Console(), alert_means=lambda: made)
        Evaluator(book, lambda: alert_sources(port.deployment)).look()
        with listening(port.app) as url:
            yield url, web
        port.access.close()
    store.close()
    process.stop()


@pytest.fixture(params=[("light", 1440, 900), ("dark", 1440, 900), ("light", 390, 844)], ids=["light", "dark", "phone"])
def looked(request: pytest.FixtureRequest, browser: Browser, alerting: tuple[str, Web]) -> Iterator[Page]:
    theme, width, height = request.param
    context = browser.new_context(base_url=alerting[0], color_scheme=theme, viewport={"width": width, "height": height})
    yield context.new_page()
    context.close()


def test_told_when_events_stop(looked: Page, serious_findings) -> None:
    looked.goto("/alerts")
    expect(looked.get_by_text("✗ firing")).to_be_visible()
    bell = looked.get_by_role("button", name="Alerts: 2 firing").locator("visible=true")
    bell.click()
    item = looked.get_by_role("menuitem").filter(has_text="shop has sent nothing")
    expect(item).to_be_visible()
    expect(looked.get_by_role("menuitem").filter(has_text=HOSTILE)).to_be_visible()
    assert serious_findings(looked) == []
    item.click()
    looked.get_by_role("button", name="Try on history").click()
    expect(looked.get_by_text("Would have fired")).to_be_visible()
    expect(looked.get_by_role("img", name="Values of")).to_be_visible()
    assert serious_findings(looked) == []
    looked.get_by_role("button", name="1 day").click()
    expect(looked.get_by_text("Muted until")).to_be_visible()
    looked.get_by_role("button", name="Send again").click()
    expect(looked.get_by_role("button", name="1 day")).to_be_visible()


def test_a_channel_is_made_and_tested(
    looked: Page, alerting: tuple[str, Web], serious_findings, request: pytest.FixtureRequest
) -> None:
    name = f"{HOSTILE} {request.node.callspec.id}"  # the runs share a deployment, so each has a channel of its own
    looked.goto("/alerts?tab=channels")
    looked.get_by_role("button", name="New channel").click()
    looked.get_by_label("Name").fill(name)
    looked.get_by_label("Address").fill(f"{alerting[1].url}/hook")
    looked.get_by_label("Secret to sign with").fill("s3cret")
    looked.get_by_label("Quiet hours").check()
    assert serious_findings(looked) == []
    looked.get_by_role("button", name="Save").click()
    row = looked.get_by_role("listitem").filter(has_text=name)
    row.get_by_role("button", name="Send a test").click()
    expect(row.get_by_text("Delivered: 200 ok")).to_be_visible()
    looked.goto("/alerts?tab=log")
    expect(looked.get_by_text("shop has sent nothing")).to_be_visible()
    assert serious_findings(looked) == []


def test_an_alert_is_made_and_removed(looked: Page) -> None:
    looked.goto("/alerts?alert=new")
    looked.get_by_label("Name").fill("Fewer views")
    looked.get_by_label("What is watched").select_option("measure")
    looked.get_by_label("Question, as JSON").fill("{")
    expect(looked.get_by_text("The question is not JSON.")).to_be_visible()
    looked.get_by_label("Question, as JSON").fill('{"metrics": ["no such thing", "visits"]}')
    looked.get_by_role("button", name="Save").click()
    expect(looked.get_by_role("alert")).to_contain_text("one metric")
    looked.get_by_label("Question, as JSON").fill('{"metrics": ["visits"]}')
    looked.get_by_role("button", name="Save").click()
    looked.on("dialog", lambda dialog: dialog.accept())
    looked.get_by_role("button", name="Remove").click()
    expect(looked.get_by_role("button", name="Fewer views")).to_have_count(0)

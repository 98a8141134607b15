"""Why did these fail, and repair them: from the list to good events in the embedded store, and back."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from snowgauge.console.site import Console
from snowgauge.events import payload_record
from snowgauge.events.outcome import Failed
from snowgauge.events.payload import CollectorPayload
from snowgauge.store.base import Filter, Selection, StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.failing import cart_schema

UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CART = "iglu:com.acme/cart/jsonschema/1-0-0"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "data", sync=False).start()
    yield process
    process.stop()


@pytest.fixture
def port(engine: EngineProcess, tmp_path: Path) -> Iterator[PrivatePort]:
    """A private port over a database of its own, with a schema of a cart."""
    name = f"repair_{abs(hash(str(tmp_path))) % 10**9}"
    settings = ClickHouseSettings.model_validate({"configuration": {"database": name, "views_database": f"{name}_v"}})
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    place = tmp_path / "schemas/com.acme/cart/jsonschema/1-0-0"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(cart_schema(currency={"enum": ["EUR", "USD"]})))
    made = PrivatePort(tmp_path, store=store, site=Console())
    yield made
    made.close()


@pytest.fixture
def address(port: PrivatePort, browser: Browser) -> Iterator[str]:
    with listening(port.app) as url:
        yield url


def send(port: PrivatePort, *carts: dict[str, object]) -> None:
    now = time.time_ns() // 1_000_000
    batch = StoreBatch(f"carts-{now}")
    assert port.deployment.lend_enricher is not None
    for n, cart in enumerate(carts):
        ue = {"schema": UNSTRUCT, "data": {"schema": CART, "data": cart}}
        query = f"e=ue&p=web&tv=js-4.{n}.0&aid=shop&ue_pr=" + quote(json.dumps(ue))
        record = payload_record.encode(
            CollectorPayload(path="/i", querystring=query, timestamp=now - n * 1000, collector="ssc-3.4.0-test")
        )
        with port.deployment.lend_enricher() as enricher:
            for outcome in enricher.process(record, f"{batch.id}-{n}"):
                assert isinstance(outcome, Failed)
                batch.failed.append(outcome.failure)
    port.store.write(batch)


def opened(page: Page, headline: str) -> Locator:
    page.goto("/failed")
    page.get_by_role("button", name=re.compile(headline)).click()
    return page.get_by_role("complementary", name="Why they fail")


def test_why_did_these_fail_repair_them_and_undo_it(page: Page, port: PrivatePort) -> None:
    send(port, {"quantity": "1"}, {"quantity": "2"}, {"quantity": "5000"})
    panel = opened(page, "quantity is text; cart 1-0-0 expects a whole number")
    expect(panel.get_by_role("radio", name=re.compile("Read quantity as a whole number"))).to_be_checked()
    preview = panel.get_by_role("region", name="Preview")
    expect(preview.get_by_text("becomes a good event")).to_have_count(2)
    expect(preview.get_by_text("quantity is above the maximum of 1000")).to_be_visible()
    panel.get_by_role("button", name="Count over all 3").click()
    expect(panel.get_by_text("2 of 3 would become good events")).to_be_visible()
    panel.get_by_role("button", name="Repair 2 events").click()
    expect(panel.get_by_text("2 of 3 repaired")).to_be_visible()
    assert port.store.count("good", Selection()) == 2
    page.reload()  # the run is there when the page comes back
    expect(panel.get_by_text("2 of 3 repaired")).to_be_visible()
    panel.get_by_role("button", name="Undo…").click()
    panel.get_by_role("button", name="Undo run").click()
    expect(panel.get_by_text("2 events taken out of the store, 2 failed events open again")).to_be_visible()
    assert port.store.count("good", Selection()) == 0
    assert port.store.count("failed", Selection(filters=[Filter("status", "in", ("open",))])) == 3


def test_values_are_mapped_to_those_that_the_schema_lists_and_kept_as_a_rule(page: Page, port: PrivatePort) -> None:
    send(port, *({"quantity": 1, "currency": currency} for currency in ("EURO", "Euro", "EURO")))
    panel = opened(page, "currency is not one of the values that cart 1-0-0 allows")
    panel.get_by_role("radio", name="Replace values of currency").check()
    panel.get_by_label('Replacement for "EURO"', exact=True).select_option("EUR")
    panel.get_by_label('Replacement for "Euro"', exact=True).select_option("EUR")
    expect(panel.get_by_role("region", name="Preview").get_by_text("becomes a good event")).to_have_count(3)
    panel.get_by_role("checkbox", name=re.compile("Keep as a rule")).check()
    panel.get_by_role("button", name="Repair all 3").click()
    expect(panel.get_by_text("3 of 3 repaired")).to_be_visible()
    page.goto("/failed?tab=rules")
    rule = page.get_by_role("listitem").filter(has_text="currency is not one of the values").first
    expect(rule.get_by_text('event.data.currency: "EURO" → "EUR"', exact=True)).to_be_visible()
    rule.get_by_role("button", name="Switch off").click()
    expect(rule.get_by_text("– off")).to_be_visible()
    page.goto("/failed?tab=runs")
    expect(page.get_by_text("3 of 3 repaired")).to_be_visible()


def test_a_cause_is_resolved_noted_and_comes_back(page: Page, port: PrivatePort) -> None:
    send(port, {"quantity": "x"})
    panel = opened(page, "quantity is text")
    panel.get_by_role("button", name="Add note").click()
    panel.get_by_label("Note").fill("The app team ships a fix with 5.2")
    panel.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("button", name=re.compile("ships a fix"))).to_be_visible()
    panel.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("No active cause")).to_be_visible()
    send(port, {"quantity": "y"})
    page.reload()
    expect(page.get_by_role("button", name=re.compile("came back"))).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_repair_is_accessible(
    page: Page, port: PrivatePort, serious_findings: Callable[[Page], list[str]], look: str
) -> None:
    send(port, {"Quantity": "1"}, {"Quantity": "2"})
    page.emulate_media(color_scheme="dark" if look == "dark" else "light")
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
    panel = opened(page, "Quantity is not a property of cart 1-0-0")
    expect(panel.get_by_role("region", name="Preview").get_by_text("The whole event").first).to_be_visible()
    assert serious_findings(page) == []
    for tab in ("rules", "runs", "dead-letters"):
        page.goto(f"/failed?tab={tab}")
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        assert serious_findings(page) == []

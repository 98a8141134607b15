"""Takes every page of the console, light, dark and on a phone, into ``screenshots/``: `make screenshots`.

Over a real embedded engine, filled with a week of the demo shop, so that every page has something to show.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import cast
from urllib.parse import quote

from playwright.sync_api import expect, sync_playwright

from snowgauge.actions.demo import seeding
from snowgauge.actions.demo.places import DocumentationAddresses
from snowgauge.console.site import Console
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.modelling.applications import Application
from snowgauge.modelling.modeller import Modeller
from snowgauge.modelling.store import HasModelling
from snowgauge.pipeline.enriching import Enriching
from snowgauge.settings.model import Settings
from snowgauge.store import build
from snowgauge.store.base import Filter, Selection, Store, StoreBatch, WriteResult
from snowgauge.store.settings import ClickHouseSettings, StoreSettings
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.engine import EngineProcess

VISITORS = 800
LOOKS = (("light", 1440, 900), ("dark", 1440, 900), ("light", 390, 844))
PRODUCT = "contexts/com.snowplowanalytics.snowplow.ecommerce/product/1"
CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"


TIMES = [field.name for field in ATOMIC_FIELDS if field.kind == "timestamp"]


class Afternoon:
    """A store that moves what it is given, so that the shop's last busy afternoon ends just now."""

    def __init__(self, store: Store, now: int) -> None:
        self.store = store
        self.end = now - (now - 15 * 3_600_000) % 86_400_000
        self.by = now - self.end

    def write(self, batch: StoreBatch) -> WriteResult:
        for event in (*batch.events, *batch.incomplete):
            for name in TIMES:
                at = getattr(event, name)
                setattr(event, name, at and at + self.by)
        for failed in batch.failed:
            failed.failed_at += self.by
            failed.collector_tstamp = failed.collector_tstamp and failed.collector_tstamp + self.by
        return self.store.write(batch)


def fill(store: Store, folder: Path) -> tuple[str, str, str]:
    """A week of the demo shop through the pipeline: an event, a failure and its cause to look at."""
    settings = Settings.model_validate({"common": {"data_dir": str(folder)}, "iglu": {"iglu_central": False}})
    enriching = Enriching(settings, {}, start=False, more=[DocumentationAddresses()])
    try:
        afternoon = Afternoon(store, time.time_ns() // 1_000_000)
        seeding.seed(
            cast(Store, afternoon), enriching.enricher, seeding.SeedBook(folder), number=1, days=7, visitors=VISITORS,
            now=afternoon.end,
        )  # fmt: skip
    finally:
        enriching.close()
    assert isinstance(store, HasModelling)
    modeller = Modeller(store.modelling(), lambda: {"": Application()})
    modeller.run()
    while modeller.rebuild_next():
        pass
    bought = Selection(filters=[Filter("event", "in", ["unstruct"])])
    event = store.events("good", bought, limit=1)[0]
    invalid = Selection(filters=[Filter("failure_type", "in", ["schema_violations"])])
    cause = str(store.count_by("failed", "cause", invalid, limit=1)[0].key)
    failed = store.events("failed", Selection(filters=[Filter("cause", "in", [cause])]), limit=1)[0]
    return str(event["event_id"]), str(failed["id"]), cause


def pages(good: str, failed: str, cause: str) -> dict[str, str]:
    return {
        "start": "/start",
        "analytics": "/analytics?period=7d&compare=",
        "live": "/live",
        "live-columns": f"/live?status=good&where={PRODUCT}/price:%2B&cols=event_name,{PRODUCT}/name,{PRODUCT}/price",
        "live-event": f"/live?open=good:{good}",
        "failed": "/failed",
        "failed-cause": f"/failed?cause={cause}",
        "xray": f"/xray?id={failed}",
        "sql": "/sql",
        "sql-chart": "/sql?show=line&q=" + quote(
            "SELECT toStartOfDay(collector_tstamp) AS day, countIf(event_name = 'page_view') AS views, "
            "uniq(domain_userid) AS visitors FROM atomic.events GROUP BY day ORDER BY day"
        ),
        "schemas": "/schemas",
        "schema": f"/schemas?uri={CLICK}",
        "schema-infer": f"/schemas?from={cause}",
        "explore": "/explore?kind=funnel",
        "dashboards": "/dashboards",
        "alerts": "/alerts",
        "health": "/state",
        "deployments": "/deployments",
        "access": "/access",
        "keys": "/access?tab=keys",
        "account": "/account",
    }  # fmt: skip


def main() -> None:
    only = set(sys.argv[1:])
    out = Path("screenshots")
    out.mkdir(exist_ok=True)
    chromium = os.environ.get("SNOWGAUGE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    folder = Path(tempfile.mkdtemp(prefix="snowgauge-screenshots-"))
    engine = EngineProcess(folder / "engine").start()
    try:
        store: Store = build.build(StoreSettings(), ClickHouseSettings(), engine.url)
        store.migrate()
        port = PrivatePort(folder, store=store, site=Console(), collector_url="https://events.example.com")
        found = fill(store, folder)
        with listening(port.app) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for theme, width, height in LOOKS:
                look = "phone" if width < 500 else theme
                viewport = {"width": width, "height": height}
                context = browser.new_context(viewport=viewport, color_scheme=theme)  # type: ignore[arg-type]
                tab = context.new_page()
                for name, path in pages(*found).items():
                    if only and name not in only:
                        continue
                    tab.goto(url + path)
                    if name.startswith("sql"):
                        tab.get_by_role("button", name="Run").click()
                    expect(tab.get_by_role("heading", level=1)).to_be_attached()
                    tab.wait_for_timeout(400)
                    expect(tab.locator(".animate-pulse")).to_have_count(0, timeout=20_000)
                    tab.wait_for_timeout(600)
                    tab.screenshot(path=out / f"{name}-{look}.png")
            browser.close()
        port.close()
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Takes every page of the console, light, dark and on a phone, into ``screenshots/``: `make screenshots`.

Over a real embedded engine, filled with events of the kind that trackers send, so that SQL has something to answer.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from snowgauge.console.site import Console
from snowgauge.events import payload_record
from snowgauge.events.payload import CollectorPayload
from snowgauge.store import build
from snowgauge.store.base import Selection, Store, StoreBatch
from snowgauge.store.settings import ClickHouseSettings, StoreSettings
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view

LOOKS = (("light", 1440, 900), ("dark", 1440, 900), ("light", 390, 844))
CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"


def fill(port: PrivatePort) -> tuple[str, str]:
    """A week of page views and three kinds of failures; a failure's id and its cause."""
    now = time.time_ns() // 1_000_000
    good = [
        web_page_view(
            n,
            collector_tstamp=now - int(min(n, 600) ** 1.15 * 1300 + max(0, n - 600) * 160_000),
            app_id=("shop", "shop", "blog")[n % 3],
            event_name=("page_view", "page_view", "page_view", "page_ping", "link_click")[n % 5],
        )
        for n in range(4000)
    ]
    outcomes = []
    for n in range(90):
        broken = ({"targetUrl": n}, {"target": "x"}, {"targetUrl": "u", "elementClasses": "a"})[n % 7 % 3]
        uri = CLICK if n % 11 else "iglu:com.acme/checkout/jsonschema/1-0-0"
        data = {"schema": uri, "data": broken}
        ue = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": data}
        query = f"e=ue&p=web&tv=js-4.6.9&aid={'shop' if n % 2 else 'blog'}&ue_pr=" + quote(json.dumps(ue))
        payload = CollectorPayload(
            path="/i", querystring=query, timestamp=now - n * n * 40_000, user_agent="Mozilla/5.0 (X11; Linux x86_64)",
            ip_address="198.51.100.7", headers=["Host: events.example.com", "Accept: */*"], collector="snowgauge-0.1.0",
        )  # fmt: skip
        assert port.deployment.lend_enricher is not None
        with port.deployment.lend_enricher() as enricher:
            outcomes += enricher.process(payload_record.encode(payload), f"shot-{n}")
    port.store.write(StoreBatch("shots", good, [one.failure for one in outcomes]))
    cause = port.store.count_by("failed", "cause", Selection(), limit=1)[0]
    return str(outcomes[0].failure.id), str(cause.key)


def pages(failed: str, cause: str) -> dict[str, str]:
    return {
        "start": "/start",
        "live": "/live",
        "live-event": f"/live?open=good:{web_page_view(3).event_id}",
        "failed": "/failed",
        "failed-cause": f"/failed?cause={cause}",
        "xray": f"/xray?id={failed}",
        "sql": "/sql",
        "sql-chart": "/sql?show=chart&q=" + quote(
            "SELECT toStartOfDay(collector_tstamp) AS day, countIf(app_id = 'shop') AS shop, "
            "countIf(app_id = 'blog') AS blog FROM atomic.events GROUP BY day ORDER BY day"
        ),
        "schemas": "/schemas",
        "schema": f"/schemas?uri={CLICK}",
        "schema-infer": f"/schemas?from={cause}",
        "health": "/state",
        "access": "/access",
        "keys": "/access?tab=keys",
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
        found = fill(port)
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
                    tab.wait_for_timeout(1200)
                    tab.screenshot(path=out / f"{name}-{look}.png")
            browser.close()
        port.close()
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

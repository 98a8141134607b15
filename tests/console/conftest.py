"""The built console over a store in memory, in a real Chromium.

Skipped, with the reason, where there is no Chromium or the console was never built (``make console``).
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from snowgauge.console.site import STATIC, Console
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.events import schema_violation, web_page_view

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
CHROMIUM = os.environ.get("SNOWGAUGE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which others could not share
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the console is not built: run `make console`")
    expect.set_options(timeout=90_000)  # a machine may be busy with other tests
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PrivatePort]:
    made = PrivatePort(tmp_path, site=Console())
    yield made
    made.close()


@pytest.fixture
def seeded(port: PrivatePort) -> PrivatePort:
    """Forty page views and six failures of the last half hour."""
    now = time.time_ns() // 1_000_000
    good = [
        web_page_view(n, collector_tstamp=now - n * 40_000 - 1000, app_id="shop" if n % 3 else "blog")
        for n in range(40)
    ]
    failed = [schema_violation(n, collector_tstamp=now - n * 200_000 - 500, failed_at=now) for n in range(6)]
    port.store.write(StoreBatch("seed", good, failed))
    return port


@pytest.fixture
def address(port: PrivatePort, browser: Browser) -> Iterator[str]:
    with listening(port.app) as url:
        yield url


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A tab whose errors, refused loads and foreign requests fail the test."""
    context = browser.new_context(viewport={"width": 1360, "height": 900}, base_url=address)
    context.set_default_timeout(90_000)
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(f"error in the page: {error}"))
    tab.on(
        "console",
        lambda message: (
            wrong.append(message.text)
            if message.type == "error" and "status of 4" not in message.text and "status of 5" not in message.text
            else None
        ),
    )
    tab.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else wrong.append(f"asked another host: {request.url}")
        ),
    )
    yield tab
    context.close()
    assert not wrong, wrong


@pytest.fixture
def serious_findings() -> Callable[[Page], list[str]]:
    """What axe-core finds on a page, each with its element. Skipped where axe-core is not installed."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `make console`")

    def look(page: Page) -> list[str]:
        page.wait_for_timeout(400)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:160]}"
            for one in found["violations"]
            for node in one["nodes"]
            if one["impact"] in ("serious", "critical")
        ]

    return look

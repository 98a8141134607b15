"""Other deployments in the browser: one that is well, one that is unreachable, and none; light, dark and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Mount

from snowgauge.actions.events import now_ms
from snowgauge.api.agent.app import PREFIX, agent_app
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.console.site import Console
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.events import schema_violation, web_page_view

TOKEN = "t" * 40
LOOKS = [("light", 1360), ("dark", 1360), ("light", 390)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = PrivatePort(tmp_path_factory.mktemp("shop"))
    now = now_ms()
    good = [web_page_view(n, collector_tstamp=now - 31_000 * n - 500) for n in range(90)]
    failed = [schema_violation(n, collector_tstamp=now - 400_000 * n - 500, failed_at=now) for n in range(5)]
    port.store.write(StoreBatch("seed", good, failed))
    agent = agent_app(port.deployment, AgentSettings.model_validate({"static_token": TOKEN}))
    with listening(Starlette(routes=[Mount(PREFIX, agent)])) as url:
        yield url
    port.close()


@pytest.fixture(scope="module")
def watching(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    def of(url: str) -> dict[str, object]:
        return {"url": url, "token": TOKEN, "allow_private_hosts": True}

    port = PrivatePort(
        tmp_path_factory.mktemp("port"),
        site=Console(),
        deployments={"shop": of(shop), "blog": of("http://127.0.0.1:1")},
    )
    with listening(port.app) as url:
        yield url
    port.close()


@pytest.fixture(params=LOOKS, ids=["light", "dark", "phone"])
def looked(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    theme, width = request.param
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
    yield context.new_page()
    context.close()


def test_each_deployment_says_how_it_is(looked: Page, watching: str, serious_findings) -> None:
    looked.goto(f"{watching}/deployments")
    expect(looked.get_by_text("2 deployments, 1 with a problem")).to_be_visible()
    shop = looked.get_by_role("listitem").filter(has=looked.get_by_role("heading", name="shop"))
    expect(shop.get_by_text("90", exact=True)).to_be_visible()
    expect(shop.get_by_text("5 (5.3 %)")).to_be_visible()
    blog = looked.get_by_role("listitem").filter(has=looked.get_by_role("heading", name="blog"))
    expect(blog.get_by_text("✗ Unreachable")).to_be_visible()
    looked.get_by_role("button", name="Details of shop").click()
    expect(shop.get_by_text("page_view")).to_be_visible()
    expect(shop.get_by_text("schema_violations")).to_be_visible()
    assert serious_findings(looked) == []
    assert looked.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_any_it_says_how_to_add_one(looked: Page, port: PrivatePort, address: str, serious_findings) -> None:
    looked.goto(f"{address}/deployments")
    expect(looked.get_by_text("No other deployments yet")).to_be_visible()
    expect(looked.get_by_text("[console.deployments.shop]")).to_be_visible()
    assert serious_findings(looked) == []

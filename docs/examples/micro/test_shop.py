import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import sync_playwright

SHOP = Path(__file__).with_name("shop.html")


@pytest.fixture
def page():
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_a_purchase_is_tracked(snowgauge_micro, page):
    page.goto(f"{SHOP.as_uri()}?{urlencode({'collector': snowgauge_micro.url})}")
    page.click("#buy")

    snowgauge_micro.assert_sent(
        {"event": "page_view", "page_title": "Chairs"},
        {"event": "struct", "se_category": "shop", "se_action": "buy", "se_label": "chair"},
    )


def test_looking_is_not_buying(snowgauge_micro, page):
    page.goto(f"{SHOP.as_uri()}?{urlencode({'collector': snowgauge_micro.url})}")

    snowgauge_micro.assert_sent({"event": "page_view", "app_id": "shop"}, settle=0.2)

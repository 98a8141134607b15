"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def serious_findings(page: Page) -> list[str]:
    """Each with the element that it is about. Skipped where axe-core is not installed."""
    if not _AXE.is_file():
        pytest.skip("axe-core is not installed: run `make console`")
    page.wait_for_timeout(400)
    page.evaluate(_AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found["violations"]
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical")
    ]

"""The documentation on the private port."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from snowgauge.console.docs import Docs, render
from snowgauge.console.site import Console

ROOT = Path(__file__).parents[2] / "docs"


def get(path: str, app: Any = None, *, query: str = "", method: str = "GET") -> tuple[int, dict[str, str], str]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []}
    asyncio.run((app or Console())(scope, None, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"].decode("utf-8", "replace")


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.md")), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_page_is_served_and_its_links_lead_somewhere(file: Path) -> None:
    address = "/docs/" + file.relative_to(ROOT).with_suffix("").as_posix()
    status, _, body = get(address)
    assert status == 200
    main = body.partition("<main>")[2]
    for target in set(re.findall(r'(?:href|src)="(/docs[^"]*)"', main)):
        path, _, fragment = target.partition("#")
        linked, _, there = get(path)
        assert linked == 200, f"{address} links to {target}"
        assert not fragment or f'id="{fragment}"' in there, f"{address} links to {target}"


def test_the_index_is_the_first_page() -> None:
    assert "<h1" in get("/docs")[2]
    assert get("/docs")[2] == get("/docs/")[2] or get("/docs/")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/docs/../pyproject", "/docs/%2e%2e/README", "/docs//etc/passwd", "/docs/../../etc/hostname.png", "/docs/nothing"],
)
def test_nothing_outside_of_the_folder_is_served(path: str) -> None:
    assert get(path)[0] == 404


def test_search_finds_pages_with_all_words_and_shows_what_was_typed_as_text() -> None:
    _, _, body = get("/docs/search", query="q=%3Cscript%3E")
    assert "<script" not in body
    assert "&lt;script&gt;" in body
    _, _, body = get("/docs/search", query="q=erase+person")
    assert "/docs/guide/privacy" in body
    assert "<mark>" in body


def test_html_in_a_page_is_text() -> None:
    assert "<script" not in render("# A\n\n<script>alert(1)</script>", "index.md")


def test_the_page_may_load_nothing_from_elsewhere() -> None:
    _, headers, body = get("/docs/guide/quickstart")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.findall(r'(?:src|href)="https?://[^"]*\.(?:js|css)"', body)


def test_only_reading() -> None:
    assert get("/docs", method="POST")[0] == 405


def test_a_folder_without_pages(tmp_path: Path) -> None:
    assert get("/docs", Docs(tmp_path))[0] == 404

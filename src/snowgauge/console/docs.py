"""The documentation on the private port, under ``/docs``: rendered from its Markdown, so that it works offline.

The pages are the repository's ``docs`` folder, which the wheel carries inside this package.
"""

from __future__ import annotations

import html
import posixpath
import re
import secrets
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from markdown_it import MarkdownIt

from snowgauge.console.answers import answer, policy

ROOT = "/docs"
_SECTIONS = (
    ("Tutorials", "tutorial"),
    ("By role", "for"),
    ("Guides", "guide"),
    ("Reference", "reference"),
    ("Decisions", "decisions"),
)
_IMAGES = {".png": "image/png", ".svg": "image/svg+xml"}
_LONGEST_QUERY = 100
_TAB = re.compile(r'^=== "([^"]+)"\n((?:\n|    .*\n?)+)', re.M)
_STYLE = (Path(__file__).parent / "docs.css").read_text("utf-8")


def folder() -> Path:
    """Where the Markdown lies: inside the wheel, or in the checkout."""
    packaged = Path(__file__).parent / "manual"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs"


class Docs:
    """An ASGI application for everything below ``/docs``."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = (root or folder()).resolve()
        self._pages: Mapping[str, Path] | None = None

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"", "text/plain", {"allow": "GET, HEAD"})
            return
        path = scope["path"].removeprefix(ROOT).strip("/")
        if path == "search":
            words = parse_qs(scope["query_string"].decode("latin-1")).get("q", [""])[0]
            await self._page(send, 200, "Search", self._results(words[:_LONGEST_QUERY]), path)
        elif Path(path).suffix in _IMAGES:
            await self._image(send, path)
        elif (page := self.pages().get(path.removesuffix(".md") or "index")) is not None:
            text = page.read_text("utf-8")
            await self._page(send, 200, title(text), render(text, str(page.relative_to(self._root))), path or "index")
        else:
            missing = "<h1>Page not found</h1><p>Choose a page from the list, or search.</p>"
            await self._page(send, 404, "Page not found", missing, path)

    def pages(self) -> Mapping[str, Path]:
        """Every page by its address below ``/docs``; what is asked for is looked up here and is never a path."""
        if self._pages is None:
            files = sorted(self._root.rglob("*.md"))
            self._pages = {file.relative_to(self._root).with_suffix("").as_posix(): file for file in files}
        return self._pages

    async def _image(self, send: Any, path: str) -> None:
        file = (self._root / path).resolve()
        if not file.is_relative_to(self._root) or not file.is_file():
            await answer(send, 404, b"not found", "text/plain", {})
            return
        await answer(send, 200, file.read_bytes(), _IMAGES[file.suffix], {"cache-control": "no-cache"})

    def _results(self, words: str) -> str:
        rows = list(self.matches(words)) if words.strip() else []
        what = f"Pages with “{html.escape(words)}”" if words.strip() else "Search"
        empty = "<p>No page has all of these words.</p>" if words.strip() and not rows else ""
        items = "".join(
            f'<li><a href="{ROOT}/{quote(address)}">{html.escape(name)}</a><div class="match">{line}</div></li>'
            for address, name, line in rows
        )
        return f"<h1>{what}</h1>{empty}<ul>{items}</ul>"

    def matches(self, words: str) -> Iterator[tuple[str, str, str]]:
        """Address, title and a marked line of every page that has all words; those with one in the title first."""
        wanted = words.casefold().split()
        rows = []
        for address, file in self.pages().items():
            text = file.read_text("utf-8")
            plain = text.casefold()
            if all(word in plain for word in wanted):
                line = next((line for line in text.splitlines() if wanted[0] in line.casefold()), "")
                name = title(text)
                first = any(word in name.casefold() for word in wanted)
                rows.append((not first, -sum(map(plain.count, wanted)), address, name, _marked(line.strip(), wanted)))
        for _, _, address, name, line in sorted(rows):
            yield address, name, line

    async def _page(self, send: Any, status: int, name: str, body: str, at: str) -> None:
        nonce = secrets.token_urlsafe(18)
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{html.escape(name)} – Snowgauge documentation</title>"
            f'<link rel="icon" href="/favicon.svg"><style nonce="{nonce}">{_STYLE}</style>'
            f'<header><a href="{ROOT}/">Snowgauge documentation</a><form action="{ROOT}/search" role="search">'
            '<input name="q" type="search" aria-label="Search the documentation" maxlength="100"> '
            '<button>Search</button></form><a href="/">Console</a></header>'
            f'<div class="body">{self._navigation(at)}<main>{body}</main></div></html>'
        )
        headers = {
            "cache-control": "no-cache",
            "content-security-policy": policy(nonce, forms="'self'"),
            "x-content-type-options": "nosniff",
        }
        await answer(send, status, page.encode(), "text/html; charset=utf-8", headers)

    def _navigation(self, at: str) -> str:
        parts = []
        for heading, prefix in _SECTIONS:
            links = "".join(
                f'<li><a href="{ROOT}/{quote(address)}"{" aria-current=page" if address == at else ""}>'
                f"{html.escape(_title_of(file, file.stat().st_mtime_ns))}</a></li>"
                for address, file in self.pages().items()
                if posixpath.dirname(address) == prefix and not address.endswith("/index")
            )
            parts.append(f"<h2>{heading}</h2><ul>{links}</ul>")
        more = "".join(
            f'<li><a href="{ROOT}/{quote(address)}">{html.escape(_title_of(file, file.stat().st_mtime_ns))}</a></li>'
            for address, file in self.pages().items()
            if "/" not in address and address != "index"
        )
        return f'<nav aria-label="Pages">{"".join(parts)}<h2>More</h2><ul>{more}</ul></nav>'


@cache
def _title_of(file: Path, _changed: int) -> str:
    return title(file.read_text("utf-8"))


def title(text: str) -> str:
    """The first heading of a page, without marks."""
    for line in text.splitlines():
        if line.startswith("# "):
            return line[2:].replace("`", "").strip()
    return "Untitled"


def render(text: str, file: str) -> str:
    """A page's Markdown as HTML; ``file`` is its path below ``docs``, from which relative links are resolved."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_TAB.sub(_tab, text))
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[index + 1].content))
        for child in token.children or ():
            for name in ("href", "src"):
                if (target := child.attrGet(name)) is not None:
                    child.attrSet(name, _resolved(str(target), file))
    made: str = parser.renderer.render(tokens, parser.options, {})
    return made.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")


def _tab(found: re.Match[str]) -> str:
    """A tab of the documentation's site, as a bold line above its content."""
    return f"**{found[1]}**\n" + re.sub(r"^    ", "", found[2], flags=re.M)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _resolved(target: str, file: str) -> str:
    """A relative link as an address on this port; others as they are."""
    if re.match(r"[a-z][a-z0-9+.-]*:|/|#", target, re.I):
        return target
    path, mark, fragment = target.partition("#")
    address = posixpath.normpath(posixpath.join(posixpath.dirname(file), path)).removesuffix(".md")
    return f"{ROOT}/{address}{mark}{fragment}"


def _marked(line: str, words: list[str]) -> str:
    text = html.escape(line[:200])
    pattern = "|".join(re.escape(html.escape(word)) for word in words)
    return re.sub(f"({pattern})", r"<mark>\1</mark>", text, flags=re.I)

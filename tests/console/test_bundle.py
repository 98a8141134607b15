"""What a browser has to load: little for a page, and editor and charts only where they are shown."""

import re
from pathlib import Path

import pytest

from snowgauge.console.site import STATIC

ASSETS = STATIC / "assets"
_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")
FIRST_PAGE = 220_000
"""Most bytes, compressed, of everything that the first page needs."""


def needed(*names: str) -> set[str]:
    """Files that are loaded with these: what they import, and so on; not what they may load later."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _IMPORT.findall((ASSETS / name).read_text("utf-8"))
    return found


def page(name: str) -> str:
    (found,) = (file.name for file in ASSETS.glob(f"{name}-*.js") if re.fullmatch(rf"{name}-[\w-]{{8}}\.js", file.name))
    return found


@pytest.fixture(scope="module")
def shell() -> list[str]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the console is not built: run `make console`")
    return re.findall(r'assets/([\w.-]+\.(?:js|css))"', (STATIC / "index.html").read_text("utf-8"))


def size(names: set[str]) -> int:
    return sum(Path(ASSETS / f"{name}.gz").stat().st_size for name in names)


@pytest.mark.parametrize(
    "name", ["Home", "Analytics", "Start", "Live", "Failed", "Xray", "Schemas", "Health", "Access"]
)
def test_a_page_is_small_and_brings_neither_editor_nor_charts(shell: list[str], name: str) -> None:
    scripts = needed(*(one for one in shell if one.endswith(".js")), page(name))
    assert not [one for one in scripts if one.startswith(("SqlEditor", "Chart", "MainChart", "WorldMap"))]
    assert size(scripts | {one for one in shell if one.endswith(".css")}) < FIRST_PAGE


def test_the_sql_page_comes_before_its_editor_and_charts(shell: list[str]) -> None:
    assert not [one for one in needed(page("Sql")) if one.startswith(("SqlEditor", "Chart"))]
    assert size({page("SqlEditor"), page("Chart")}) < 330_000


def test_every_page_is_a_file_of_its_own(shell: list[str]) -> None:
    always = needed(*(one for one in shell if one.endswith(".js")))
    assert (
        not {
            page(name)
            for name in ("Analytics", "Start", "Live", "Failed", "Xray", "Sql", "Schemas", "Health", "Access")
        }
        & always
    )
